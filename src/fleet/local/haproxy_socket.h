/* haproxy_socket.h: commands to HAProxy's stats socket.  HAProxy 2.6 Management Guide, 9.3. */
#ifndef FLEET_LOCAL_HAPROXY_SOCKET_H
#define FLEET_LOCAL_HAPROXY_SOCKET_H

#include "base/failure.h"

#define HAPROXY_REPLY_MAX_BYTES (1024 * 1024)
#define HAPROXY_REPLY_TIMEOUT_MS 2000

struct haproxy_socket;
struct uv_loop_s;

/* `reply` is NULL when no whole answer came (status is then a negative errno). */
typedef void haproxy_reply_cb(void *arg, int status, const char *reply);

/* The socket of that name in `folder`, however long the folder's path is.  NULL: no memory. */
struct haproxy_socket *haproxy_socket_new(struct uv_loop_s *loop, const char *folder, const char *name);

/*
 * Send one line of commands (joined by ';'); a connection each, one after the
 * other in the order of their calls.  `cb` (NULL: nobody wants to know) runs
 * once, from the loop.  Without memory for a command the program ends: the
 * fleet goes on, and the next controller adopts it.
 */
void haproxy_socket_send(struct haproxy_socket *socket, const char *commands, haproxy_reply_cb *cb, void *arg);

/* What waits is dropped without a callback; frees in the loop.  NULL is fine. */
void haproxy_socket_free(struct haproxy_socket *socket);

#endif
