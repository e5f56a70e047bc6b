/* test_record_read.c: the reader: one order of time, filters, limits, and the folders it may not write. */
#define _GNU_SOURCE
#include "record_bench.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

/*
 * One row each second: a sweep, "died" of web-0, incident i1 (web-0) open for
 * 10 s, a failed sweep, a closed one, "ready" of the fleet, incident i2 (web-1).
 */
static void fill(struct bench *b)
{
	struct sweep closed = { .open = false };

	bench_add_sweep(b, 2, 0);
	clock_advance(b->clock, 1000);
	bench_add_event(b, "died", "web-0");
	clock_advance(b->clock, 1000);
	bench_add_incident(b, "i1", "web-0", clock_utc_ms(b->clock) + 10000);
	clock_advance(b->clock, 1000);
	bench_add_sweep(b, 2, 1);
	clock_advance(b->clock, 1000);
	closed.at_ms = clock_utc_ms(b->clock);
	record_add_sweep(b->record, &closed);
	clock_advance(b->clock, 1000);
	bench_add_event(b, "ready", "");
	clock_advance(b->clock, 1000);
	bench_add_incident(b, "i2", "web-1", 0);
	bench_settle(b);
	assert_int_equal(record_state(b->record)->pending, 0);
}

#define S(seconds) (BENCH_START_MS + (seconds) * 1000)

static void filters(void **state)
{
	static const struct {
		struct record_query query;
		const char *rows;
	} cases[] = {
		{ { 0 }, "sweep 2/0\nevent died web-0\nincident i1 restart replace over\nsweep 2/1\nclosed\n"
			 "event ready \nincident i2 restart\n" },
		{ { .limit = 100 }, "sweep 2/0\nevent died web-0\nincident i1 restart replace over\nsweep 2/1\nclosed\n"
				    "event ready \nincident i2 restart\n" },
		{ { .limit = 1 }, "incident i2 restart\n" },
		{ { .limit = 4 }, "sweep 2/1\nclosed\nevent ready \nincident i2 restart\n" },
		{ { .limit = 2, .until_ms = S(5) }, "sweep 2/1\nclosed\n" },
		{ { .since_ms = S(1), .until_ms = S(2) }, "event died web-0\n" },
		{ { .since_ms = S(1) + 1, .until_ms = S(4) }, "incident i1 restart replace over\nsweep 2/1\n" },
		/* i1 was open until second 12. */
		{ { .since_ms = S(5) }, "incident i1 restart replace over\nevent ready \nincident i2 restart\n" },
		{ { .since_ms = S(12) }, "incident i1 restart replace over\nincident i2 restart\n" },
		{ { .since_ms = S(12) + 1 }, "incident i2 restart\n" },
		{ { .since_ms = S(100) }, "incident i2 restart\n" },
		{ { .until_ms = S(0) }, "" },
		{ { .instance = "web-0" }, "sweep 1/0\nevent died web-0\nincident i1 restart replace over\nsweep 1/1\n" },
		{ { .instance = "web-1" }, "sweep 1/0\nsweep 1/0\nincident i2 restart\n" },
		{ { .instance = "web-1", .limit = 2 }, "sweep 1/0\nincident i2 restart\n" },
		{ { .instance = "web" }, "" },
		{ { .incidents_only = true }, "incident i1 restart replace over\nincident i2 restart\n" },
		{ { .incidents_only = true, .limit = 1 }, "incident i2 restart\n" },
		{ { .incidents_only = true, .instance = "web-0" }, "incident i1 restart replace over\n" },
	};
	struct bench *b = *state;
	size_t i;

	fill(b);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct failure failure;

		assert_int_equal(bench_read(b, &cases[i].query, &failure), 0);
		assert_string_equal(b->text, cases[i].rows);
	}
}

static int keep_one(void *arg, const struct sweep *sweep, const struct event *event, const struct incident *incident)
{
	(void)event;
	(void)incident;
	*(struct sweep_entry *)arg = sweep->entries[0];
	return 7;
}

static void assert_same_entry(const struct sweep_entry *a, const struct sweep_entry *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->address, b->address);
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->check.code, b->check.code);
	assert_int_equal(a->check.reason, b->check.reason);
	assert_int_equal(a->check.ssh_done, b->check.ssh_done);
	assert_int_equal(a->check.ssh_reason, b->check.ssh_reason);
	assert_int_equal(a->check.latency_us, b->check.latency_us);
}

