/* programs.h: where httpd and HAProxy are on this machine, and who runs them. */
#ifndef FLEET_LOCAL_PROGRAMS_H
#define FLEET_LOCAL_PROGRAMS_H

#include "base/failure.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct programs {
	char httpd[PATH_MAX];
	char modules[PATH_MAX];      /* httpd's folder of modules */
	char mime_types[PATH_MAX];   /* "" when there is none */
	char haproxy[PATH_MAX];
	bool drop;                   /* we are root: httpd runs as the user below */
	uid_t uid;
	gid_t gid;
	const char *haproxy_user;    /* NULL: as we are */
	uid_t haproxy_uid;
};

/*
 * Returns 0, or -ENOENT with words that name the package to install; who runs
 * them is filled in even then, for what runs already.
 */
int programs_find(struct programs *ret_programs, struct failure *ret_failure);

#endif
