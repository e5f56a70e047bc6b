/* balancer.c: see balancer.h. */
#define _GNU_SOURCE
#include "fleet/local/balancer.h"

#include "base/clock.h"
#include "base/path.h"
#include "config/config.h"
#include "fleet/local/haproxy_conf.h"
#include "fleet/local/haproxy_process.h"
#include "fleet/local/haproxy_socket.h"
#include "fleet/local/haproxy_stat.h"
#include "fleet/local/listener.h"
#include "fleet/local/programs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LOOK_EVERY_MS 1000       /* at a fleet at rest */
#define LOOK_CLOSELY_MS 20       /* while a member drains or leaves */
#define RESTART_FIRST_MS 100     /* after the second death in a row; the first restart is at once */
#define RESTART_MAX_MS 5000
#define WELL_AFTER_MS 10000      /* HAProxy that ran for this long is not dying in a row */
#define CONNECTIONS_MAX 20000
#define DESCRIPTORS_SPARE 200

enum member_mode {
	MEMBER_HELD,
	MEMBER_READY,
	MEMBER_DRAINING,
	MEMBER_LEAVING,              /* to be deleted; HAProxy refuses while it has connections */
};

struct member {
	struct member *next;
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];
	int weight;
	enum member_mode mode;
	bool down;                   /* HAProxy's verdict while ready */
	bool seen;                   /* in the last look */
	unsigned changed;            /* the look that will be the first to show the last change */
	uint64_t drain_until_ms;
};

struct balancer {
	struct clock *clock;
	const struct config *config;
	const struct programs *programs;
	char *folder;
	const struct balancer_events *events;
	void *arg;
	struct haproxy_socket *socket;
	struct haproxy_process *process;
	struct member *members;
	struct alarm *look_alarm;
	struct alarm *restart_alarm;
	struct alarm *silent_alarm;      /* carries `removed` out of balancer_remove when HAProxy is down */
	unsigned looks;                  /* sent */
	bool looking;
	bool up;
	bool started;
	bool adopted;
	bool adopting;                   /* the first look at a HAProxy that was taken over decides who is ready */
	bool stopping;
	unsigned deaths;                 /* in a row */
	uint64_t up_since_ms;
	void (*stop_cb)(void *arg);
	void *stop_arg;
};

static void look(struct balancer *balancer);

static struct member *find_member(const struct balancer *balancer, const char *id)
{
	struct member *member = balancer->members;

	while (member != NULL && strcmp(member->id, id) != 0)
		member = member->next;
	return member;
}

/* --- The file. */

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

static int write_file(struct balancer *balancer)
{
	size_t count = list_servers(balancer, NULL);
	struct haproxy_server *servers = calloc(count + 1, sizeof *servers);
	char *path = path_format("%s/haproxy.cfg", balancer->folder);
	char *text = NULL;
	int r = -ENOMEM;

	if (servers != NULL && path != NULL) {
		list_servers(balancer, servers);
		text = haproxy_conf_render(balancer->config, balancer->programs->haproxy_user, max_connections(),
					   servers, count);
	}
	if (text != NULL)
		r = path_write(path, text, strlen(text), 0640, false);
	free(servers);
	free(path);
	free(text);
	return r;
}

/* What runs is changed all the same: healing never waits for a disk. */
static void keep_in_file(struct balancer *balancer)
{
	int r = write_file(balancer);

	if (r < 0 && balancer->started) {
		char detail[160];

		snprintf(detail, sizeof detail, "%s/haproxy.cfg can't be written: %s", balancer->folder, strerror(-r));
		balancer->events->event(balancer->arg, "balancer-file-failed", detail);
	}
}

/* --- Orders to HAProxy. */

static void __attribute__((format(printf, 2, 3))) order(struct balancer *balancer, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!balancer->up)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	haproxy_socket_send(balancer->socket, text, NULL, NULL);
}

