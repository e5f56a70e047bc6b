/* test_path.c: files and folders, whole and safely. */
#define _GNU_SOURCE
#include "base/path.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char folder[32];
	char *before;
};

static int enter(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	strcpy(place->folder, "/tmp/openbell-XXXXXX");
	place->before = getcwd(NULL, 0);
	assert_non_null(mkdtemp(place->folder));
	assert_int_equal(chdir(place->folder), 0);
	*state = place;
	return 0;
}

static int leave(void **state)
{
	struct place *place = *state;

	assert_int_equal(chdir(place->before), 0);
	assert_int_equal(path_remove_tree(place->folder), 0);
	free(place->before);
	free(place);
	return 0;
}

static void paths_become_absolute(void **state)
{
	static const struct {
		const char *folder, *path, *absolute;
	} table[] = {
		{ "/srv", "site/", "/srv/site/" }, { "/srv", "./site", "/srv/site" },   { "/srv", ".//./x", "/srv/x" },
		{ "/srv", "../x", "/srv/../x" },   { "/", "x", "/x" },                  { "/srv", ".", "/srv" },
		{ "/srv", "./", "/srv" },          { "/srv", "", "/srv" },              { "/srv", "/etc/x", "/etc/x" },
		{ "/srv", "~", "/home/ops" },      { "/srv", "~/x", "/home/ops/x" },    { "/srv", "~bob", "/srv/~bob" },
		{ "/srv", ".hidden", "/srv/.hidden" },
	};
	size_t i;

	setenv("HOME", "/home/ops", 1);
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		char *path = path_absolute(table[i].folder, table[i].path);

		assert_string_equal(path, table[i].absolute);
		free(path);
	}
}

static void a_missing_home_is_looked_up(void **state)
{
	char *path;

	setenv("HOME", "not/absolute", 1);
	path = path_absolute("/srv", "~/x");
	assert_int_equal(path[0], '/');
	free(path);
	unsetenv("HOME");
	path = path_absolute("/srv", "~/x");
	assert_int_equal(path[0], '/');
	free(path);
}

static void folders_are_made(void **state)
{
	struct place *place = *state;
	char *path = path_format("%s/a/b//c/", place->folder);
	struct stat info;

	assert_int_equal(path_make_folders(path, 0700), 0);
	assert_int_equal(stat("a/b/c", &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(chmod("a/b", 0750), 0);
	assert_int_equal(path_make_folders(path, 0700), 0);
	assert_int_equal(stat("a/b", &info), 0);
	assert_int_equal(info.st_mode & 0777, 0750);
	free(path);
	assert_int_equal(path_make_folders("relative/too", 0700), 0);
	assert_int_equal(path_write("file", "x", 1, 0600, false), 0);
	assert_int_equal(path_make_folders("file", 0700), -ENOTDIR);
	assert_int_equal(path_make_folders("file/below", 0700), -ENOTDIR);
	assert_int_equal(path_make_folders("/", 0700), 0);
}

static void files_are_written_and_read(void **state)
{
	char *text;
	size_t length;
	struct stat info;

	assert_int_equal(path_write("x", "one\0two", 7, 0640, true), 0);
	assert_int_equal(stat("x", &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
	assert_int_equal(access("x.new", F_OK), -1);
	assert_int_equal(path_read("x", 7, &text, &length), 0);
	assert_int_equal(length, 7);
	assert_memory_equal(text, "one\0two", 8);
	free(text);
	assert_int_equal(path_write("x", "", 0, 0600, false), 0);
	assert_int_equal(path_read("x", 0, &text, NULL), 0);
	assert_string_equal(text, "");
	free(text);
}

static void reading_is_bounded(void **state)
{
	char *large = malloc(100000);
	char *text = NULL;
	size_t length = 7;

	memset(large, 'x', 100000);
	assert_int_equal(path_write("x", large, 100000, 0600, false), 0);
	assert_int_equal(path_read("x", 99999, &text, &length), -EFBIG);
	assert_null(text);
	assert_int_equal(length, 7);
	assert_int_equal(path_read("x", 100000, &text, &length), 0);
	assert_int_equal(length, 100000);
	assert_int_equal(strlen(text), 100000);
	free(text);
	free(large);
	/* What never ends does. */
	assert_int_equal(path_read("/dev/zero", 5000, &text, &length), -EFBIG);
	assert_int_equal(path_read("missing", 10, &text, &length), -ENOENT);
	assert_int_equal(path_read(".", 10, &text, &length), -EISDIR);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
	char *text;

	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(path_write("folder/x", "old", 3, 0600, false), 0);
	/* Something in the temporary file's place that can't be replaced. */
	assert_int_equal(symlink("elsewhere", "folder/x.new"), 0);
	assert_true(path_write("folder/x", "new", 3, 0600, false) < 0);
	assert_int_equal(path_read("folder/x", 10, &text, NULL), 0);
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(access("folder/elsewhere", F_OK), -1);
	assert_int_equal(path_write("missing/x", "new", 3, 0600, false), -ENOENT);
}

static void trees_are_removed_but_not_what_links_name(void **state)
{
	assert_int_equal(path_make_folders("kept/a", 0700), 0);
	assert_int_equal(path_write("kept/a/x", "x", 1, 0600, false), 0);
	assert_int_equal(path_make_folders("tree/b/c", 0700), 0);
	assert_int_equal(path_write("tree/b/c/x", "x", 1, 0400, false), 0);
	assert_int_equal(symlink("../kept", "tree/link"), 0);
	assert_int_equal(symlink("nowhere", "tree/dangling"), 0);
	assert_int_equal(path_remove_tree("tree"), 0);
	assert_int_equal(access("tree", F_OK), -1);
	assert_int_equal(access("kept/a/x", F_OK), 0);
	assert_int_equal(path_remove_tree("tree"), 0);
	assert_int_equal(path_remove_tree("kept/a/x"), 0);
	assert_int_equal(symlink("kept", "link"), 0);
	assert_int_equal(path_remove_tree("link"), 0);
	assert_int_equal(access("kept/a", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_become_absolute),
		cmocka_unit_test(a_missing_home_is_looked_up),
		cmocka_unit_test_setup_teardown(folders_are_made, enter, leave),
		cmocka_unit_test_setup_teardown(files_are_written_and_read, enter, leave),
		cmocka_unit_test_setup_teardown(reading_is_bounded, enter, leave),
		cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_file, enter, leave),
		cmocka_unit_test_setup_teardown(trees_are_removed_but_not_what_links_name, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
