/* test_adopt.c: processes of ours, found in /proc by a word of theirs. */
#define _GNU_SOURCE
#include "fleet/local/adopt.h"

#include "folder_bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

struct seen {
	size_t count;
	char rest[16][64];
	pid_t pids[16];
	pid_t pgids[16];
	bool leads[16];
};

static void on_process(void *arg, const char *rest, pid_t pid, pid_t pgid, bool leads)
{
	struct seen *seen = arg;
	size_t i = seen->count++;

	assert_in_range(i, 0, 15);
	snprintf(seen->rest[i], sizeof seen->rest[i], "%s", rest);
	seen->pids[i] = pid;
	seen->pgids[i] = pgid;
	seen->leads[i] = leads;
}

static struct seen scan(const char *word, uid_t uid)
{
	struct seen seen = { 0 };

	adopt_scan(word, uid, on_process, &seen);
	return seen;
}

/* A process with the word as an argument, as `uid` when that is not ours; in a group of its own when `leads`. */
static pid_t start(const char *word, bool leads, uid_t uid)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (leads)
			setpgid(0, 0);
		if (uid != geteuid() && setresuid(uid, uid, uid) < 0)
			_exit(1);
		/* Stopped: it stays, and starts nothing. */
		execl("/bin/sh", "sh", "-c", "kill -STOP $$", "sh", word, "more", (char *)NULL);
		_exit(1);
	}
	close(ready[1]);
	/* Closed by exec. */
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(getpgid(pid) == pid ? -pid : pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A word that no other process of this machine has. */
static char *own_word(void **state, const char *rest)
{
	const struct folder_bench *bench = *state;

	return path_format("openbell=%s/instances/%s", bench->folder, rest);
}

static void found_with_what_follows_the_word(void **state)
{
	char *word = own_word(state, "");
	char *one = own_word(state, "web-00000001");
	pid_t pid = start(one, true, geteuid());
	struct seen seen = scan(word, geteuid());

	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.rest[0], "web-00000001");
	assert_int_equal(seen.pids[0], pid);
	assert_int_equal(seen.pgids[0], pid);
	assert_true(seen.leads[0]);
	end(pid);
	assert_int_equal(scan(word, geteuid()).count, 0);
	free(word);
	free(one);
}

/* "web-1" is not "web-10"; only a folder, with '/' at its end, stands for what is in it. */
static void a_whole_word(void **state)
{
	char *one = own_word(state, "web-1");
	char *ten = own_word(state, "web-10");
	char *part = own_word(state, "web-1 web-1");
	pid_t pid = start(ten, true, geteuid());
	pid_t other = start(part, true, geteuid());

	assert_int_equal(scan(one, geteuid()).count, 0);
	assert_int_equal(scan(ten, geteuid()).count, 1);
	assert_int_equal(scan(ten + 1, geteuid()).count, 0);
	end(pid);
	end(other);
	free(one);
	free(ten);
	free(part);
}

static void a_member_does_not_lead(void **state)
{
	char *word = own_word(state, "web-1");
	pid_t pid = start(word, false, geteuid());
	struct seen seen = scan(word, geteuid());

	assert_int_equal(seen.count, 1);
	assert_false(seen.leads[0]);
	assert_int_equal(seen.pgids[0], getpgrp());
	end(pid);
	free(word);
}

static void a_zombie_does_not_count(void **state)
{
	char *word = own_word(state, "web-1");
	pid_t pid = start(word, true, geteuid());
	siginfo_t info;

	kill(-pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(scan(word, geteuid()).count, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	free(word);
}

/* Another user must not get us to watch, or kill, what they like. */
static void another_users_words_are_not_ours(void **state)
{
	char *word = own_word(state, "web-1");
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = start(word, true, 65534);
	assert_int_equal(scan(word, 0).count, 0);
	assert_int_equal(scan(word, 65533).count, 0);
	assert_int_equal(scan(word, 65534).count, 1);
	end(pid);
	free(word);
}

static void when_it_started(void **state)
{
	char *word = own_word(state, "web-1");
	struct timespec now;
	int64_t now_ms, first_ms;
	pid_t first, second;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	first = start(word, true, geteuid());
	first_ms = adopt_started_ms(first);
	assert_in_range(first_ms, now_ms - 100, now_ms + 10000);
	assert_true(adopt_start_ticks(first) > 0);
	usleep(30000);
	second = start(word, true, geteuid());
	assert_true(adopt_start_ticks(second) > adopt_start_ticks(first));
	assert_in_range(adopt_started_ms(second) - first_ms, 10, 10000);
	end(first);
	end(second);
	assert_int_equal(adopt_start_ticks(first), 0);
	assert_int_equal(adopt_started_ms(first), 0);
	free(word);
}

/* Its name stands in the middle of what we read. */
static void a_name_full_of_brackets(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(symlink("/bin/sleep", ") R 1 2 3 ("), 0);
	pid = fork();
	if (pid == 0) {
		execl("./) R 1 2 3 (", "x", "1000", (char *)NULL);
		_exit(1);
	}
	while (adopt_start_ticks(pid) == 0)
		usleep(1000);
	assert_in_range(adopt_start_ticks(pid), adopt_start_ticks(getpid()), UINT64_MAX);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(found_with_what_follows_the_word), folder_test(a_whole_word),
		folder_test(a_member_does_not_lead),           folder_test(a_zombie_does_not_count),
		folder_test(another_users_words_are_not_ours), folder_test(when_it_started),
		folder_test(a_name_full_of_brackets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
