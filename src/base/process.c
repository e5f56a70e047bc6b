/* process.c: see process.h. */
#define _GNU_SOURCE
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define HOW_SIZE 64
#define HURRY_NICE (-10)
#define SIGNALS 64

/*
 * Watching: cb set, `pidfd` polled, in the set's list.
 * Stopped:  cb NULL, the poll is closing; its close callback frees.
 */
struct process_watch {
	struct process_set *set;
	struct process_watch *next;
	pid_t pid;
	int pidfd;
	process_exit_cb *cb;
	void *arg;
	uv_poll_t poll;
};

struct process_set {
	uv_loop_t *loop;
	uv_signal_t child;
	struct process_watch *watches;
};

/* --- Starting.  Between fork and exec only what is safe after a fork of a threaded process. */

static void child_fail(int report)
{
	int error = errno;

	while (write(report, &error, sizeof error) < 0 && errno == EINTR)
		;
	_exit(127);
}

/*
 * Of a group (0: our own), and of its session, which the kernel may schedule
 * as one (sched(7), autogroups).  Raising it is refused to who is not root,
 * which is no reason not to go on.
 */
static void set_nice(pid_t pgid, int nice)
{
	char path[40] = "/proc/self/autogroup";
	char text[8];
	int fd;

	setpriority(PRIO_PGRP, (id_t)pgid, nice);
	if (pgid != 0)
		snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pgid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(text, sizeof text, "%d", nice);
	if (write(fd, text, strlen(text)) < 0) {
		/* As above. */
	}
	close(fd);
}

/* All of them: signal() leaves out those that the C library keeps for itself, which may have come to us ignored. */
static void reset_signals(void)
{
	/* The kernel's struct sigaction, all of it zero: SIG_DFL. */
	static const unsigned long action[4];
	int number;

	for (number = 1; number <= SIGNALS; number++)
		syscall(SYS_rt_sigaction, number, action, NULL, SIGNALS / 8);
}

static void child_exec(const struct process_spec *spec, int input, int report)
{
	static char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					     "LANG=C", NULL };
	sigset_t none;

	reset_signals();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setsid() < 0 || chdir(spec->folder) < 0)
		child_fail(report);
	if (spec->hurry)
		set_nice(0, HURRY_NICE);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(spec->output, STDOUT_FILENO) < 0 ||
	    dup2(spec->output, STDERR_FILENO) < 0)
		child_fail(report);
	/* Also what a library opened without close-on-exec; the report must stay until exec. */
	syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	if (spec->drop && (setgroups(0, NULL) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
			   setresuid(spec->uid, spec->uid, spec->uid) < 0))
		child_fail(report);
	execve(spec->path, spec->argv, environment);
	child_fail(report);
}

/* Above the standard descriptors, so that dup2 in the child never overwrites them. */
static int open_report(int fds[2])
{
	int i;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	for (i = 0; i < 2; i++) {
		int high;

		if (fds[i] > STDERR_FILENO)
			continue;
		high = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (high < 0) {
			int r = -errno;

			close(fds[0]);
			close(fds[1]);
			return r;
		}
		close(fds[i]);
		fds[i] = high;
	}
	return 0;
}

static int wait_for_exec(int report)
{
	int error = 0;
	ssize_t n;

	do
		n = read(report, &error, sizeof error);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof error ? error : 0;
}

