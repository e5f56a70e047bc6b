/* balancer.c: see balancer.h: the process, and the balancer as a whole. */
#define _GNU_SOURCE
#include "fleet/local/balancer_internal.h"

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

#define RESTART_FIRST_MS 100 /* after the second death in a row; the first restart is at once */
#define RESTART_MAX_MS 5000
#define WELL_AFTER_MS 10000 /* HAProxy that ran for this long is not dying in a row */

/* --- The process. */

static void start_process(struct balancer *balancer)
{
	balancer_keep_in_file(balancer);
	haproxy_process_start(balancer->process);
}

void balancer_take_over(struct balancer *balancer)
{
	balancer->changing = true;
	start_process(balancer);
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

	balancer->changing = false;
	if (failure != NULL && haproxy_process_pid(balancer->process) != 0 && balancer->started) {
		balancer->events->event(balancer->arg, "balancer-failed", failure->message);
		return;
	}
	/* It runs and does not answer: it must not be in the way of the next. */
	if (failure != NULL)
		haproxy_process_kill(balancer->process);
	if (failure != NULL && balancer->adopting) {
		balancer->adopting = false;
		if (haproxy_process_pid(balancer->process) == 0)
			start_process(balancer);
		return;
	}
	if (failure != NULL && balancer->adopting && !balancer->started) {
		/* The one that was found hangs, and is gone now. */
		balancer->adopting = false;
		balancer_start(balancer);
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
	balancer_look(balancer);
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
		balancer->adopting = true;
		balancer->outdated = !balancer_file_is_current(balancer);
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
		r = balancer_write_file(balancer);
		if (r < 0)
			failure_set(&failure, -r, "%s/haproxy.cfg can't be written: %s", balancer->folder,
				    strerror(-r));
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

bool balancer_is_changing(const struct balancer *balancer)
{
	return balancer->changing;
}

int balancer_reconfigure(struct balancer *balancer, const struct config *config, struct failure *ret_failure)
{
	const struct config *before = balancer->config;
	struct sockaddr_storage address;
	char name[ENTRY_ADDRESS_SIZE];
	bool moved =
		strcmp(before->listen.host, config->listen.host) != 0 || before->listen.port != config->listen.port;
	bool same;
	int r = 0;

	config_endpoint_format(&config->listen, name, sizeof name);
	if (moved && listener_address(config->listen.host, config->listen.port, &address) == 0)
		r = listener_probe(&address, name, ret_failure);
	if (r < 0)
		return r;
	same = haproxy_conf_settings(before) == haproxy_conf_settings(config);
	balancer->config = config;
	if (!same && balancer->up)
		balancer_take_over(balancer);
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
	balancer->look_alarm = alarm_new(clock, balancer_on_look_alarm, balancer);
	balancer->restart_alarm = alarm_new(clock, on_restart_alarm, balancer);
	balancer->silent_alarm = alarm_new(clock, balancer_on_silent_alarm, balancer);
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
