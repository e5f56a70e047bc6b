/* haproxy_process.c: see haproxy_process.h. */
#define _GNU_SOURCE
#include "fleet/local/haproxy_process.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/process.h"
#include "fleet/local/adopt.h"
#include "fleet/local/haproxy_conf.h"
#include "fleet/local/haproxy_socket.h"
#include "fleet/local/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define START_DEADLINE_MS 5000
#define ASK_EVERY_MS 5
#define LOG_MAX_BYTES (1024 * 1024)

/*
 * Down:     pid 0.
 * Starting: pid set, `asking` true until its socket answers with that pid.
 * Up:       pid set, `asking` false.
 * Stopping: stop_cb set.
 */
struct haproxy_process {
	struct uv_loop_s *loop;
	struct clock *clock;
	struct process_set *processes;
	const struct programs *programs;
	char *folder;
	char *conf;
	struct haproxy_socket *socket;
	const struct haproxy_process_events *events;
	void *arg;
	pid_t pid;
	pid_t previous;              /* starting: the one whose sockets are taken over */
	struct process_watch *watch;
	struct alarm *alarm;         /* starting: ask again; stopping: the next signal */
	bool asking;
	bool again;                  /* another start was ordered meanwhile */
	uint64_t started_ms;
	off_t log_start;             /* where this start's messages begin */
	void (*stop_cb)(void *arg);
	void *stop_arg;
	int stop_signal;
	struct failure failure;      /* of a start that failed at once */
};

static void ask(struct haproxy_process *process);

/* --- Its log. */

static int open_log(struct haproxy_process *process)
{
	char *path = path_format("%s/haproxy.log", process->folder);
	struct stat info;
	int fd;

	if (path == NULL)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	free(path);
	if (fd < 0)
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fstat(fd, &info) == 0 && info.st_size > LOG_MAX_BYTES && ftruncate(fd, 0) == 0)
		info.st_size = 0;
	process->log_start = info.st_size;
	return fd;
}

/* The first alert since the start: "[ALERT] (123) : what is wrong". */
static void last_words(const struct haproxy_process *process, char *ret_text, size_t size)
{
	char *path = path_format("%s/haproxy.log", process->folder);
	char buffer[4096];
	const char *alert;
	ssize_t n = -1;
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	free(path);
	if (fd >= 0) {
		n = pread(fd, buffer, sizeof buffer - 1, process->log_start);
		close(fd);
	}
	buffer[n > 0 ? n : 0] = '\0';
	alert = strstr(buffer, "[ALERT]");
	alert = alert != NULL ? strstr(alert, " : ") : NULL;
	snprintf(ret_text, size, "%.*s", alert != NULL ? (int)strcspn(alert + 3, "\n") : 0,
		 alert != NULL ? alert + 3 : "");
}

/* --- Starting. */

static void report_up(struct haproxy_process *process, const struct failure *failure)
{
	process->asking = false;
	alarm_cancel(process->alarm);
	if (process->again) {
		process->again = false;
		haproxy_process_start(process);
		return;
	}
	process->events->up(process->arg, failure);
}

static void fail_start(struct haproxy_process *process, const char *how)
{
	struct failure failure;
	char words[256];

	last_words(process, words, sizeof words);
	failure_set(&failure, EIO, "HAProxy did not start (%s)%s%s: see %s/haproxy.log", how, words[0] != '\0' ? ": " : "",
		    words, process->folder);
	report_up(process, &failure);
}

static void stopped(struct haproxy_process *process)
{
	void (*cb)(void *arg) = process->stop_cb;

	process->stop_cb = NULL;
	alarm_cancel(process->alarm);
	cb(process->stop_arg);
}

static void on_exit_seen(void *arg, const char *how);

/* The one before has not let go of anything: it goes on. */
static void give_up_start(struct haproxy_process *process, const char *how)
{
	process_watch_stop(process->watch);
	process->watch = NULL;
	process_group_signal(process->pid, SIGKILL);
	process->pid = 0;
	if (process->previous != 0 && process_watch_start(process->processes, process->previous, on_exit_seen, process,
							  &process->watch) == 0)
		process->pid = process->previous;
	fail_start(process, how);
}

static void on_exit_seen(void *arg, const char *how)
{
	struct haproxy_process *process = arg;
	bool was_starting = process->asking;

	process->watch = NULL;
	process->pid = 0;
	if (process->stop_cb != NULL) {
		stopped(process);
	} else if (was_starting) {
		give_up_start(process, how);
	} else {
		process->events->died(process->arg, how);
	}
}

/* An answer of the HAProxy before this one does not count. */
static void on_answer(void *arg, int status, const char *reply)
{
	struct haproxy_process *process = arg;
	const char *line;

	if (!process->asking || process->stop_cb != NULL)
		return;
	line = status == 0 ? strstr(reply, "\nPid: ") : NULL;
	if (line != NULL && (pid_t)atoi(line + 6) == process->pid)
		report_up(process, NULL);
	else if (clock_mono_ms(process->clock) - process->started_ms > START_DEADLINE_MS)
		give_up_start(process, "no answer on its socket");
	else
		alarm_set(process->alarm, ASK_EVERY_MS);
}

static void ask(struct haproxy_process *process)
{
	haproxy_socket_send(process->socket, "show info", on_answer, process);
}