int process_spawn(const struct process_spec *spec, pid_t *ret_pid, struct failure *ret_failure)
{
	int report[2] = { -1, -1 };
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int error = 0;
	sigset_t all;
	sigset_t before;
	pid_t pid;

	if (input < 0)
		return failure_set(ret_failure, errno, "can't open /dev/null: %s", strerror(errno));
	error = -open_report(report);
	if (error != 0) {
		close(input);
		return failure_set(ret_failure, error, "can't start %s: %s", spec->path, strerror(error));
	}
	/* No handler of ours may run in the child before it has reset them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_exec(spec, input, report[1]);
	if (pid < 0)
		error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(report[1]);
	close(input);
	if (pid > 0) {
		error = wait_for_exec(report[0]);
		if (error != 0)
			waitpid(pid, NULL, 0);
	}
	close(report[0]);
	if (error != 0)
		return failure_set(ret_failure, error, "can't start %s: %s", spec->path, strerror(error));
	*ret_pid = pid;
	return 0;
}

void process_group_relax(pid_t pgid)
{
	if (pgid > 1)
		set_nice(pgid, getpriority(PRIO_PROCESS, 0));
}

void process_group_signal(pid_t pgid, int signal_number)
{
	if (pgid > 1)
		kill(-pgid, signal_number);
}

/* --- Watching. */

static void on_poll_closed(uv_handle_t *handle)
{
	struct process_watch *watch = handle->data;

	close(watch->pidfd);
	free(watch);
}

static void watch_dispose(struct process_watch *watch)
{
	struct process_watch **link = &watch->set->watches;

	while (*link != NULL && *link != watch)
		link = &(*link)->next;
	if (*link != NULL)
		*link = watch->next;
	watch->cb = NULL;
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, on_poll_closed);
}

static void describe_exit(int status, char *ret_how, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(ret_how, size, "killed by signal %d%s", WTERMSIG(status),
			 WCOREDUMP(status) ? " (core dumped)" : "");
	else
		snprintf(ret_how, size, "exit status %d", WEXITSTATUS(status));
}

static void watch_report(struct process_watch *watch)
{
	process_exit_cb *cb = watch->cb;
	void *arg = watch->arg;
	char how[HOW_SIZE] = "ended";
	int status;

	if (waitpid(watch->pid, &status, WNOHANG) == watch->pid)
		describe_exit(status, how, sizeof how);
	watch_dispose(watch);
	cb(arg, how);
}

static void on_pidfd(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	watch_report(poll->data);
}

int process_watch_start(struct process_set *set, pid_t pid, process_exit_cb *cb, void *arg,
			struct process_watch **ret_watch)
{
	struct process_watch *watch = calloc(1, sizeof *watch);
	int r;

	if (watch == NULL)
		return -ENOMEM;
	watch->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (watch->pidfd < 0) {
		r = -errno;
		free(watch);
		return r;
	}
	fcntl(watch->pidfd, F_SETFD, FD_CLOEXEC);
	r = uv_poll_init(set->loop, &watch->poll, watch->pidfd);
	if (r < 0) {
		close(watch->pidfd);
		free(watch);
		return r;
	}
	watch->set = set;
	watch->pid = pid;
	watch->cb = cb;
	watch->arg = arg;
	watch->poll.data = watch;
	uv_poll_start(&watch->poll, UV_READABLE, on_pidfd);
	watch->next = set->watches;
	set->watches = watch;
	*ret_watch = watch;
	return 0;
}

void process_watch_stop(struct process_watch *watch)
{
	if (watch != NULL && watch->cb != NULL)
		watch_dispose(watch);
}

/* --- Reaping: orphans that came to us as their subreaper; a watched child is left to its watch. */

static struct process_watch *find_watch(const struct process_set *set, pid_t pid)
{
	struct process_watch *watch = set->watches;

	while (watch != NULL && watch->pid != pid)
		watch = watch->next;
	return watch;
}

static void on_child(uv_signal_t *handle, int number)
{
	struct process_set *set = handle->data;

	(void)number;
	for (;;) {
		siginfo_t info = { 0 };
		struct process_watch *watch;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		watch = find_watch(set, info.si_pid);
		if (watch != NULL)
			watch_report(watch);
		else
			waitpid(info.si_pid, NULL, WNOHANG);
	}
}

struct process_set *process_set_new(uv_loop_t *loop)
{
	struct process_set *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	set->loop = loop;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	uv_signal_init(loop, &set->child);
	set->child.data = set;
	uv_signal_start(&set->child, on_child, SIGCHLD);
	uv_unref((uv_handle_t *)&set->child);
	return set;
}

static void on_set_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void process_set_free(struct process_set *set)
{
	if (set == NULL)
		return;
	uv_signal_stop(&set->child);
	uv_close((uv_handle_t *)&set->child, on_set_closed);
}
