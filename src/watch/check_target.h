/* check_target.h: somebody to check, and how the verdicts on many come back. */
#ifndef WATCH_CHECK_TARGET_H
#define WATCH_CHECK_TARGET_H

#include "record/entry.h"

#include <stddef.h>
#include <sys/socket.h>

struct check_target {
	struct sockaddr_storage address;
};

/* In the targets' order, valid during the call. */
typedef void check_round_cb(void *arg, const struct check *checks, size_t count);

#endif
