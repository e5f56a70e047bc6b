/* test_site_copy.c: a folder copied whole or not at all. */
#define _GNU_SOURCE
#include "fleet/local/site_copy.h"

#include "folder_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static int copy(const char *source, struct failure *ret_failure)
{
	return site_copy_tree(source, "target", false, 0, ret_failure);
}

static void assert_copied(const char *source)
{
	struct failure failure = { 0 };

	if (copy(source, &failure) != 0)
		fail_msg("%s", failure.message);
	assert_false(folder_has("target.new"));
}

/* Nothing of it stays, and the words hold `words`. */
static void assert_refused(const char *source, int error, const char *words)
{
	struct failure failure = { 0 };

	assert_int_equal(copy(source, &failure), -error);
	if (strstr(failure.message, words) == NULL)
		fail_msg("no \"%s\" in \"%s\"", words, failure.message);
	assert_false(folder_has("target"));
	assert_false(folder_has("target.new"));
}

static void assert_link(const char *path, const char *expected)
{
	char link[PATH_MAX];
	ssize_t n = readlink(path, link, sizeof link - 1);

	assert_true(n >= 0);
	link[n] = '\0';
	assert_string_equal(link, expected);
}

static void the_built_in_site(void **state)
{
	(void)state;
	assert_copied(NULL);
	folder_assert_text("target/index.html", "<h1>Hello World</h1>\n");
}

static void files_and_folders(void **state)
{
	struct timespec times[2] = { { 1000000000, 0 }, { 1234567890, 123456789 } };
	struct stat info;

	(void)state;
	assert_int_equal(path_make_folders("site/a/b c", 0755), 0);
	assert_int_equal(mkdir("site/empty", 0755), 0);
	folder_write("site/index.html", "page", 0644);
	folder_write("site/a/b c/\xff\xfe.txt", "no text of a name", 0640);
	folder_write("site/nothing", "", 0644);
	assert_int_equal(utimensat(AT_FDCWD, "site/index.html", times, 0), 0);
	assert_copied("site");
	folder_assert_text("target/index.html", "page");
	folder_assert_text("target/a/b c/\xff\xfe.txt", "no text of a name");
	folder_assert_text("target/nothing", "");
	assert_true(folder_has("target/empty"));
	assert_int_equal(stat("target/index.html", &info), 0);
	assert_int_equal(info.st_mtim.tv_sec, 1234567890);
	assert_int_equal(info.st_mtim.tv_nsec, 123456789);
}

static void a_large_file_is_whole(void **state)
{
	static char block[65537];
	size_t i;
	int status;
	FILE *file;

	(void)state;
	assert_int_equal(mkdir("site", 0755), 0);
	file = fopen("site/large", "w");
	assert_non_null(file);
	for (i = 0; i < 600; i++) {
		memset(block, (int)(i % 251) + 1, sizeof block);
		assert_int_equal(fwrite(block, sizeof block, 1, file), 1);
	}
	fclose(file);
	assert_copied("site");
	status = system("cmp site/large target/large");
	assert_int_equal(status, 0);
}

static void links_within_stay_links(void **state)
{
	(void)state;
	assert_int_equal(path_make_folders("site/a", 0755), 0);
	folder_write("site/index.html", "page", 0644);
	assert_int_equal(symlink("index.html", "site/start.html"), 0);
	assert_int_equal(symlink("../index.html", "site/a/up.html"), 0);
	assert_int_equal(symlink(".././a/../index.html", "site/a/round.html"), 0);
	assert_int_equal(symlink("nowhere", "site/dangling"), 0);
	assert_int_equal(symlink(".", "site/self"), 0);
	assert_copied("site");
	assert_link("target/start.html", "index.html");
	assert_link("target/a/up.html", "../index.html");
	assert_link("target/a/round.html", ".././a/../index.html");
	assert_link("target/dangling", "nowhere");
	assert_link("target/self", ".");
	folder_assert_text("target/a/round.html", "page");
}

