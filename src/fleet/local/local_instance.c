/* local_instance.c: the life of one httpd, as local_internal.h lists its phases. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/path.h"
#include "base/process.h"
#include "fleet/local/adopt.h"
#include "fleet/local/balancer.h"
#include "fleet/local/httpd.h"
#include "fleet/local/listener.h"
#include "fleet/local/local_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ASK_EVERY_MS 2
#define CLEAR_DEADLINE_MS 3000
#define LISTEN_DEADLINE_MS 10000
#define STOP_DEADLINE_MS 2000

static void enter(struct local_instance *instance, enum local_phase phase, uint64_t alarm_ms)
{
	instance->phase = phase;
	instance->phase_since_ms = clock_mono_ms(instance->local->clock);
	alarm_set(instance->alarm, alarm_ms);
}

static uint64_t phase_age_ms(const struct local_instance *instance)
{
	return clock_mono_ms(instance->local->clock) - instance->phase_since_ms;
}

/* A leader that is killed leaves its worker serving and holding the port: the group goes as a whole. */
static void kill_group(struct local_instance *instance)
{
	process_watch_stop(instance->watch);
	instance->watch = NULL;
	process_group_signal(instance->pgid, SIGKILL);
	instance->pgid = 0;
	instance->base.pid = 0;
}

static void report_died(struct local_instance *instance, const char *how)
{
	struct local *local = instance->local;

	instance->phase = LOCAL_OFF;
	alarm_cancel(instance->alarm);
	balancer_hold(local->balancer, instance->base.id);
	local->base.events->died(local->base.arg, &instance->base, how);
}

/* --- Starting. */

static void on_exit_seen(void *arg, const char *how);

static void spawn(struct local_instance *instance)
{
	struct local *local = instance->local;
	char *mark = path_format("%s%s", local->mark, instance->base.id);
	struct failure failure;
	pid_t pid = 0;
	int r = mark != NULL ? httpd_spawn(instance->folder, mark, &local->programs, &pid, &failure)
			     : failure_set(&failure, ENOMEM, "no memory");

	free(mark);
	if (r == 0) {
		instance->pgid = pid;
		r = process_watch_start(local->processes, pid, on_exit_seen, instance, &instance->watch);
		if (r < 0)
			failure_set(&failure, -r, "can't watch httpd (pid %d): %s", (int)pid, strerror(-r));
	}
	if (r < 0) {
		kill_group(instance);
		report_died(instance, failure.message);
		return;
	}
	instance->base.pid = pid;
	instance->base.since_ms = clock_utc_ms(local->clock);
	enter(instance, LOCAL_STARTING, ASK_EVERY_MS);
}

static void on_clearing(struct local_instance *instance)
{
	struct failure failure;

	if (!listener_accepts(&instance->base.sockaddr)) {
		spawn(instance);
	} else if (phase_age_ms(instance) < CLEAR_DEADLINE_MS) {
		alarm_set(instance->alarm, ASK_EVERY_MS);
	} else if (listener_probe(&instance->base.sockaddr, instance->base.address, &failure) < 0) {
		report_died(instance, failure.message);
	} else {
		spawn(instance);
	}
}

static void on_starting(struct local_instance *instance)
{
	struct local *local = instance->local;

	if (listener_accepts(&instance->base.sockaddr)) {
		instance->phase = LOCAL_RUNNING;
		local->base.events->listening(local->base.arg, &instance->base);
	} else if (phase_age_ms(instance) < LISTEN_DEADLINE_MS) {
		alarm_set(instance->alarm, ASK_EVERY_MS);
	} else {
		kill_group(instance);
		report_died(instance, "did not listen within 10 s of its start");
	}
}

void local_instance_start(struct local_instance *instance)
{
	kill_group(instance);
	instance->refreshing = false;
	enter(instance, LOCAL_CLEARING, 0);
}

void local_instance_adopt(struct local_instance *instance, pid_t pid)
{
	instance->pgid = pid;
	if (process_watch_start(instance->local->processes, pid, on_exit_seen, instance, &instance->watch) < 0)
		return;
	instance->base.pid = pid;
	instance->base.since_ms = adopt_started_ms(pid);
	instance->phase = LOCAL_RUNNING;
}

/* --- Ending. */

/* Logs wait outside the instance for their archive; an empty one has nothing to say. */
static void keep_logs(const struct local_instance *instance)
{
	static const char *const names[] = { "access.log", "error.log" };
	char *from = path_format("%s/logs", instance->folder);
	char *pending = path_format("%s/pending", instance->local->folder);
	char *to = path_format("%s/pending/%s", instance->local->folder, instance->base.id);
	struct stat info;
	size_t i;

	if (from != NULL && pending != NULL && to != NULL) {
		for (i = 0; i < 2; i++) {
			char *log = path_format("%s/%s", from, names[i]);

			if (log != NULL && lstat(log, &info) == 0 && info.st_size == 0)
				unlink(log);
			free(log);
		}
		if (rmdir(from) < 0 && errno != ENOENT && path_make_folders(pending, 0700) == 0)
			rename(from, to);
	}
	free(from);
	free(pending);
	free(to);
}

