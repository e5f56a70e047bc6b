/* haproxy_conf.h: HAProxy's configuration, as text.  HAProxy 2.6, Configuration Manual and Management Guide. */
#ifndef FLEET_LOCAL_HAPROXY_CONF_H
#define FLEET_LOCAL_HAPROXY_CONF_H

#include "record/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAPROXY_SOCKET "haproxy.sock"    /* in the folder that HAProxy runs in */
#define HAPROXY_BACKEND "web"

struct config;

struct haproxy_server {
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];
	int weight;
	bool ready;              /* false: in maintenance, or draining */
};

/*
 * The whole file.  `user` NULL: stay who we are; `max_connections` from the
 * descriptors there are.  Free the text; NULL: no memory.
 */
char *haproxy_conf_render(const struct config *config, const char *user, int max_connections,
			  const struct haproxy_server *servers, size_t count);

/* Alike for configurations that HAProxy runs alike, whoever the servers are. */
uint64_t haproxy_conf_settings(const struct config *config);

/*
 * The settings of a server, the same in the file and behind `add server`
 * (which inherits nothing from `default-server`).
 */
void haproxy_conf_server(const struct config *config, const struct haproxy_server *server, char *ret_text, size_t size);

#endif
