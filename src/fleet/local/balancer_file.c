/* balancer_file.c: HAProxy's file, with the members of now. */
#define _GNU_SOURCE
#include "base/path.h"
#include "fleet/local/balancer_internal.h"
#include "fleet/local/haproxy_conf.h"
#include "fleet/local/programs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FILE_MAX_BYTES (4 * 1024 * 1024)
#define CONNECTIONS_MAX 20000
#define DESCRIPTORS_SPARE 200

static const char settings_line[] = "# settings ";

static int max_connections(void)
{
	struct rlimit limit;
	rlim_t connections = CONNECTIONS_MAX;

	/* A connection through the balancer takes two descriptors. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY &&
	    limit.rlim_max < 2 * connections + DESCRIPTORS_SPARE)
		connections = limit.rlim_max > 2 * DESCRIPTORS_SPARE ? (limit.rlim_max - DESCRIPTORS_SPARE) / 2 : 100;
	return (int)connections;
}

static size_t list_servers(const struct balancer *balancer, struct haproxy_server *servers)
{
	const struct member *member;
	size_t count = 0;

	for (member = balancer->members; member != NULL; member = member->next) {
		if (member->mode == MEMBER_LEAVING)
			continue;
		if (servers != NULL) {
			struct haproxy_server *server = &servers[count];

			snprintf(server->id, sizeof server->id, "%s", member->id);
			snprintf(server->address, sizeof server->address, "%s", member->address);
			server->weight = member->weight;
			server->ready = member->mode == MEMBER_READY;
		}
		count++;
	}
	return count;
}

int balancer_write_file(struct balancer *balancer)
{
	size_t count = list_servers(balancer, NULL);
	struct haproxy_server *servers = calloc(count + 1, sizeof *servers);
	char *path = path_format("%s/haproxy.cfg", balancer->folder);
	char *text = NULL;
	char *all = NULL;
	int r = -ENOMEM;

	if (servers != NULL && path != NULL) {
		list_servers(balancer, servers);
		text = haproxy_conf_render(balancer->config, balancer->programs->haproxy_user, max_connections(),
					   servers, count);
	}
	if (text != NULL)
		all = path_format("%s%016" PRIx64 "\n%s", settings_line, haproxy_conf_settings(balancer->config), text);
	if (all != NULL)
		r = path_write(path, all, strlen(all), 0640, false);
	free(servers);
	free(path);
	free(text);
	free(all);
	return r;
}

bool balancer_file_is_current(const struct balancer *balancer)
{
	char *path = path_format("%s/haproxy.cfg", balancer->folder);
	size_t length = strlen(settings_line);
	char *text;
	bool current = false;

	if (path != NULL && path_read(path, FILE_MAX_BYTES, &text, NULL) == 0) {
		current = strncmp(text, settings_line, length) == 0 &&
			  strtoull(text + length, NULL, 16) == haproxy_conf_settings(balancer->config);
		free(text);
	}
	free(path);
	return current;
}

/* What runs is changed all the same: healing never waits for a disk. */
void balancer_keep_in_file(struct balancer *balancer)
{
	int r;

	/* The next start writes its own. */
	if (balancer->stopping)
		return;
	r = balancer_write_file(balancer);
	if (r < 0 && balancer->started) {
		char detail[160];

		snprintf(detail, sizeof detail, "%s/haproxy.cfg can't be written: %s", balancer->folder, strerror(-r));
		balancer->events->event(balancer->arg, "balancer-file-failed", detail);
	}
}