static void finish(struct local_instance *instance)
{
	struct local *local = instance->local;

	keep_logs(instance);
	path_remove_tree(instance->folder);
	local->base.events->gone(local->base.arg, &instance->base);
	local_instance_free(instance);
	local_instance_gone(local);
}

/* Its process has ended, and with it whatever could write to its logs. */
static void ended(struct local_instance *instance)
{
	kill_group(instance);
	enter(instance, LOCAL_LEAVING, 0);
	alarm_cancel(instance->alarm);
	if (balancer_is_up(instance->local->balancer) && !instance->local->shutting_down)
		balancer_remove(instance->local->balancer, instance->base.id);
	else
		alarm_set(instance->alarm, 0);
}

void local_instance_stop(struct local_instance *instance)
{
	/* The balancer that was to forget it has gone itself. */
	if (instance->phase == LOCAL_LEAVING && instance->local->shutting_down)
		alarm_set(instance->alarm, 0);
	if (instance->phase >= LOCAL_STOPPING)
		return;
	instance->refreshing = false;
	balancer_hold(instance->local->balancer, instance->base.id);
	if (instance->base.pid == 0) {
		enter(instance, LOCAL_STOPPING, 0);
		return;
	}
	kill(instance->base.pid, SIGTERM);
	/* Who was stopped could not end. */
	process_group_signal(instance->pgid, SIGCONT);
	enter(instance, LOCAL_STOPPING, STOP_DEADLINE_MS);
}

void local_instance_removed(struct local_instance *instance)
{
	if (instance->phase == LOCAL_LEAVING)
		finish(instance);
}

/* On a full disk httpd can't even say why it does not start. */
static void last_words(const struct local_instance *instance, char *ret_text, size_t size)
{
	struct statvfs disk;

	httpd_last_words(instance->folder, ret_text, size);
	if (statvfs(instance->folder, &disk) == 0 && disk.f_bavail == 0)
		snprintf(ret_text, size, "the disk of %.100s is full", instance->local->folder);
}

static void on_exit_seen(void *arg, const char *how)
{
	struct local_instance *instance = arg;
	bool starting = instance->phase == LOCAL_STARTING;
	char words[160] = "";
	char text[256];

	instance->watch = NULL;
	kill_group(instance);
	if (instance->phase == LOCAL_STOPPING) {
		ended(instance);
		return;
	}
	if (starting)
		last_words(instance, words, sizeof words);
	snprintf(text, sizeof text, "%s%s%s", how, words[0] != '\0' ? ": " : "", words);
	report_died(instance, text);
}

void local_instance_refreshed(struct local_instance *instance, const struct failure *failure)
{
	instance->refreshing = true;
	instance->failure = failure != NULL ? *failure : (struct failure){ 0 };
	alarm_set(instance->alarm, 0);
}

static void on_alarm(void *arg)
{
	struct local_instance *instance = arg;
	struct local *local = instance->local;

	switch (instance->phase) {
	case LOCAL_CLEARING:
		on_clearing(instance);
		break;
	case LOCAL_STARTING:
		on_starting(instance);
		break;
	case LOCAL_STOPPING:
		ended(instance);
		break;
	case LOCAL_LEAVING:
		finish(instance);
		break;
	case LOCAL_OFF:
	case LOCAL_RUNNING:
		if (!instance->refreshing)
			break;
		instance->refreshing = false;
		local->base.events->refreshed(local->base.arg, &instance->base,
					      instance->failure.message[0] != '\0' ? &instance->failure : NULL);
		break;
	}
}

/* --- The list. */

struct local_instance *local_instance_new(struct local *local, const char *id, const char *address)
{
	struct local_instance *instance = calloc(1, sizeof *instance);
	struct instance **link = &local->base.instances;
	char host[ENTRY_ADDRESS_SIZE];

	if (instance == NULL)
		return NULL;
	instance->local = local;
	instance->alarm = alarm_new(local->clock, on_alarm, instance);
	snprintf(host, sizeof host, "%.*s", (int)strcspn(address, ":"), address);
	if (instance->alarm == NULL ||
	    snprintf(instance->folder, sizeof instance->folder, "%s/%s", local->instances, id) >= PATH_MAX ||
	    listener_address(host, HTTPD_PORT, &instance->base.sockaddr) < 0) {
		alarm_free(instance->alarm);
		free(instance);
		return NULL;
	}
	snprintf(instance->base.id, sizeof instance->base.id, "%s", id);
	snprintf(instance->base.address, sizeof instance->base.address, "%s", address);
	instance->base.state = INSTANCE_PENDING;
	instance->base.since_ms = clock_utc_ms(local->clock);
	while (*link != NULL)
		link = &(*link)->next;
	*link = &instance->base;
	return instance;
}

void local_instance_free(struct local_instance *instance)
{
	struct instance **link = &instance->local->base.instances;

	while (*link != NULL && *link != &instance->base)
		link = &(*link)->next;
	if (*link != NULL)
		*link = instance->base.next;
	process_watch_stop(instance->watch);
	alarm_free(instance->alarm);
	free(instance);
}
