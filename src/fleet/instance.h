/* instance.h: one member of the fleet. */
#ifndef FLEET_INSTANCE_H
#define FLEET_INSTANCE_H

#include "record/entry.h"

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum instance_state {
	INSTANCE_PENDING,        /* started, not yet proved */
	INSTANCE_IN_SERVICE,     /* gets requests */
	INSTANCE_UNHEALTHY,      /* dead, hung or failing; being healed */
	INSTANCE_DRAINING,       /* no new requests; the last ones end */
	INSTANCE_TERMINATING,
};

/*
 * Owned by its driver.  The controller moves `state`; the driver keeps `pid`
 * and `since_ms` true.
 */
struct instance {
	struct instance *next;               /* oldest first */
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];
	struct sockaddr_storage sockaddr;
	enum instance_state state;
	pid_t pid;                           /* 0: no process now, or not ours to know */
	int64_t since_ms;                    /* UTC, since when this process runs */
	void *care;                          /* the controller's own notes on it */
};

const char *instance_state_name(enum instance_state state);

#endif
