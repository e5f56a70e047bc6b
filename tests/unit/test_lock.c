/* test_lock.c: one openbell a fleet and state folder; a lock that is held by another process. */
#define _GNU_SOURCE
#include "fleet/lock.h"

#include "config/config.h"
#include "config/parse.h"
#include "folder_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static struct config *config_of(const struct folder_bench *bench, const char *fleet)
{
	struct config_findings findings = { 0 };
	struct config *config = NULL;
	char *text = path_format("{fleet: %s, state: state}", fleet);

	assert_int_equal(config_parse_text("t", "/t", bench->folder, text, strlen(text), &config, &findings), 0);
	config_findings_free(&findings);
	free(text);
	return config;
}

/* A process that holds the lock until it is killed. */
static pid_t start_holder(const struct config *config)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct failure failure;
		pid_t holder;

		if (fleet_lock(config, &holder, &failure) >= 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nobody_holds_what_is_not_there(void **state)
{
	struct config *config = config_of(*state, "web");

	assert_int_equal(fleet_lock_holder(config), 0);
	assert_false(folder_has("state"));
	config_free(config);
}

static void the_folder_is_made(void **state)
{
	struct config *config = config_of(*state, "web");
	struct failure failure;
	pid_t holder = 0;
	int lock = fleet_lock(config, &holder, &failure);

	assert_true(lock >= 0);
	assert_int_equal(folder_mode("state/web") & 0022, 0);
	assert_int_equal(folder_mode("state/web/lock"), 0600);
	assert_int_equal(fcntl(lock, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(lock);
	config_free(config);
}

static void another_is_told_who_holds_it(void **state)
{
	struct config *config = config_of(*state, "web");
	pid_t other = start_holder(config);
	struct failure failure;
	pid_t holder = 0;
	char words[40];

	assert_int_equal(fleet_lock_holder(config), other);
	assert_int_equal(fleet_lock(config, &holder, &failure), -EAGAIN);
	assert_int_equal(holder, other);
	snprintf(words, sizeof words, "(pid %d) holds the fleet \"web\"", (int)other);
	assert_non_null(strstr(failure.message, words));

	/* Killed: nothing is stale. */
	end_holder(other);
	assert_int_equal(fleet_lock_holder(config), 0);
	close(fleet_lock(config, &holder, &failure));
	config_free(config);
}

static void another_fleet_is_free(void **state)
{
	struct config *web = config_of(*state, "web");
	struct config *api = config_of(*state, "api");
	pid_t other = start_holder(web);
	struct failure failure;
	pid_t holder;
	int lock = fleet_lock(api, &holder, &failure);

	assert_true(lock >= 0);
	close(lock);
	end_holder(other);
	config_free(web);
	config_free(api);
}

/* As httpd would be: started by the holder, and alive when that is gone. */
static void no_child_inherits_it(void **state)
{
	struct config *config = config_of(*state, "web");
	int ends[2];
	pid_t other;
	pid_t child;
	int tries;

	assert_int_equal(pipe(ends), 0);
	other = fork();
	if (other == 0) {
		struct failure failure;
		pid_t holder;

		if (fleet_lock(config, &holder, &failure) < 0)
			_exit(1);
		child = fork();
		if (child == 0) {
			execl("/bin/sleep", "sleep", "60", (char *)NULL);
			_exit(1);
		}
		if (write(ends[1], &child, sizeof child) != (ssize_t)sizeof child)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ends[0], &child, sizeof child), (ssize_t)sizeof child);
	assert_int_equal(waitpid(other, NULL, 0), other);
	/* It goes with the exec, which may still be to come. */
	for (tries = 0; tries < 500 && fleet_lock_holder(config) != 0; tries++)
		usleep(10000);
	assert_int_equal(fleet_lock_holder(config), 0);
	assert_int_equal(kill(child, 0), 0);
	kill(child, SIGKILL);
	close(ends[0]);
	close(ends[1]);
	config_free(config);
}

static void a_folder_that_can_not_be_made_is_named(void **state)
{
	struct config *config = config_of(*state, "web");
	struct failure failure;
	pid_t holder;

	folder_write("state", "a file", 0600);
	assert_int_equal(fleet_lock(config, &holder, &failure), -ENOTDIR);
	assert_non_null(strstr(failure.message, "/state/web can't be written: Not a directory"));
	assert_non_null(strstr(failure.message, "name another folder with `state`"));
	config_free(config);
}

/* Whoever may write there must not get us to write elsewhere. */
static void a_link_is_not_followed(void **state)
{
	struct config *config = config_of(*state, "web");
	struct failure failure;
	pid_t holder;

	assert_int_equal(path_make_folders("state/web", 0711), 0);
	assert_int_equal(symlink("../../elsewhere", "state/web/lock"), 0);
	assert_int_equal(fleet_lock(config, &holder, &failure), -ELOOP);
	assert_false(folder_has("elsewhere"));
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(nobody_holds_what_is_not_there), folder_test(the_folder_is_made),
		folder_test(another_is_told_who_holds_it),   folder_test(another_fleet_is_free),
		folder_test(no_child_inherits_it),           folder_test(a_folder_that_can_not_be_made_is_named),
		folder_test(a_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
