/*
 * control.h: how verbs talk to the controller: a Unix socket in the fleet's folder.
 *
 * A request is one line of JSON, {"verb": "sweep", ...}; the answer is lines
 * of JSON: any number of {"progress": "..."}, then one
 * {"exit": 0, "error": null, "result": ...}.  Only this user (and root) may
 * connect.  One request a connection; a client that hangs up is forgotten,
 * what it ordered goes on.  Paths are absolute and written as base/wire.h says.
 *
 *   ping                              result: {"pid": ...}
 *   status                            result: the document of `status --json`
 *   sweep                             result: the document of `sweep --json`
 *   up      "config": path or null    reads the configuration again (not with "reload": false), waits until the
 *                                     fleet is as wanted
 *   deploy  "folder": path            waits for its end
 *   down                              waits until the fleet is down; the controller ends
 */
#ifndef WATCH_CONTROL_H
#define WATCH_CONTROL_H

#include "base/failure.h"

#define CONTROL_REQUEST_MAX_BYTES 65536
#define CONTROL_CLIENTS_MAX 64
#define CONTROL_GOING_DOWN 100   /* an exit that asks the client to come again when the controller has gone */

struct control;
struct control_client;
struct controller;
struct uv_loop_s;

struct control_hooks {
	/* Returns 0, or a negative errno with the words. */
	int (*reload)(void *arg, const char *config_file, struct failure *ret_failure);
	/* Takes the fleet down and ends the program; the answer is given with control_down_done. */
	void (*down)(void *arg);
	void *arg;
};

/* Listens in the folder, replacing a socket that was left there.  Returns 0 or a negative errno with the words. */
int control_new(struct uv_loop_s *loop, const char *folder, struct controller *controller,
		const struct control_hooks *hooks, struct control **ret_control, struct failure *ret_failure);

/* Everybody who waits for the end of the fleet is told. */
void control_down_done(struct control *control, const struct failure *failure);

/* Stops listening, sends what is to be sent, frees in the loop.  NULL is fine. */
void control_free(struct control *control);

#endif
