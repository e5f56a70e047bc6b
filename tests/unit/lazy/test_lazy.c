/* test_lazy.c: each test is a child process, in which nothing was loaded yet. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gone.h"
#include "plain.h"

#define THREADS 8

static bool is_mapped(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	bool found = false;

	while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
		found = found || strstr(line, name) != NULL;
	if (maps != NULL)
		fclose(maps);
	return found;
}

static bool loads_at_first_call(void)
{
	return !is_mapped("libplain.so.1") && plain_count() == 1 && is_mapped("libplain.so.1") && plain_count() == 2 &&
	       !is_mapped("libgone");
}

static bool integers(void)
{
	return plain_integers(-1, 1L << 40, 'c', -4, 5, -6, 7, 8, 9, -(1L << 50));
}

static bool doubles(void)
{
	return plain_doubles(1.5, 2.5f, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5);
}

static bool long_double(void)
{
	return plain_long_double(1.25L, 7);
}

static bool variadic_doubles(void)
{
	return plain_sum(10, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.5) == 55.5;
}

static bool variadic_mixture(void)
{
	char text[64];

	return plain_print(text, sizeof text, "%d %.1f %s %ld %.2f %c", 1, 2.5, "three", 4L, 5.25, '6') == 20 &&
	       strcmp(text, "1 2.5 three 4 5.25 6") == 0;
}

static bool struct_returned(void)
{
	struct plain_big big = plain_returns_big(10);

	return big.numbers[0] == 10 && big.numbers[7] == 17;
}

static bool struct_taken(void)
{
	struct plain_big big = {{1, 2, 3, 4, 5, 6, 7, 8}};

	return plain_takes_big(big) == 36;
}

static bool errno_kept(void)
{
	errno = EXDEV;
	return plain_keeps_errno() == EXDEV;
}

static bool by_address(void)
{
	int (*volatile function)(void) = plain_count;

	return !is_mapped("libplain.so.1") && function() == 1 && function == plain_count && plain_count() == 2;
}

static void *call_once(void *barrier)
{
	pthread_barrier_wait(barrier);
	return plain_count() > 0 ? barrier : NULL;
}

static bool from_many_threads(void)
{
	pthread_barrier_t barrier;
	pthread_t threads[THREADS];
	bool all = true;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		all = pthread_create(&threads[i], NULL, call_once, &barrier) == 0 && all;
	for (int i = 0; i < THREADS; i++) {
		void *result = NULL;

		all = pthread_join(threads[i], &result) == 0 && result != NULL && all;
	}
	return all && plain_count() == THREADS + 1;
}

static bool missing(void)
{
	return gone_function() != 0;
}

/* aged_old alone is there, and yet it can't be called: a library that is too old is found before anything was done. */
static bool too_old(void)
{
	return aged_old() + aged_new() != 0;
}

/* Runs in a child; gives its exit status (0: the function said true) and what it wrote to standard error. */
static int in_child(bool (*function)(void), char *errors, size_t size)
{
	int ends[2];
	size_t length = 0;
	ssize_t n;
	int status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		_exit(function() ? 0 : 99);
	}
	close(ends[1]);
	while (length < size - 1 && (n = read(ends[0], errors + length, size - 1 - length)) > 0)
		length += (size_t)n;
	errors[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void passes(void **state)
{
	char errors[4096];
	int status = in_child(*state, errors, sizeof errors);

	assert_string_equal(errors, "");
	assert_int_equal(status, 0);
}

static void missing_library_is_named(void **state)
{
	char errors[4096];

	assert_int_equal(in_child(missing, errors, sizeof errors), 1);
	assert_string_equal(errors, "openbell: libgone.so.7 is not installed: apt-get install gone-package\n");
}

static void old_library_is_named(void **state)
{
	char errors[4096];

	assert_int_equal(in_child(too_old, errors, sizeof errors), 1);
	assert_string_equal(errors, "openbell: libaged.so.3 has no aged_new, it is too old: "
				    "apt-get install aged-package\n");
}

#define IN_CHILD(function) {#function, passes, NULL, NULL, (void *)(function)}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CHILD(loads_at_first_call),
		IN_CHILD(integers),
		IN_CHILD(doubles),
		IN_CHILD(long_double),
		IN_CHILD(variadic_doubles),
		IN_CHILD(variadic_mixture),
		IN_CHILD(struct_returned),
		IN_CHILD(struct_taken),
		IN_CHILD(errno_kept),
		IN_CHILD(by_address),
		IN_CHILD(from_many_threads),
		cmocka_unit_test(missing_library_is_named),
		cmocka_unit_test(old_library_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
