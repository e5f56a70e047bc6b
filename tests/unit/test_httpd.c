/* test_httpd.c: one httpd's folder, configuration and process. */
#define _GNU_SOURCE
#include "fleet/local/httpd.h"

#include "config/config.h"
#include "config/parse.h"
#include "fleet/local/adopt.h"
#include "fleet/local/programs.h"
#include "folder_bench.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

struct bench {
	struct folder_bench *folder;
	struct config *config;
	struct programs programs;
	bool installed;
};

static int enter(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct config_findings findings = { 0 };
	struct failure failure;

	folder_enter((void **)&bench->folder);
	assert_int_equal(chmod(".", 0711), 0);
	assert_int_equal(config_parse_text("t", "/t", "/srv", "fleet: shop", 11, &bench->config, &findings), 0);
	config_findings_free(&findings);
	bench->installed = programs_find(&bench->programs, &failure) == 0;
	*state = bench;
	return 0;
}

static int leave(void **state)
{
	struct bench *bench = *state;

	config_free(bench->config);
	folder_leave((void **)&bench->folder);
	free(bench);
	return 0;
}

static void prepare(const struct bench *bench)
{
	struct failure failure = { 0 };

	if (httpd_prepare("web-1", "127.0.1.1:8090", bench->config, &bench->programs, &failure) != 0)
		fail_msg("%s", failure.message);
}

static void the_folder_of_an_instance(void **state)
{
	struct bench *bench = *state;
	struct stat info;
	char address[64];

	prepare(bench);
	assert_int_equal(folder_mode("web-1"), 0711);
	assert_int_equal(folder_mode("web-1/logs"), 0750);
	assert_int_equal(folder_mode("web-1/run"), 0750);
	assert_int_equal(folder_mode("web-1/httpd.conf") & 0022, 0);
	assert_int_equal(stat("web-1/logs", &info), 0);
	assert_int_equal(info.st_uid, bench->programs.uid);
	/* What it is told to do is not its to change. */
	assert_int_equal(stat("web-1/httpd.conf", &info), 0);
	assert_int_equal(info.st_uid, geteuid());
	assert_int_equal(httpd_read_address("web-1", address, sizeof address), 0);
	assert_string_equal(address, "127.0.1.1:8090");
}

static void assert_directive(const char *text, const char *directive)
{
	char *line = path_format("\n%s\n", directive);

	if (strstr(text, line) == NULL)
		fail_msg("no \"%s\" in:\n%s", directive, text);
	free(line);
}

static void its_configuration(void **state)
{
	static const char *const directives[] = {
		"Listen 127.0.1.1:8090",
		"ServerName shop",
		"ServerRoot \"/proc/self/cwd\"",
		"PidFile \"run/httpd.pid\"",
		"Mutex pthread",
		"ServerLimit 1",
		"ThreadsPerChild 128",
		"MaxConnectionsPerChild 0",
		"KeepAliveTimeout 65",
		"MaxKeepAliveRequests 0",
		"ServerTokens Prod",
		"TraceEnable Off",
		"DocumentRoot \"site\"",
		"<LocationMatch \"/\\.(?!well-known(/|$))\">",
		"CustomLog \"logs/access.log\" combined",
	};
	char *text;
	size_t i;

	prepare(*state);
	assert_int_equal(path_read("web-1/httpd.conf", 1 << 20, &text, NULL), 0);
	for (i = 0; i < sizeof directives / sizeof directives[0]; i++)
		assert_directive(text, directives[i]);
	free(text);
}

static void httpd_takes_it(void **state)
{
	struct bench *bench = *state;
	char *command;
	int status;

	if (!bench->installed)
		skip();
	prepare(bench);
	assert_int_equal(mkdir("site", 0755), 0);
	assert_int_equal(symlink("../site", "web-1/site"), 0);
	command = path_format("cd web-1 && %s -t -d /proc/self/cwd -f /proc/self/cwd/httpd.conf >../out 2>&1",
			      bench->programs.httpd);
	status = system(command);
	free(command);
	assert_int_equal(status, 0);
	folder_assert_text("out", "Syntax OK\n");
}

static void nothing_is_left_of_one_that_fails(void **state)
{
	struct bench *bench = *state;
	struct failure failure;

	folder_write("file", "", 0644);
	assert_int_equal(httpd_prepare("file/web-1", "127.0.1.1:8090", bench->config, &bench->programs, &failure),
			 -ENOTDIR);
	assert_non_null(strstr(failure.message, "file/web-1 can't be made: Not a directory"));
	assert_int_equal(path_make_folders("web-1/logs", 0700), 0);
	assert_int_equal(httpd_prepare("web-1", "127.0.1.1:8090", bench->config, &bench->programs, &failure), -EEXIST);
	assert_false(folder_has("web-1"));
}

