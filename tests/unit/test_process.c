/* test_process.c: processes started, their ends seen, and what they leave behind reaped. */
#define _GNU_SOURCE
#include "base/process.h"

#include "folder_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <uv.h>

/* Each test has a loop of its own, which must be empty at its end. */
struct bench {
	struct folder_bench *folder;
	uv_loop_t loop;
	uv_timer_t deadline;
	struct process_set *set;
	int output;
	unsigned ends;
	char how[64];
};

static int enter(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	folder_enter((void **)&bench->folder);
	uv_loop_init(&bench->loop);
	uv_timer_init(&bench->loop, &bench->deadline);
	bench->set = process_set_new(&bench->loop);
	bench->output = open("output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	*state = bench;
	return 0;
}

static int leave(void **state)
{
	struct bench *bench = *state;

	process_set_free(bench->set);
	uv_close((uv_handle_t *)&bench->deadline, NULL);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	close(bench->output);
	folder_leave((void **)&bench->folder);
	free(bench);
	return 0;
}

static void on_end(void *arg, const char *how)
{
	struct bench *bench = arg;

	bench->ends++;
	snprintf(bench->how, sizeof bench->how, "%s", how);
	uv_stop(&bench->loop);
}

static void on_deadline(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void run_for(struct bench *bench, uint64_t ms)
{
	uv_timer_start(&bench->deadline, on_deadline, ms, 0);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	uv_timer_stop(&bench->deadline);
}

static int start(const struct bench *bench, const char *script, pid_t *ret_pid)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct process_spec spec = {
		.path = "/bin/sh", .argv = (char *const *)argv, .folder = bench->folder->folder, .output = bench->output
	};
	struct failure failure;

	return process_spawn(&spec, ret_pid, &failure);
}

static struct process_watch *start_watched(struct bench *bench, const char *script, pid_t *ret_pid)
{
	struct process_watch *watch = NULL;

	assert_int_equal(start(bench, script, ret_pid), 0);
	assert_int_equal(process_watch_start(bench->set, *ret_pid, on_end, bench, &watch), 0);
	return watch;
}

static void assert_gone(pid_t pid)
{
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void each_end_is_told_as_it_was(void **state)
{
	static const struct {
		const char *script, *how;
	} table[] = {
		{ "exit 0", "exit status 0" },
		{ "exit 3", "exit status 3" },
		{ "kill -9 $$", "killed by signal 9" },
		{ "kill -15 $$", "killed by signal 15" },
	};
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		pid_t pid;

		start_watched(bench, table[i].script, &pid);
		run_for(bench, 5000);
		assert_int_equal(bench->ends, i + 1);
		assert_string_equal(bench->how, table[i].how);
		assert_gone(pid);
	}
}

/* Its end may come before it is watched. */
static void an_end_before_the_watch(void **state)
{
	struct bench *bench = *state;
	siginfo_t info;
	struct process_watch *watch;
	pid_t pid;

	assert_int_equal(start(bench, "exit 7", &pid), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_watch_start(bench->set, pid, on_end, bench, &watch), 0);
	run_for(bench, 5000);
	assert_string_equal(bench->how, "exit status 7");
}

static void what_can_not_be_started(void **state)
{
	struct bench *bench = *state;
	const char *const argv[] = { "x", NULL };
	struct process_spec spec = { .argv = (char *const *)argv,
				     .folder = bench->folder->folder,
				     .output = bench->output };
	struct failure failure;
	pid_t pid = 77;

	spec.path = "/nowhere/at/all";
	assert_int_equal(process_spawn(&spec, &pid, &failure), -ENOENT);
	assert_string_equal(failure.message, "can't start /nowhere/at/all: No such file or directory");
	spec.path = "/etc/passwd";
	assert_int_equal(process_spawn(&spec, &pid, &failure), -EACCES);
	spec.path = "/bin/true";
	spec.folder = "/nowhere";
	assert_int_equal(process_spawn(&spec, &pid, &failure), -ENOENT);
	assert_int_equal(pid, 77);
	/* The child that could not become it is no zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void assert_output(const struct bench *bench, const char *script, const char *expected)
{
	pid_t pid;

	(void)bench;
	assert_int_equal(ftruncate(bench->output, 0), 0);
	assert_int_equal(start(bench, script, &pid), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	folder_assert_text("output", expected);
}

/* It gets nothing of ours: no descriptor, no environment, no signal that we ignore or block. */
static void it_gets_nothing_of_ours(void **state)
{
	struct bench *bench = *state;
	int leak = open("/dev/null", O_RDONLY);
	sigset_t blocked;

	setenv("SECRET", "x", 1);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	assert_true(leak > 2);
	/* `ls` itself opens 3. */
	assert_output(bench, "exec ls /proc/self/fd", "0\n1\n2\n3\n");
	assert_output(bench, "readlink /proc/self/fd/0", "/dev/null\n");
	assert_output(bench, "exec env | sort | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_=",
		      "LANG=C\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
	assert_output(bench, "grep -e ^SigBlk -e ^SigIgn /proc/self/status",
		      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGUSR1, SIG_DFL);
	unsetenv("SECRET");
	close(leak);
}

static void it_leads_a_group_and_a_session(void **state)
{
	struct bench *bench = *state;
	pid_t pid;

	assert_int_equal(start(bench, "sleep 1000 & wait", &pid), 0);
	assert_int_equal(getpgid(pid), pid);
	assert_int_equal(getsid(pid), pid);
	process_group_signal(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* What is gone, and what is no group, is left alone. */
	process_group_signal(pid, SIGKILL);
	process_group_signal(1, SIGKILL);
	process_group_signal(0, SIGKILL);
	process_group_signal(-1, SIGKILL);
}

static void as_somebody_else(void **state)
{
	struct bench *bench = *state;
	const char *const argv[] = { "sh", "-c", "id -u; id -G", NULL };
	struct process_spec spec = { .path = "/bin/sh",
				     .argv = (char *const *)argv,
				     .folder = "/",
				     .output = bench->output,
				     .drop = true,
				     .uid = 65534,
				     .gid = 65533 };
	struct failure failure;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	/* A group that it must not keep. */
	assert_int_equal(setgroups(1, &(gid_t){ 12345 }), 0);
	assert_int_equal(process_spawn(&spec, &pid, &failure), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	folder_assert_text("output", "65534\n65533\n");
	assert_int_equal(setgroups(0, NULL), 0);
}

static void a_stopped_watch_is_silent(void **state)
{
	struct bench *bench = *state;
	struct process_watch *watch;
	pid_t pid;

	watch = start_watched(bench, "exec sleep 1000", &pid);
	process_watch_stop(watch);
	process_watch_stop(NULL);
	kill(pid, SIGKILL);
	run_for(bench, 100);
	assert_int_equal(bench->ends, 0);
	/* Reaped all the same. */
	assert_gone(pid);
}

static void nobody_to_watch(void **state)
{
	struct bench *bench = *state;
	struct process_watch *watch = NULL;
	pid_t pid;

	assert_int_equal(start(bench, "exit 0", &pid), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_watch_start(bench->set, pid, on_end, bench, &watch), -ESRCH);
	assert_null(watch);
}

/* The workers of an httpd whose leader was killed come to us, and must not stay zombies. */
static void orphans_are_reaped(void **state)
{
	struct bench *bench = *state;
	siginfo_t info;
	char *text;
	pid_t pid, orphan;
	unsigned tries;

	start_watched(bench, "sleep 1000 & echo $!; exit 0", &pid);
	run_for(bench, 5000);
	assert_string_equal(bench->how, "exit status 0");
	assert_int_equal(path_read("output", 100, &text, NULL), 0);
	orphan = (pid_t)atoi(text);
	free(text);
	/* It is our child now. */
	assert_int_equal(waitid(P_PID, (id_t)orphan, &info, WEXITED | WNOWAIT | WNOHANG), 0);
	kill(orphan, SIGKILL);
	for (tries = 0; tries < 500 && kill(orphan, 0) == 0; tries++)
		run_for(bench, 10);
	assert_gone(orphan);
	assert_int_equal(bench->ends, 1);
}

/* One that the controller before us started: its end is seen, but not how it was. */
static void a_process_that_is_no_child(void **state)
{
	struct bench *bench = *state;
	struct process_watch *watch;
	int ends[2];
	pid_t parent, pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		/* Its death must not end us: then it would become the watcher's. */
		signal(SIGCHLD, SIG_DFL);
		if (write(ends[1], &pid, sizeof pid) != (ssize_t)sizeof pid)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &pid, sizeof pid), (ssize_t)sizeof pid);
	assert_int_equal(process_watch_start(bench->set, pid, on_end, bench, &watch), 0);
	kill(pid, SIGKILL);
	run_for(bench, 5000);
	assert_int_equal(bench->ends, 1);
	assert_string_equal(bench->how, "ended");
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

static void many_at_once(void **state)
{
	struct bench *bench = *state;
	pid_t pids[30];
	size_t i;

	for (i = 0; i < 30; i++)
		start_watched(bench, "exec sleep 1000", &pids[i]);
	for (i = 0; i < 30; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < 500 && bench->ends < 30; i++)
		run_for(bench, 100);
	assert_int_equal(bench->ends, 30);
	for (i = 0; i < 30; i++)
		assert_gone(pids[i]);
}

#define bench_test(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(each_end_is_told_as_it_was),
		bench_test(an_end_before_the_watch),
		bench_test(what_can_not_be_started),
		bench_test(it_gets_nothing_of_ours),
		bench_test(it_leads_a_group_and_a_session),
		bench_test(as_somebody_else),
		bench_test(a_stopped_watch_is_silent),
		bench_test(nobody_to_watch),
		bench_test(orphans_are_reaped),
		bench_test(a_process_that_is_no_child),
		bench_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