/* Bring HAProxy's idea of a member to ours; each order is fine to repeat. */
static void order_mode(struct balancer *balancer, const struct member *member)
{
	const char *id = member->id;

	switch (member->mode) {
	case MEMBER_READY:
		order(balancer, "set server web/%s health up;enable health web/%s;set server web/%s state ready", id, id, id);
		break;
	case MEMBER_HELD:
		order(balancer, "set server web/%s state maint", id);
		break;
	case MEMBER_DRAINING:
		order(balancer, "set server web/%s state drain", id);
		break;
	case MEMBER_LEAVING:
		order(balancer, "set server web/%s state maint;del server web/%s", id, id);
		break;
	}
}

static void order_add(struct balancer *balancer, const struct member *member)
{
	struct haproxy_server server = { .weight = member->weight };
	char settings[512];

	snprintf(server.id, sizeof server.id, "%s", member->id);
	snprintf(server.address, sizeof server.address, "%s", member->address);
	haproxy_conf_server(balancer->config, &server, settings, sizeof settings);
	order(balancer, "add server web/%s", settings);
	order_mode(balancer, member);
}

static void look_soon(struct balancer *balancer)
{
	if (balancer->up && !balancer->looking)
		alarm_set(balancer->look_alarm, LOOK_CLOSELY_MS);
}

static void change(struct balancer *balancer, const char *id, enum member_mode mode)
{
	struct member *member = find_member(balancer, id);

	if (member == NULL || member->mode == MEMBER_LEAVING)
		return;
	member->mode = mode;
	member->down = false;
	member->changed = balancer->looks + 1;
	keep_in_file(balancer);
	order_mode(balancer, member);
}

void balancer_admit(struct balancer *balancer, const char *id)
{
	change(balancer, id, MEMBER_READY);
}

void balancer_hold(struct balancer *balancer, const char *id)
{
	change(balancer, id, MEMBER_HELD);
}

void balancer_drain(struct balancer *balancer, const char *id, uint64_t timeout_ms)
{
	struct member *member = find_member(balancer, id);

	if (member == NULL)
		return;
	member->drain_until_ms = clock_mono_ms(balancer->clock) + timeout_ms;
	change(balancer, id, MEMBER_DRAINING);
	look_soon(balancer);
	if (!balancer->up)
		alarm_set(balancer->silent_alarm, 0);
}

int balancer_add(struct balancer *balancer, const char *id, const char *address, int weight)
{
	struct member *member = calloc(1, sizeof *member);
	struct member **link = &balancer->members;

	if (member == NULL)
		return -ENOMEM;
	snprintf(member->id, sizeof member->id, "%s", id);
	snprintf(member->address, sizeof member->address, "%s", address);
	member->weight = weight;
	member->changed = balancer->looks + 1;
	while (*link != NULL)
		link = &(*link)->next;
	*link = member;
	if (balancer->started) {
		keep_in_file(balancer);
		order_add(balancer, member);
	}
	return 0;
}

void balancer_remove(struct balancer *balancer, const char *id)
{
	change(balancer, id, MEMBER_LEAVING);
	look_soon(balancer);
	if (!balancer->up)
		alarm_set(balancer->silent_alarm, 0);
}

bool balancer_is_admitted(const struct balancer *balancer, const char *id)
{
	const struct member *member = find_member(balancer, id);

	return member != NULL && member->mode == MEMBER_READY;
}

/* --- Looking at what HAProxy thinks. */

static void forget(struct balancer *balancer, struct member *member)
{
	struct member **link = &balancer->members;
	char id[ENTRY_ID_SIZE];

	snprintf(id, sizeof id, "%s", member->id);
	while (*link != member)
		link = &(*link)->next;
	*link = member->next;
	free(member);
	balancer->events->removed(balancer->arg, id);
}

static void judge(struct balancer *balancer, struct member *member, const struct haproxy_stat *stat)
{
	bool down = stat->mode == HAPROXY_DOWN;

	if (down == member->down)
		return;
	member->down = down;
	balancer->events->judged(balancer->arg, member->id, !down, stat->check);
}

