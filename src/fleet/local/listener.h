/* listener.h: who listens where on this machine. */
#ifndef FLEET_LOCAL_LISTENER_H
#define FLEET_LOCAL_LISTENER_H

#include "base/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* From a numeric host.  Returns 0 or -EINVAL. */
int listener_address(const char *host, uint16_t port, struct sockaddr_storage *ret_address);

/*
 * Whether something could listen at `address` now.  Returns 0, or a negative
 * errno with words in `ret_failure` that name the process which has it, when
 * we may see that ("127.0.0.1:8080 is taken by nginx (pid 812): stop it or
 * set `listen`").
 */
int listener_probe(const struct sockaddr_storage *address, const char *name, struct failure *ret_failure);

/* Whether something accepts connections at a loopback address now; takes a millisecond at most. */
bool listener_accepts(const struct sockaddr_storage *address);

#endif