static void the_address_of_what_is_no_instance(void **state)
{
	static const char *const texts[] = { "", "Listen", "\nListenBacklog 5\n", "# Listen 127.0.0.1:1\n" };
	char address[64] = "untouched";
	size_t i;

	(void)state;
	assert_int_equal(httpd_read_address("nowhere", address, sizeof address), -ENOENT);
	assert_int_equal(mkdir("web-1", 0700), 0);
	assert_int_equal(httpd_read_address("web-1", address, sizeof address), -ENOENT);
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		folder_write("web-1/httpd.conf", texts[i], 0600);
		assert_int_equal(httpd_read_address("web-1", address, sizeof address), -EBADMSG);
	}
	assert_string_equal(address, "untouched");
}

static void the_release_that_it_serves(void **state)
{
	char link[64] = "";

	(void)state;
	assert_int_equal(mkdir("web-1", 0700), 0);
	assert_int_equal(httpd_release("web-1"), 0);
	assert_int_equal(httpd_use_release("web-1", 7), 0);
	assert_int_equal(httpd_release("web-1"), 7);
	assert_int_equal(httpd_use_release("web-1", 4000000000), 0);
	assert_int_equal(httpd_release("web-1"), 4000000000);
	assert_int_equal(readlink("web-1/site", link, sizeof link - 1), 25);
	assert_string_equal(link, "../../releases/4000000000");
	assert_false(folder_has("web-1/site.new"));
	/* One that was killed between the two steps. */
	assert_int_equal(symlink("x", "web-1/site.new"), 0);
	assert_int_equal(httpd_use_release("web-1", 8), 0);
	assert_int_equal(httpd_release("web-1"), 8);
	assert_int_equal(httpd_use_release("nowhere", 1), -ENOENT);
}

static void its_last_words(void **state)
{
	char words[32];

	(void)state;
	assert_int_equal(path_make_folders("web-1/logs", 0700), 0);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "");
	folder_write("web-1/logs/error.log", "first\nlast of the log\n", 0600);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "last of the log");
	folder_write("web-1/httpd.out", "one\ntwo\n\n\n", 0600);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "two");
	folder_write("web-1/httpd.out", "without an end", 0600);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "without an end");
	folder_write("web-1/httpd.out", "longer than the place that there is for it\n", 0600);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "longer than the place that ther");
	folder_write("web-1/httpd.out", "\n\n", 0600);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "last of the log");
	assert_int_equal(unlink("web-1/httpd.out"), 0);
	assert_int_equal(symlink("/etc/passwd", "web-1/httpd.out"), 0);
	httpd_last_words("web-1", words, sizeof words);
	assert_string_equal(words, "last of the log");
}

/* The mark is what a later controller finds it by. */
static void it_starts_and_carries_its_mark(void **state)
{
	struct bench *bench = *state;
	char *instances = path_format("%s/instances", bench->folder->folder);
	char *mark = httpd_mark(instances);
	char *own = path_format("%sweb-1", mark);
	char *command;
	char *text;
	struct failure failure = { 0 };
	pid_t pid;

	/* Stands for httpd: says what it was called with. */
	folder_write("httpd", "#!/bin/sh\npwd\nfor word; do echo \"$word\"; done\necho to error >&2\n", 0755);
	snprintf(bench->programs.httpd, sizeof bench->programs.httpd, "%s/httpd", bench->folder->folder);
	prepare(bench);
	folder_write("web-1/run/httpd.pid", "1\n", 0644);
	assert_int_equal(httpd_spawn("web-1", own, &bench->programs, &pid, &failure), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	command = path_format("%s/web-1\n-DFOREGROUND\n-d\n/proc/self/cwd\n-f\n/proc/self/cwd/httpd.conf\n-D\n%s\nto "
			      "error\n",
			      bench->folder->folder, own);
	assert_int_equal(path_read("web-1/httpd.out", 1 << 16, &text, NULL), 0);
	assert_string_equal(text, command);
	assert_false(folder_has("web-1/run/httpd.pid"));
	free(text);
	free(command);

	snprintf(bench->programs.httpd, sizeof bench->programs.httpd, "/nowhere/httpd");
	assert_int_equal(httpd_spawn("web-1", own, &bench->programs, &pid, &failure), -ENOENT);
	assert_non_null(strstr(failure.message, "/nowhere/httpd"));
	free(own);
	free(mark);
	free(instances);
}

#define bench_test(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(the_folder_of_an_instance),
		bench_test(its_configuration),
		bench_test(httpd_takes_it),
		bench_test(nothing_is_left_of_one_that_fails),
		bench_test(the_address_of_what_is_no_instance),
		bench_test(the_release_that_it_serves),
		bench_test(its_last_words),
		bench_test(it_starts_and_carries_its_mark),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