static void on_alarm(void *arg)
{
	struct haproxy_process *process = arg;

	if (process->stop_cb != NULL && process->pid == 0) {
		stopped(process);
	} else if (process->failure.message[0] != '\0') {
		struct failure failure = process->failure;

		process->failure.message[0] = '\0';
		report_up(process, &failure);
	} else if (process->stop_cb != NULL) {
		process_group_signal(process->pid, process->stop_signal);
		process->stop_signal = SIGKILL;
		alarm_set(process->alarm, 500);
	} else {
		ask(process);
	}
}

/* Watch a process from its start on.  Its end is seen even when it came before this. */
static void follow(struct haproxy_process *process, pid_t pid)
{
	int r;

	process->previous = process->pid;
	process->pid = pid;
	process->asking = true;
	process->started_ms = clock_mono_ms(process->clock);
	r = process_watch_start(process->processes, pid, on_exit_seen, process, &process->watch);
	if (r < 0) {
		process->pid = 0;
		failure_set(&process->failure, -r, "can't watch HAProxy (pid %d): %s", (int)pid, strerror(-r));
	}
	alarm_set(process->alarm, 0);
}

void haproxy_process_start(struct haproxy_process *process)
{
	char old[16];
	const char *const fresh_argv[] = { process->programs->haproxy, "-db", "-f", process->conf, NULL };
	const char *const next_argv[] = { process->programs->haproxy, "-db", "-f", process->conf,
					  "-x", "./" HAPROXY_SOCKET, "-sf", old, NULL };
	struct process_spec spec = {
		.path = process->programs->haproxy,
		.argv = (char *const *)(process->pid != 0 ? next_argv : fresh_argv),
		.folder = process->folder,
		.output = open_log(process),
	};
	pid_t pid;
	int r;

	/* One at a time: a third would not know of the first. */
	if (process->asking) {
		process->again = true;
		if (spec.output >= 0)
			close(spec.output);
		return;
	}
	snprintf(old, sizeof old, "%d", (int)process->pid);
	process_watch_stop(process->watch);
	process->watch = NULL;
	r = process_spawn(&spec, &pid, &process->failure);
	if (spec.output >= 0)
		close(spec.output);
	if (r < 0)
		alarm_set(process->alarm, 0);
	else
		follow(process, pid);
}

void haproxy_process_adopt(struct haproxy_process *process, pid_t pid)
{
	follow(process, pid);
}

void haproxy_process_hold(struct haproxy_process *process, pid_t pid)
{
	follow(process, pid);
	process->asking = false;
	alarm_cancel(process->alarm);
}

struct found {
	pid_t pid;
	uint64_t started;
};

static void on_found(void *arg, const char *rest, pid_t pid, pid_t pgid, bool leads)
{
	struct found *found = arg;
	uint64_t started = leads ? adopt_start_ticks(pid) : 0;

	(void)rest;
	(void)pgid;
	/* After a takeover the old one may still finish its requests: the newest is the one. */
	if (started > found->started)
		*found = (struct found){ .pid = pid, .started = started };
}

pid_t haproxy_process_find(const char *folder, uid_t uid)
{
	char *conf = path_format("%s/haproxy.cfg", folder);
	struct found found = { 0 };

	if (conf != NULL)
		adopt_scan(conf, uid, on_found, &found);
	free(conf);
	return found.pid;
}

/* One that was taken over from and still waits for its last request. */
static void end_leftover(void *arg, const char *rest, pid_t pid, pid_t pgid, bool leads)
{
	const struct haproxy_process *process = arg;

	(void)rest;
	(void)pgid;
	(void)leads;
	if (pid != process->pid)
		kill(pid, SIGTERM);
}

void haproxy_process_kill(struct haproxy_process *process)
{
	process_group_signal(process->pid, SIGKILL);
}

pid_t haproxy_process_pid(const struct haproxy_process *process)
{
	return process->pid;
}

void haproxy_process_stop(struct haproxy_process *process, uint64_t grace_ms, void (*cb)(void *arg), void *arg)
{
	process->stop_cb = cb;
	process->stop_arg = arg;
	process->asking = false;
	adopt_scan(process->conf, process->programs->haproxy_uid, end_leftover, process);
	if (process->pid == 0) {
		alarm_set(process->alarm, 0);
		return;
	}
	/* SIGUSR1: no new connection, end with the last request.  Management Guide, 4. */
	process_group_signal(process->pid, grace_ms > 0 ? SIGUSR1 : SIGTERM);
	process->stop_signal = SIGTERM;
	alarm_set(process->alarm, grace_ms > 0 ? grace_ms : 500);
}

struct haproxy_process *haproxy_process_new(struct uv_loop_s *loop, struct clock *clock, struct process_set *processes,
					    const struct programs *programs, const char *folder,
					    struct haproxy_socket *socket,
					    const struct haproxy_process_events *events, void *arg)
{
	struct haproxy_process *process = calloc(1, sizeof *process);

	if (process == NULL)
		return NULL;
	process->loop = loop;
	process->clock = clock;
	process->processes = processes;
	process->programs = programs;
	process->socket = socket;
	process->events = events;
	process->arg = arg;
	process->folder = path_format("%s", folder);
	process->conf = path_format("%s/haproxy.cfg", folder);
	process->alarm = alarm_new(clock, on_alarm, process);
	if (process->folder == NULL || process->conf == NULL || process->alarm == NULL) {
		haproxy_process_free(process);
		return NULL;
	}
	return process;
}

void haproxy_process_free(struct haproxy_process *process)
{
	if (process == NULL)
		return;
	process_watch_stop(process->watch);
	alarm_free(process->alarm);
	free(process->folder);
	free(process->conf);
	free(process);
}
