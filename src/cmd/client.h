/* client.h: a verb's side of the controller's socket (watch/control.h).  Blocking. */
#ifndef CMD_CLIENT_H
#define CMD_CLIENT_H

#include "base/failure.h"

#include <jansson.h>
#include <stdint.h>

struct config;

struct client_reply {
	int exit_status;
	char error[512];         /* "" when there is none */
	json_t *result;          /* NULL when there is none */
};

/* Runs for each progress line, and with NULL every 100 ms or so. */
typedef void client_progress_cb(void *arg, const char *text);

/*
 * Ask the fleet's controller; takes over `request`.  Waits until timeout_ms
 * (negative: for ever) have passed.  Returns 0 with *ret_reply to be freed
 * with client_reply_free; -ENOTCONN: no controller answers; -EPIPE: it ended
 * before it answered; -ETIMEDOUT; -EACCES: it is somebody else's.
 */
int client_ask(const struct config *config, json_t *request, int64_t timeout_ms, client_progress_cb *progress,
	       void *arg, struct client_reply *ret_reply);

void client_reply_free(struct client_reply *reply);

/* A path as the controller takes it; NULL: null.  A new reference. */
json_t *client_path(const char *path);

/* Milliseconds that only grow, for deadlines. */
int64_t client_now_ms(void);

#endif