static void on_server(void *arg, const struct haproxy_stat *stat)
{
	struct balancer *balancer = arg;
	struct member *member = find_member(balancer, stat->id);

	if (member == NULL) {
		/* Of a time before us. */
		order(balancer, "set server web/%s state maint;del server web/%s", stat->id, stat->id);
		return;
	}
	member->seen = true;
	if (balancer->adopting && member->mode == MEMBER_HELD && stat->mode != HAPROXY_MAINT &&
	    stat->mode != HAPROXY_DRAIN)
		member->mode = MEMBER_READY;
	/* The order that changed it last was given after this look was sent. */
	if (member->changed > balancer->looks)
		return;
	switch (member->mode) {
	case MEMBER_READY:
		if (stat->mode == HAPROXY_MAINT || stat->mode == HAPROXY_DRAIN)
			order_mode(balancer, member);
		else
			judge(balancer, member, stat);
		break;
	case MEMBER_HELD:
		if (stat->mode != HAPROXY_MAINT)
			order_mode(balancer, member);
		break;
	case MEMBER_DRAINING:
		if (stat->sessions == 0 && stat->queued == 0)
			member->drain_until_ms = 0;
		break;
	case MEMBER_LEAVING:
		order_mode(balancer, member);
		break;
	}
}

/* Members whose wait is over; each event may change the list, so begin anew after one. */
static bool settle_one(struct balancer *balancer, bool looked)
{
	uint64_t now_ms = clock_mono_ms(balancer->clock);
	struct member *member;

	for (member = balancer->members; member != NULL; member = member->next) {
		if (member->mode == MEMBER_DRAINING && now_ms >= member->drain_until_ms) {
			char id[ENTRY_ID_SIZE];

			snprintf(id, sizeof id, "%s", member->id);
			change(balancer, id, MEMBER_HELD);
			balancer->events->drained(balancer->arg, id);
			return true;
		}
		if (member->mode == MEMBER_LEAVING &&
		    (!balancer->up || (looked && !member->seen && member->changed <= balancer->looks))) {
			forget(balancer, member);
			return true;
		}
	}
	return false;
}

static bool is_restless(const struct balancer *balancer)
{
	const struct member *member;

	for (member = balancer->members; member != NULL; member = member->next)
		if (member->mode == MEMBER_DRAINING || member->mode == MEMBER_LEAVING)
			return true;
	return false;
}

static void add_missing(struct balancer *balancer)
{
	const struct member *member;

	for (member = balancer->members; member != NULL; member = member->next)
		if (!member->seen && member->mode != MEMBER_LEAVING && member->changed <= balancer->looks)
			order_add(balancer, member);
}

static void on_look(void *arg, int status, const char *reply)
{
	struct balancer *balancer = arg;
	struct member *member;

	balancer->looking = false;
	if (!balancer->up || balancer->stopping)
		return;
	for (member = balancer->members; member != NULL; member = member->next)
		member->seen = false;
	if (status == 0 && haproxy_stat_parse(reply, on_server, balancer) == 0) {
		add_missing(balancer);
		while (settle_one(balancer, true))
			;
	}
	alarm_set(balancer->look_alarm, is_restless(balancer) ? LOOK_CLOSELY_MS : LOOK_EVERY_MS);
	if (balancer->adopting) {
		balancer->adopting = false;
		balancer->events->started(balancer->arg, NULL);
	}
}

static void look(struct balancer *balancer)
{
	if (balancer->looking || !balancer->up)
		return;
	balancer->looking = true;
	balancer->looks++;
	haproxy_socket_send(balancer->socket, "show stat " HAPROXY_BACKEND " 4 -1", on_look, balancer);
}

static void on_look_alarm(void *arg)
{
	look(arg);
}

