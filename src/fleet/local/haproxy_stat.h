/* haproxy_stat.h: what `show stat` says of the servers.  HAProxy 2.6 Management Guide, 9.1. */
#ifndef FLEET_LOCAL_HAPROXY_STAT_H
#define FLEET_LOCAL_HAPROXY_STAT_H

#include "record/entry.h"

#include <stdbool.h>

enum haproxy_mode { HAPROXY_UP, HAPROXY_DOWN, HAPROXY_DRAIN, HAPROXY_MAINT };

struct haproxy_stat {
	char id[ENTRY_ID_SIZE];
	enum haproxy_mode mode;
	unsigned sessions;           /* now */
	unsigned queued;
	char check[80];              /* the last check, as "L7STS 403" or "L4TOUT" */
};

typedef void haproxy_stat_cb(void *arg, const struct haproxy_stat *stat);

/*
 * Call cb for each server in the CSV; columns are found by their names.
 * Returns 0, or -EPROTO when it is not such a table.
 */
int haproxy_stat_parse(const char *csv, haproxy_stat_cb *cb, void *arg);

#endif
