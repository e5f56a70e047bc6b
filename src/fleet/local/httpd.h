/*
 * httpd.h: one Apache httpd of the fleet: its folder, its configuration, its process.
 *
 * An instance is a folder:
 *   httpd.conf   its configuration
 *   site         a link to the release that it serves
 *   logs/        access.log and error.log
 *   run/         httpd's own files
 *   httpd.out    what httpd printed when it was started last
 *
 * httpd runs as an unprivileged user inside that folder and knows it only as
 * /proc/self/cwd: so the folders above it may be closed to that user (a state
 * folder in root's home is).
 */
#ifndef FLEET_LOCAL_HTTPD_H
#define FLEET_LOCAL_HTTPD_H

#include "base/failure.h"

#include <stddef.h>
#include <sys/types.h>

struct config;
struct programs;

#define HTTPD_PORT 8090

/* "openbell=<folder of all instances>/": what an instance's processes have in front of its id among their arguments. */
char *httpd_mark(const char *instances);

/* Make the folder of an instance that listens at `address`.  On failure nothing of it is left. */
int httpd_prepare(const char *folder, const char *address, const struct config *config,
		  const struct programs *programs, struct failure *ret_failure);

/* The address that an instance's folder was made for.  Returns 0 or a negative errno (not a whole instance). */
int httpd_read_address(const char *folder, char *ret_address, size_t size);

/* Point the instance at a release, from one request to the next. */
int httpd_use_release(const char *folder, unsigned release);
unsigned httpd_release(const char *folder);    /* 0: none */

/* Start it; the process leads a group of its own.  `mark` is httpd_mark's text with the id behind it. */
int httpd_spawn(const char *folder, const char *mark, const struct programs *programs, pid_t *ret_pid,
		struct failure *ret_failure);

/* What httpd said last about itself (the last line of httpd.out, else of its error log); "" when nothing. */
void httpd_last_words(const char *folder, char *ret_text, size_t size);

#endif
