/* folder_bench.h: a folder of its own for each test, which is also the working directory. */
#ifndef TESTS_UNIT_FOLDER_BENCH_H
#define TESTS_UNIT_FOLDER_BENCH_H

#include "base/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct folder_bench {
	char folder[32];
	char *before;
};

static int folder_enter(void **state)
{
	struct folder_bench *bench = calloc(1, sizeof *bench);

	strcpy(bench->folder, "/tmp/openbell-XXXXXX");
	bench->before = getcwd(NULL, 0);
	assert_non_null(mkdtemp(bench->folder));
	assert_int_equal(chdir(bench->folder), 0);
	*state = bench;
	return 0;
}

static int folder_leave(void **state)
{
	struct folder_bench *bench = *state;

	assert_int_equal(chdir(bench->before), 0);
	assert_int_equal(path_remove_tree(bench->folder), 0);
	free(bench->before);
	free(bench);
	return 0;
}

#define folder_test(function) cmocka_unit_test_setup_teardown(function, folder_enter, folder_leave)

static inline void folder_write(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(path_write(path, text, strlen(text), mode, false), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline mode_t folder_mode(const char *path)
{
	struct stat info;

	assert_int_equal(lstat(path, &info), 0);
	return info.st_mode & 07777;
}

static inline bool folder_has(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0;
}

static inline void folder_assert_text(const char *path, const char *expected)
{
	char *text;

	assert_int_equal(path_read(path, 1 << 20, &text, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

#endif