/* A release lies elsewhere: what led out of the site must still lead there. */
static void links_that_lead_out_become_absolute(void **state)
{
	const struct folder_bench *bench = *state;
	char *source = path_format("%s/site", bench->folder);
	char *expected = path_format("%s/site/a/../../shared.html", bench->folder);

	assert_int_equal(path_make_folders("site/a", 0755), 0);
	folder_write("shared.html", "shared", 0644);
	assert_int_equal(symlink("../../shared.html", "site/a/out.html"), 0);
	assert_int_equal(symlink("/etc/hostname", "site/absolute"), 0);
	assert_copied(source);
	assert_link("target/a/out.html", expected);
	assert_link("target/absolute", "/etc/hostname");
	folder_assert_text("target/a/out.html", "shared");
	free(source);
	free(expected);
}

static void modes_stay_when_nobody_else_reads(void **state)
{
	(void)state;
	assert_int_equal(mkdir("site", 0755), 0);
	assert_int_equal(mkdir("site/a", 0750), 0);
	folder_write("site/a/page", "", 0600);
	folder_write("site/program", "", 0755);
	folder_write("site/all", "", 0666);
	assert_copied("site");
	assert_int_equal(folder_mode("target/a"), 0750);
	assert_int_equal(folder_mode("target/a/page"), 0600);
	assert_int_equal(folder_mode("target/program"), 0755);
	assert_int_equal(folder_mode("target/all"), 0666);
}

/* httpd's group may read all of it and write none, whatever the source's modes were. */
static void modes_for_a_group_that_reads(void **state)
{
	gid_t gid = geteuid() == 0 ? 12345 : getegid();
	struct failure failure;
	struct stat info;

	(void)state;
	assert_int_equal(mkdir("site", 0700), 0);
	assert_int_equal(mkdir("site/a", 0777), 0);
	folder_write("site/a/page", "", 0600);
	folder_write("site/all", "", 04777);
	assert_int_equal(site_copy_tree("site", "target", true, gid, &failure), 0);
	assert_int_equal(folder_mode("target"), 0750);
	assert_int_equal(folder_mode("target/a"), 0750);
	assert_int_equal(folder_mode("target/a/page"), 0640);
	assert_int_equal(folder_mode("target/all"), 0640);
	assert_int_equal(stat("target/a/page", &info), 0);
	assert_int_equal(info.st_gid, gid);
	assert_int_equal(info.st_uid, geteuid());
}

static void what_is_no_site(void **state)
{
	(void)state;
	folder_write("file", "", 0644);
	assert_refused("nowhere", ENOENT, "the site folder nowhere does not exist: make it, or set `site`");
	assert_refused("file", ENOTDIR, "the site file is not a folder");
}

static void what_is_neither_file_nor_folder(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "site/a/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(path_make_folders("site/a", 0755), 0);
	folder_write("site/index.html", "page", 0644);
	assert_int_equal(mkfifo("site/a/pipe", 0644), 0);
	assert_refused("site", EINVAL, "site/a/pipe is neither a file nor a folder nor a link");
	assert_int_equal(unlink("site/a/pipe"), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_refused("site", EINVAL, "site/a/socket is neither");
	close(fd);
	assert_int_equal(unlink("site/a/socket"), 0);
	assert_copied("site");
}

static void a_device_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir("site", 0755), 0);
	if (mknod("site/disk", S_IFBLK | 0600, makedev(7, 200)) < 0)
		skip();
	assert_refused("site", EINVAL, "site/disk is neither");
}