static void on_silent_alarm(void *arg)
{
	struct balancer *balancer = arg;

	/* Without a HAProxy nothing has to end first. */
	if (!balancer->up) {
		struct member *member;

		for (member = balancer->members; member != NULL; member = member->next)
			member->drain_until_ms = 0;
		while (settle_one(balancer, false))
			;
	}
}

/* --- The process. */

static void start_process(struct balancer *balancer)
{
	keep_in_file(balancer);
	haproxy_process_start(balancer->process);
}

static void on_restart_alarm(void *arg)
{
	start_process(arg);
}

static void restart_later(struct balancer *balancer)
{
	uint64_t delay_ms = 0;
	unsigned i;

	for (i = 1; i < balancer->deaths && delay_ms < RESTART_MAX_MS; i++)
		delay_ms = delay_ms == 0 ? RESTART_FIRST_MS : delay_ms * 2;
	alarm_set(balancer->restart_alarm, delay_ms < RESTART_MAX_MS ? delay_ms : RESTART_MAX_MS);
}

static void on_process_up(void *arg, const struct failure *failure)
{
	struct balancer *balancer = arg;

	if (failure != NULL && haproxy_process_pid(balancer->process) != 0) {
		balancer->events->event(balancer->arg, "balancer-failed", failure->message);
		return;
	}
	if (failure != NULL) {
		if (!balancer->started) {
			balancer->events->started(balancer->arg, failure);
			return;
		}
		balancer->events->event(balancer->arg, "balancer-failed", failure->message);
		balancer->deaths++;
		restart_later(balancer);
		return;
	}
	balancer->up = true;
	balancer->up_since_ms = clock_mono_ms(balancer->clock);
	if (!balancer->started) {
		balancer->started = true;
		if (!balancer->adopting)
			balancer->events->started(balancer->arg, NULL);
	} else {
		char detail[32];

		snprintf(detail, sizeof detail, "pid %d", (int)haproxy_process_pid(balancer->process));
		balancer->events->event(balancer->arg, "balancer-started", detail);
	}
	look(balancer);
}

static void on_process_died(void *arg, const char *how)
{
	struct balancer *balancer = arg;

	balancer->up = false;
	balancer->looking = false;
	alarm_cancel(balancer->look_alarm);
	alarm_set(balancer->silent_alarm, 0);
	if (clock_mono_ms(balancer->clock) - balancer->up_since_ms > WELL_AFTER_MS)
		balancer->deaths = 0;
	balancer->deaths++;
	balancer->events->event(balancer->arg, "balancer-died", how);
	restart_later(balancer);
}

void balancer_start(struct balancer *balancer)
{
	pid_t pid = haproxy_process_find(balancer->folder, balancer->programs->haproxy_uid);
	struct sockaddr_storage address;
	struct failure failure;
	char name[ENTRY_ADDRESS_SIZE];
	int r;

	if (pid != 0) {
		balancer->adopted = true;
		balancer->adopting = true;
		haproxy_process_adopt(balancer->process, pid);
		return;
	}
	config_endpoint_format(&balancer->config->listen, name, sizeof name);
	r = listener_address(balancer->config->listen.host, balancer->config->listen.port, &address);
	if (r == 0)
		r = listener_probe(&address, name, &failure);
	else
		failure_set(&failure, -r, "`listen`: %s is not a numeric address", balancer->config->listen.host);
	if (r == 0) {
		r = write_file(balancer);
		if (r < 0)
			failure_set(&failure, -r, "%s/haproxy.cfg can't be written: %s", balancer->folder, strerror(-r));
	}
	if (r < 0)
		balancer->events->started(balancer->arg, &failure);
	else
		haproxy_process_start(balancer->process);
}

void balancer_adopt(struct balancer *balancer)
{
	pid_t pid = haproxy_process_find(balancer->folder, balancer->programs->haproxy_uid);

	if (pid != 0)
		haproxy_process_hold(balancer->process, pid);
	balancer->started = true;
	balancer->events->started(balancer->arg, NULL);
}