static void every_field_comes_back(void **state)
{
	static const struct sweep_entry entries[] = {
		{ "web-a", "127.0.1.1:8090", { .code = 200, .latency_us = 612 }, SWEEP_NONE },
		{ "web-b", "[2001:db8::1]:80", { .reason = REASON_TIMEOUT, .latency_us = -1 }, SWEEP_RESTARTED },
		{ "web-c", "web-c.example:80", { .code = 503, .reason = REASON_STATUS, .ssh_done = true,
						 .ssh_reason = REASON_SSH_AUTH, .latency_us = 1 }, SWEEP_REPLACED },
		{ "web-d", "10.0.0.4", { .code = 200, .ssh_done = true, .latency_us = 4999999 }, SWEEP_BRAKED },
		{ "web-e", "10.0.0.4:1", { .code = 200, .ssh_done = true, .ssh_reason = REASON_SERVICE_DOWN }, SWEEP_NONE },
	};
	struct bench *b = *state;
	struct sweep *sweep = sweep_alloc(1);
	struct record_query query = { .limit = 1 };
	struct failure failure;
	size_t i;

	sweep->open = true;
	for (i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		struct sweep_entry back;

		sweep->at_ms = BENCH_START_MS + (int64_t)i;
		sweep->entries[0] = entries[i];
		record_add_sweep(b->record, sweep);
		bench_settle(b);
		assert_int_equal(record_read_sqlite(b->path, &query, keep_one, &back, &failure), 7);
		assert_same_entry(&back, &entries[i]);
	}
	free(sweep);
}

static void nothing_there_is_no_error(void **state)
{
	struct bench *b = *state;
	char *path = b->path;

	bench_expect(b, "");
	assert_int_equal(access(b->path, F_OK), -1);
	bench_write_file(b->path, "");
	bench_expect(b, "");
	b->path = path_format("%s/none/record.db", b->folder);
	bench_expect(b, "");
	free(b->path);
	b->path = path;
}

static void expect_failure(struct bench *b, int error, const char *words)
{
	struct record_query query = { 0 };
	struct failure failure;

	assert_int_equal(bench_read(b, &query, &failure), -error);
	assert_non_null(strstr(failure.message, words));
	assert_non_null(strstr(failure.message, b->path));
}

static void says_what_it_cannot_read(void **state)
{
	struct bench *b = *state;

	bench_write_file(b->path, "no database");
	expect_failure(b, EBADMSG, "not a database");
	unlink(b->path);
	bench_sql(b->path, "CREATE TABLE accounts (id)");
	expect_failure(b, EMEDIUMTYPE, "another program's");
	unlink(b->path);
	fill(b);
	bench_sql(b->path, "UPDATE results SET reason = 'whatever'");
	expect_failure(b, EBADMSG, "whatever");
	bench_close(b);
	assert_int_equal(truncate(b->path, 9000), 0);
	expect_failure(b, EBADMSG, "cut short");
	assert_int_equal(unlink(b->path), 0);
	assert_int_equal(mkdir(b->path, 0755), 0);
	expect_failure(b, EISDIR, "is none");
}

static void strange_paths_are_fine(void **state)
{
	struct bench *b = *state;
	char *path = b->path;

	bench_close(b);
	b->path = path_format("%s/a?b#c%%41 d.db", b->folder);
	bench_open(b, 0);
	bench_add_event(b, "died", "web-0");
	bench_settle(b);
	bench_expect(b, "event died web-0\n");
	free(b->path);
	b->path = path;
}

/* In a child that may not write the folder: exits 0 when it read `rows`. */
static void expect_as_nobody(struct bench *b, const char *rows)
{
	pid_t child;
	int status;

	assert_int_equal(chmod(b->folder, 0755), 0);
	child = fork();
	if (child == 0) {
		struct record_query query = { 0 };
		struct failure failure = { .message = "" };
		int r = setuid(NOBODY) < 0 ? -1 : bench_read(b, &query, &failure);

		if (r != 0 || strcmp(b->text, rows) != 0)
			fprintf(stderr, "%d %s\n%s", r, failure.message, b->text);
		_exit(r == 0 && strcmp(b->text, rows) == 0 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/* A log that was not written back, as kill -9 leaves it: the child dies with the record open. */
static void leave_a_log(struct bench *b)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		sqlite3 *db;

		sqlite3_open(b->path, &db);
		sqlite3_exec(db, "INSERT INTO events (at, event, detail) VALUES ('2026-11-24T00:00:00.000Z', 'logged', '')",
			     NULL, NULL, NULL);
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
}

static void reads_where_it_may_not_write(void **state)
{
	struct bench *b = *state;
	char *shm = path_format("%s-shm", b->path);

	if (getuid() != 0)
		skip();
	bench_add_event(b, "died", "web-0");
	bench_settle(b);
	expect_as_nobody(b, "event died web-0\n");    /* the controller runs */
	bench_close(b);
	expect_as_nobody(b, "event died web-0\n");    /* it ended well: no log */
	leave_a_log(b);
	expect_as_nobody(b, "event died web-0\nevent logged \n");
	assert_int_equal(unlink(shm), 0);
	expect_as_nobody(b, "event died web-0\nevent logged \n");
	assert_int_equal(access(shm, F_OK), -1);
	free(shm);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(filters),
		TEST(every_field_comes_back),
		TEST(nothing_there_is_no_error),
		TEST(says_what_it_cannot_read),
		TEST(strange_paths_are_fine),
		TEST(reads_where_it_may_not_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