/* As somebody who is not root. */
static void what_can_not_be_read_is_named(void **state)
{
	const struct folder_bench *bench = *state;
	bool root = geteuid() == 0;

	assert_int_equal(path_make_folders("site/a", 0755), 0);
	folder_write("site/a/secret", "", 0);
	if (root) {
		assert_int_equal(chown(bench->folder, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_refused("site", EACCES, "site/a/secret can't be read: Permission denied");
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod("site/a/secret", 0644), 0);
	assert_int_equal(chmod("site/a", 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	assert_refused("site", EACCES, "site/a can't be read: Permission denied");
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod("site/a", 0755), 0);
}

static char *nested(unsigned depth)
{
	char *path = strdup("site");

	for (; depth > 0; depth--) {
		char *deeper = path_format("%s/d", path);

		free(path);
		path = deeper;
	}
	return path;
}

static void deep_and_too_deep(void **state)
{
	char *path = nested(SITE_DEPTH_MAX);

	(void)state;
	assert_int_equal(path_make_folders(path, 0755), 0);
	assert_copied("site");
	assert_int_equal(path_remove_tree("target"), 0);
	free(path);
	path = nested(SITE_DEPTH_MAX + 1);
	assert_int_equal(path_make_folders(path, 0755), 0);
	assert_refused("site", ELOOP, "site/d/d");
	free(path);
}

static void what_a_copy_left_behind_is_not_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(path_make_folders("target.new/old/folder", 0700), 0);
	folder_write("target.new/index.html", "old", 0600);
	assert_int_equal(mkdir("site", 0755), 0);
	folder_write("site/index.html", "page", 0644);
	assert_copied("site");
	folder_assert_text("target/index.html", "page");
	assert_false(folder_has("target/old"));
}

static void a_target_that_can_not_be_made(void **state)
{
	struct failure failure;

	(void)state;
	assert_int_equal(mkdir("site", 0755), 0);
	assert_int_equal(site_copy_tree("site", "nowhere/target", false, 0, &failure), -ENOENT);
	assert_non_null(strstr(failure.message, "nowhere/target can't be made"));
}

static void the_fingerprint_sees_each_change(void **state)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	uint64_t seen[12];
	size_t count = 0;
	size_t i, j;

	(void)state;
	assert_int_equal(site_fingerprint("site"), 0);
	assert_int_equal(path_make_folders("site/a", 0755), 0);
	seen[count++] = site_fingerprint("site");
	folder_write("site/index.html", "page", 0644);
	seen[count++] = site_fingerprint("site");
	folder_write("site/index.html", "egap", 0644);
	seen[count++] = site_fingerprint("site");
	assert_int_equal(utimensat(AT_FDCWD, "site/index.html", times, 0), 0);
	seen[count++] = site_fingerprint("site");
	assert_int_equal(chmod("site/index.html", 0600), 0);
	seen[count++] = site_fingerprint("site");
	assert_int_equal(rename("site/index.html", "site/a/index.html"), 0);
	seen[count++] = site_fingerprint("site");
	assert_int_equal(symlink("a", "site/link"), 0);
	seen[count++] = site_fingerprint("site");
	assert_int_equal(rename("site", "etis"), 0);
	seen[count++] = site_fingerprint("etis");
	seen[count++] = site_fingerprint(NULL);
	for (i = 0; i < count; i++) {
		assert_true(seen[i] != 0);
		for (j = 0; j < i; j++)
			if (seen[i] == seen[j])
				fail_msg("change %zu was not seen", i);
	}
	assert_true(site_fingerprint("etis") == seen[count - 2]);
	assert_true(site_fingerprint(NULL) == seen[count - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(the_built_in_site),
		folder_test(files_and_folders),
		folder_test(a_large_file_is_whole),
		folder_test(links_within_stay_links),
		folder_test(links_that_lead_out_become_absolute),
		folder_test(modes_stay_when_nobody_else_reads),
		folder_test(modes_for_a_group_that_reads),
		folder_test(what_is_no_site),
		folder_test(what_is_neither_file_nor_folder),
		folder_test(a_device_is_refused),
		folder_test(what_can_not_be_read_is_named),
		folder_test(deep_and_too_deep),
		folder_test(what_a_copy_left_behind_is_not_in_the_way),
		folder_test(a_target_that_can_not_be_made),
		folder_test(the_fingerprint_sees_each_change),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