bool balancer_is_up(const struct balancer *balancer)
{
	return balancer->up;
}

bool balancer_was_adopted(const struct balancer *balancer)
{
	return balancer->adopted;
}

int balancer_reconfigure(struct balancer *balancer, const struct config *config, struct failure *ret_failure)
{
	const struct config *before = balancer->config;
	struct sockaddr_storage address;
	char name[ENTRY_ADDRESS_SIZE];
	bool moved = strcmp(before->listen.host, config->listen.host) != 0 || before->listen.port != config->listen.port;
	char *old_text;
	char *new_text;
	bool same;
	int r = 0;

	config_endpoint_format(&config->listen, name, sizeof name);
	if (moved && listener_address(config->listen.host, config->listen.port, &address) == 0)
		r = listener_probe(&address, name, ret_failure);
	if (r < 0)
		return r;
	old_text = haproxy_conf_render(before, NULL, 1, NULL, 0);
	new_text = haproxy_conf_render(config, NULL, 1, NULL, 0);
	same = old_text != NULL && new_text != NULL && strcmp(old_text, new_text) == 0 &&
	       before->health.every_ms == config->health.every_ms &&
	       before->health.unhealthy == config->health.unhealthy && before->health.healthy == config->health.healthy;
	free(old_text);
	free(new_text);
	balancer->config = config;
	if (!same && balancer->up)
		start_process(balancer);
	return 0;
}

static void on_process_stopped(void *arg)
{
	struct balancer *balancer = arg;

	balancer->up = false;
	balancer->stop_cb(balancer->stop_arg);
}

void balancer_stop(struct balancer *balancer, uint64_t grace_ms, void (*cb)(void *arg), void *arg)
{
	balancer->stopping = true;
	balancer->stop_cb = cb;
	balancer->stop_arg = arg;
	alarm_cancel(balancer->look_alarm);
	alarm_cancel(balancer->restart_alarm);
	haproxy_process_stop(balancer->process, grace_ms, on_process_stopped, balancer);
}

struct balancer *balancer_new(struct uv_loop_s *loop, struct clock *clock, struct process_set *processes,
			      const struct programs *programs, const struct config *config, const char *folder,
			      const struct balancer_events *events, void *arg)
{
	static const struct haproxy_process_events process_events = { .up = on_process_up, .died = on_process_died };
	struct balancer *balancer = calloc(1, sizeof *balancer);

	if (balancer == NULL)
		return NULL;
	balancer->clock = clock;
	balancer->config = config;
	balancer->programs = programs;
	balancer->events = events;
	balancer->arg = arg;
	balancer->folder = path_format("%s", folder);
	balancer->socket = haproxy_socket_new(loop, folder, HAPROXY_SOCKET);
	balancer->look_alarm = alarm_new(clock, on_look_alarm, balancer);
	balancer->restart_alarm = alarm_new(clock, on_restart_alarm, balancer);
	balancer->silent_alarm = alarm_new(clock, on_silent_alarm, balancer);
	if (balancer->socket != NULL)
		balancer->process = haproxy_process_new(loop, clock, processes, programs, folder, balancer->socket,
							&process_events, balancer);
	if (balancer->folder == NULL || balancer->process == NULL || balancer->look_alarm == NULL ||
	    balancer->restart_alarm == NULL || balancer->silent_alarm == NULL) {
		balancer_free(balancer);
		return NULL;
	}
	return balancer;
}

void balancer_free(struct balancer *balancer)
{
	if (balancer == NULL)
		return;
	haproxy_socket_free(balancer->socket);
	haproxy_process_free(balancer->process);
	alarm_free(balancer->look_alarm);
	alarm_free(balancer->restart_alarm);
	alarm_free(balancer->silent_alarm);
	while (balancer->members != NULL) {
		struct member *member = balancer->members;

		balancer->members = member->next;
		free(member);
	}
	free(balancer->folder);
	free(balancer);
}
