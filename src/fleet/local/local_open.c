/* local_open.c: what of the fleet is there already, and where there is room for more. */
#define _GNU_SOURCE
#include "base/path.h"
#include "base/process.h"
#include "config/config.h"
#include "fleet/local/adopt.h"
#include "fleet/local/balancer.h"
#include "fleet/local/haproxy_process.h"
#include "fleet/local/httpd.h"
#include "fleet/local/listener.h"
#include "fleet/local/local.h"
#include "fleet/local/local_internal.h"
#include "fleet/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOUND_MAX 4096

/* --- The folders. */

struct found {
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];
	int64_t made_ns;
	pid_t pid;                   /* of its leader; 0: none runs */
};

struct search {
	struct found *list;
	size_t count;
	bool only_look;              /* end nothing, remove nothing */
};

static int by_age(const void *a, const void *b)
{
	const struct found *first = a;
	const struct found *second = b;

	return (first->made_ns > second->made_ns) - (first->made_ns < second->made_ns);
}

/* One entry of the folder of instances. */
static void look_at(struct search *search, const char *instances, const char *name)
{
	struct found *found = &search->list[search->count];
	char *folder = path_format("%s/%s", instances, name);
	char *conf = path_format("%s/%s/httpd.conf", instances, name);
	struct stat info;

	if (folder != NULL && conf != NULL && strlen(name) < sizeof found->id) {
		*found = (struct found){ 0 };
		snprintf(found->id, sizeof found->id, "%s", name);
		if (httpd_read_address(folder, found->address, sizeof found->address) == 0 && stat(conf, &info) == 0) {
			found->made_ns = info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec;
			search->count++;
		} else if (!search->only_look) {
			/* We were killed while making it. */
			path_remove_tree(folder);
		}
	}
	free(folder);
	free(conf);
}

static int find_folders(struct search *search, const char *instances)
{
	DIR *folder = opendir(instances);
	const struct dirent *entry;

	if (folder == NULL)
		return errno == ENOENT ? 0 : -errno;
	search->list = calloc(FOUND_MAX, sizeof *search->list);
	if (search->list == NULL) {
		closedir(folder);
		return -ENOMEM;
	}
	while (search->count < FOUND_MAX && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			look_at(search, instances, entry->d_name);
	closedir(folder);
	qsort(search->list, search->count, sizeof *search->list, by_age);
	return 0;
}

/* --- The processes. */

static struct found *find_id(const struct search *search, const char *id)
{
	size_t i;

	for (i = 0; i < search->count; i++)
		if (strcmp(search->list[i].id, id) == 0)
			return &search->list[i];
	return NULL;
}

static void on_leader(void *arg, const char *id, pid_t pid, pid_t pgid, bool leads)
{
	struct found *found = find_id(arg, id);

	(void)pgid;
	if (leads && found != NULL)
		found->pid = pid;
}

/* A worker whose leader was killed, or an instance whose folder is gone. */
static void on_leftover(void *arg, const char *id, pid_t pid, pid_t pgid, bool leads)
{
	const struct found *found = find_id(arg, id);

	(void)pid;
	(void)leads;
	if (found == NULL || found->pid != pgid)
		process_group_signal(pgid, SIGKILL);
}

int local_find(struct local *local, struct failure *ret_failure)
{
	struct search search = { 0 };
	size_t i;
	int r = path_make_folders(local->instances, 0711);

	if (r == 0)
		r = find_folders(&search, local->instances);
	if (r < 0)
		return failure_set(ret_failure, -r, "%s can't be read or written: %s", local->instances, strerror(-r));
	adopt_scan(local->mark, local->programs.uid, on_leader, &search);
	adopt_scan(local->mark, local->programs.uid, on_leftover, &search);
	for (i = 0; i < search.count && r == 0; i++) {
		const struct found *found = &search.list[i];
		struct local_instance *instance = local_instance_new(local, found->id, found->address);

		if (instance == NULL || balancer_add(local->balancer, found->id, found->address, 100) < 0) {
			r = failure_set(ret_failure, ENOMEM, "no memory");
			break;
		}
		instance->release = httpd_release(instance->folder);
		if (found->pid != 0)
			local_instance_adopt(instance, found->pid);
	}
	free(search.list);
	return r;
}

int local_survey(const struct config *config, void (*cb)(void *arg, const struct instance *instance), void *arg,
		 bool *ret_balancer_up, struct failure *ret_failure)
{
	struct search search = { .only_look = true };
	struct programs programs;
	char *given = fleet_folder(config);
	char *folder = given != NULL ? realpath(given, NULL) : NULL;
	char *instances = folder != NULL ? path_format("%s/instances", folder) : NULL;
	char *mark = instances != NULL ? httpd_mark(instances) : NULL;
	bool balancer_up = false;
	size_t i;
	int r = 0;

	if (mark == NULL) {
		/* There was never a fleet here. */
	} else if ((r = find_folders(&search, instances)) < 0) {
		failure_set(ret_failure, -r, "%s can't be read: %s", instances, strerror(-r));
	} else {
		programs_find(&programs, NULL);
		balancer_up = haproxy_process_find(folder, programs.haproxy_uid) != 0;
		adopt_scan(mark, programs.uid, on_leader, &search);
		for (i = 0; i < search.count; i++) {
			struct instance instance = { .pid = search.list[i].pid };

			snprintf(instance.id, sizeof instance.id, "%s", search.list[i].id);
			snprintf(instance.address, sizeof instance.address, "%s", search.list[i].address);
			instance.state = instance.pid != 0 ? INSTANCE_IN_SERVICE : INSTANCE_UNHEALTHY;
			instance.since_ms = instance.pid != 0 ? adopt_started_ms(instance.pid) : 0;
			cb(arg, &instance);
		}
	}
	if (r == 0)
		*ret_balancer_up = balancer_up;
	free(search.list);
	free(mark);
	free(instances);
	free(folder);
	free(given);
	return r;
}

/* --- Room for one more. */

static bool is_used(const struct local *local, const char *address)
{
	const struct instance *instance;

	for (instance = local->base.instances; instance != NULL; instance = instance->next)
		if (strcmp(instance->address, address) == 0)
			return true;
	return false;
}

int local_free_address(const struct local *local, char *ret_address, size_t size)
{
	int number;

	/* 127.0.1.1 to 127.0.4.254: other fleets of this machine take from the same. */
	for (number = 0; number < 4 * 254; number++) {
		struct sockaddr_storage address;
		char host[ENTRY_ADDRESS_SIZE];

		snprintf(host, sizeof host, "127.0.%d.%d", 1 + number / 254, 1 + number % 254);
		snprintf(ret_address, size, "%s:%d", host, HTTPD_PORT);
		if (!is_used(local, ret_address) && listener_address(host, HTTPD_PORT, &address) == 0 &&
		    listener_probe(&address, ret_address, NULL) == 0)
			return 0;
	}
	return -EADDRNOTAVAIL;
}
