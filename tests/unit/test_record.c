/* test_record.c: the writer: every way in which a store can't be written, and what is kept until it can. */
#define _GNU_SOURCE
#include "record_bench.h"

#include "record/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void assert_failing(struct bench *b, const char *words)
{
	const struct record_state *state = record_state(b->record);

	assert_false(state->ok);
	assert_true(state->pending > 0);
	assert_non_null(strstr(state->failure.message, words));
	assert_non_null(strstr(state->failure.message, b->folder));
}

static void writes_and_reads_back(void **state)
{
	struct bench *b = *state;
	struct sweep closed = { .at_ms = BENCH_START_MS + 5, .open = false };

	bench_add_sweep(b, 2, 1);
	record_add_sweep(b->record, &closed);
	clock_advance(b->clock, 10);
	bench_add_event(b, "died", "web-0");
	bench_add_incident(b, "i1", "web-0", 0);
	bench_settle(b);
	assert_int_equal(record_state(b->record)->pending, 0);
	bench_expect(b, "sweep 2/1\nclosed\nevent died web-0\nincident i1 restart\n");
	bench_add_incident(b, "i1", "web-0", BENCH_START_MS + 60000);
	bench_close(b);
	assert_int_equal(b->left, 0);
	assert_int_equal(b->state_calls, 0);
	bench_expect(b, "sweep 2/1\nclosed\nevent died web-0\nincident i1 restart replace over\n");
}

static void is_plain_to_the_shell(void **state)
{
	struct bench *b = *state;

	bench_add_sweep(b, 2, 1);
	bench_add_event(b, "ready", "");
	bench_settle(b);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM sweeps WHERE timestamp = '2026-11-23T08:45:00.123Z' "
				   "AND market = 'open' AND instances = 2 AND failed = 1 AND duration_ms = 3.125"), 1);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM results WHERE id = 'web-0' AND ip = '127.0.1.0' AND "
				   "port = 8090 AND result = 'Failed to get web content' AND reason = 'refused' AND "
				   "latency_ms IS NULL AND ssh_result IS NULL AND action = 'none'"), 1);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM events WHERE instance IS NULL"), 1);
	assert_int_equal(bench_sql(b->path, "PRAGMA application_id"), SQLITE_FILE_APPLICATION_ID);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
}

/* The file is not a record's: it stays as it is, what was added is kept, and goes into a new file. */
static void waits_for_it_to_be_moved(struct bench *b, const char *words)
{
	char *moved = path_format("%s.damaged", b->path);
	struct stat before;
	struct stat after;

	assert_int_equal(stat(b->path, &before), 0);
	bench_add_event(b, "died", "web-0");
	bench_settle(b);
	assert_failing(b, words);
	assert_int_equal(record_state(b->record)->failing_since_ms, clock_utc_ms(b->clock));
	bench_add_sweep(b, 2, 0);
	bench_retry(b, 500);
	assert_failing(b, words);
	assert_int_equal(b->state_calls, 1);
	assert_int_equal(stat(b->path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(rename(b->path, moved), 0);
	bench_retry(b, 1000);
	assert_true(record_state(b->record)->ok);
	assert_int_equal(b->state_calls, 2);
	assert_true(b->last_ok);
	assert_int_equal(record_state(b->record)->pending, 0);
	assert_int_equal(record_state(b->record)->failing_since_ms, 0);
	bench_expect(b, "sweep 2/0\nevent died web-0\n");
	free(moved);
}

static void leaves_another_programs_database(void **state)
{
	struct bench *b = *state;

	bench_sql(b->path, "CREATE TABLE accounts (id)");
	waits_for_it_to_be_moved(b, "another program's database");
}

static void names_what_is_no_database(void **state)
{
	struct bench *b = *state;

	bench_write_file(b->path, "once there was a record here");
	waits_for_it_to_be_moved(b, "is not a database");
}

/* A record with some pages, closed. */
static void make_record(struct bench *b)
{
	int i;

	for (i = 0; i < 20; i++)
		bench_add_sweep(b, 100, 0);
	bench_close(b);
	bench_open(b, BENCH_KEEP_MS);
}

static void names_what_was_cut_short(void **state)
{
	struct bench *b = *state;

	make_record(b);
	assert_int_equal(truncate(b->path, 20000), 0);
	waits_for_it_to_be_moved(b, "cut short");
}

/* The beginning is still a record's, and all that SQLite needs to go on blindly is in its cache. */
static void notices_that_it_is_cut_short_while_open(void **state)
{
	struct bench *b = *state;

	make_record(b);
	bench_add_event(b, "before", "");
	bench_settle(b);
	assert_int_equal(truncate(b->path, 20000), 0);
	bench_add_event(b, "after", "");
	bench_settle(b);
	assert_failing(b, "cut short");
	unlink(b->path);
	bench_retry(b, 500);
	bench_expect(b, "event after \n");
}

static void lets_somebody_vacuum(void **state)
{
	struct bench *b = *state;
	char *aside = path_format("%s-wal.damaged", b->path);

	make_record(b);
	bench_add_event(b, "before", "");
	bench_settle(b);
	bench_sql(b->path, "DELETE FROM results");
	bench_sql(b->path, "DELETE FROM sweeps");
	bench_sql(b->path, "VACUUM");
	bench_sql(b->path, "PRAGMA wal_checkpoint(TRUNCATE)");
	bench_add_event(b, "after", "");
	bench_settle(b);
	bench_expect(b, "event before \nevent after \n");
	assert_int_equal(access(aside, F_OK), -1);
	free(aside);
}

static void leaves_a_newer_openbells(void **state)
{
	struct bench *b = *state;

	make_record(b);
	bench_sql(b->path, "PRAGMA journal_mode = DELETE");
	bench_sql(b->path, "PRAGMA user_version = 2");
	waits_for_it_to_be_moved(b, "a newer openbell");
}

static void goes_on_in_a_new_file_when_deleted(void **state)
{
	struct bench *b = *state;

	bench_add_event(b, "before", "");
	bench_settle(b);
	assert_int_equal(unlink(b->path), 0);
	bench_add_event(b, "after", "");
	bench_settle(b);
	assert_int_equal(b->state_calls, 0);
	bench_expect(b, "event after \n");
}

/* The old file gets what its log held; the log does not spill into the new one. */
static void goes_on_in_the_file_that_came_instead(void **state)
{
	struct bench *b = *state;
	char *path = b->path;
	char *other = path_format("%s/other.db", b->folder);
	char *old = path_format("%s/old.db", b->folder);

	b->path = other;
	bench_close(b);
	bench_open(b, BENCH_KEEP_MS);
	bench_add_event(b, "other", "");
	bench_close(b);
	b->path = path;
	bench_open(b, BENCH_KEEP_MS);
	bench_add_event(b, "before", "");
	bench_settle(b);
	assert_int_equal(rename(path, old), 0);
	assert_int_equal(rename(other, path), 0);
	bench_add_event(b, "after", "");
	bench_settle(b);
	bench_expect(b, "event other \nevent after \n");
	b->path = old;
	bench_expect(b, "event before \n");
	b->path = path;
	free(other);
	free(old);
}

static void does_not_write_into_what_was_overwritten(void **state)
{
	struct bench *b = *state;
	char *text;
	size_t length;
	int fd;

	bench_add_event(b, "before", "");
	bench_settle(b);
	fd = open(b->path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "garbage", 7), 7);
	close(fd);
	bench_add_event(b, "after", "");
	bench_settle(b);
	assert_failing(b, "not a database");
	assert_int_equal(path_read(b->path, 1000, &text, &length), 0);
	assert_string_equal(text, "garbage");
	free(text);
	assert_int_equal(unlink(b->path), 0);
	bench_retry(b, 500);
	bench_expect(b, "event after \n");
}

static void survives_the_loss_of_its_log(void **state)
{
	struct bench *b = *state;
	char *wal = path_format("%s-wal", b->path);

	bench_add_event(b, "before", "");
	bench_settle(b);
	assert_int_equal(unlink(wal), 0);
	bench_add_event(b, "after", "");
	bench_settle(b);
	bench_expect(b, "event before \nevent after \n");
	free(wal);
}

static void waits_for_its_folder(void **state)
{
	struct bench *b = *state;

	bench_close(b);
	assert_int_equal(path_remove_tree(b->folder), 0);
	bench_open(b, BENCH_KEEP_MS);
	bench_add_event(b, "kept", "");
	bench_settle(b);
	assert_failing(b, "is gone");
	assert_int_equal(mkdir(b->folder, 0755), 0);
	bench_retry(b, 500);
	bench_expect(b, "event kept \n");
}

static void waits_for_space(void **state)
{
	struct bench *b = *state;
	struct rlimit before;
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	bench_add_event(b, "before", "");
	bench_settle(b);
	limit = before;
	limit.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	clock_advance(b->clock, 1);
	bench_add_sweep(b, 2000, 1);
	bench_settle(b);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_failing(b, "no space");
	bench_retry(b, 500);
	assert_true(record_state(b->record)->ok);
	bench_expect(b, "event before \nsweep 2000/1\n");
}

static sqlite3 *lock(struct bench *b)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void waits_for_a_lock(void **state)
{
	struct bench *b = *state;
	sqlite3 *db;

	bench_add_event(b, "before", "");
	bench_settle(b);
	db = lock(b);
	bench_add_event(b, "after", "");
	bench_settle(b);
	assert_failing(b, "locked");
	sqlite3_close(db);
	bench_retry(b, 500);
	bench_expect(b, "event before \nevent after \n");
}

static void tries_at_growing_intervals(void **state)
{
	static const uint64_t intervals[] = { 500, 1000, 2000, 4000, 8000, 15000, 15000 };
	struct bench *b = *state;
	size_t i;

	bench_write_file(b->path, "no database");
	bench_add_event(b, "kept", "");
	bench_settle(b);
	for (i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
		clock_advance(b->clock, intervals[i] - 1);
		assert_false(uv_loop_alive(&b->loop));
		clock_advance(b->clock, 1);
		assert_true(uv_loop_alive(&b->loop));
		uv_run(&b->loop, UV_RUN_DEFAULT);
	}
	assert_int_equal(record_state(b->record)->failing_since_ms, BENCH_START_MS);
	assert_int_equal(b->state_calls, 1);
	unlink(b->path);
	bench_retry(b, 15000);
	assert_true(record_state(b->record)->ok);
}

static void drops_passed_sweeps_first(void **state)
{
	struct bench *b = *state;
	const struct record_state *now = record_state(b->record);
	int added = 2;
	int i;

	bench_write_file(b->path, "no database");
	bench_add_event(b, "died", "web-0");
	bench_settle(b);
	bench_add_sweep(b, 2, 1);
	for (i = 0; now->lost < 100; i++, added++)
		bench_add_sweep(b, 100, 0);
	assert_int_equal(now->lost, 100);
	assert_int_equal(now->pending, added - 100);
	assert_in_range(now->pending * 100 * sizeof(struct sweep_entry), RECORD_QUEUE_BYTES_MAX * 9 / 10,
			RECORD_QUEUE_BYTES_MAX);
	unlink(b->path);
	bench_retry(b, 500);
	assert_int_equal(now->pending, 0);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM events"), 1);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM sweeps WHERE failed = 1"), 1);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM sweeps"), added - 101);
}

static void prunes_what_is_old(void **state)
{
	struct bench *b = *state;
	struct sweep closed = { .at_ms = BENCH_START_MS, .open = false };

	bench_close(b);
	bench_open(b, 1000);
	bench_add_sweep(b, 4000, 0);
	bench_add_sweep(b, 4000, 0);
	bench_add_sweep(b, 4000, 0);
	record_add_sweep(b->record, &closed);
	bench_add_event(b, "old", "");
	bench_add_incident(b, "open", "web-0", 0);
	bench_add_incident(b, "over", "web-0", BENCH_START_MS + 10);
	bench_settle(b);
	clock_advance(b->clock, 3599999);
	bench_add_event(b, "new", "");
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM sweeps"), 4);
	clock_advance(b->clock, 1);
	bench_add_event(b, "newer", "");
	uv_run(&b->loop, UV_RUN_DEFAULT);
	bench_expect(b, "incident open restart\nevent new \nevent newer \n");
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM results"), 0);
}

/* What a controller that was killed had written is there, for a reader and for the next controller. */
static void survives_kill_9(void **state)
{
	struct bench *b = *state;
	pid_t child;
	int status;

	bench_close(b);
	child = fork();
	if (child == 0) {
		struct bench killed = { .path = b->path, .clock = b->clock };

		uv_loop_init(&killed.loop);
		bench_open(&killed, BENCH_KEEP_MS);
		bench_add_event(&killed, "before", "");
		bench_settle(&killed);
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	bench_expect(b, "event before \n");
	bench_open(b, BENCH_KEEP_MS);
	bench_add_event(b, "after", "");
	bench_settle(b);
	bench_expect(b, "event before \nevent after \n");
}

static void a_new_file_takes_nothing_from_an_old_log(void **state)
{
	struct bench *b = *state;
	char *wal = path_format("%s-wal", b->path);

	survives_kill_9(state);
	bench_close(b);
	unlink(b->path);
	bench_write_file(wal, "the log of a file that is gone");
	bench_open(b, BENCH_KEEP_MS);
	bench_add_event(b, "new", "");
	bench_settle(b);
	bench_expect(b, "event new \n");
	free(wal);
}

static void closing_writes_the_rest(void **state)
{
	struct bench *b = *state;
	int i;

	for (i = 0; i < 30; i++)
		bench_add_sweep(b, 1000, 0);
	bench_close(b);
	assert_int_equal(b->left, 0);
	assert_int_equal(bench_sql(b->path, "SELECT count(*) FROM results"), 30000);
}

static void closing_gives_up_what_cannot_be_written(void **state)
{
	struct bench *b = *state;

	bench_write_file(b->path, "no database");
	bench_add_event(b, "lost", "");
	bench_settle(b);
	bench_close(b);
	assert_int_equal(b->left, 1);
}

/* The clock stands: only the deadline ends it, and at once, though the worker waits for the lock. */
static void closing_ends_at_its_deadline(void **state)
{
	struct bench *b = *state;
	uint64_t start;
	sqlite3 *db;

	bench_add_event(b, "before", "");
	bench_settle(b);
	db = lock(b);
	bench_add_event(b, "lost", "");
	record_close(b->record, 300, bench_on_closed, b);
	uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(b->closed, 0);
	start = uv_hrtime();
	clock_advance(b->clock, 300);
	assert_int_equal(b->closed, 1);
	assert_int_equal(b->left, 1);
	b->record = NULL;
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->closed, 1);
	assert_true(uv_hrtime() - start < UINT64_C(1000000000));
	sqlite3_close(db);
	bench_expect(b, "event before \n");
}

static void closing_waits_for_a_lock(void **state)
{
	struct bench *b = *state;
	sqlite3 *db;

	bench_add_event(b, "before", "");
	bench_settle(b);
	db = lock(b);
	bench_add_event(b, "after", "");
	bench_settle(b);
	record_close(b->record, 60000, bench_on_closed, b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->closed, 0);
	sqlite3_close(db);
	bench_retry(b, 100);
	assert_int_equal(b->closed, 1);
	assert_int_equal(b->left, 0);
	b->record = NULL;
	bench_expect(b, "event before \nevent after \n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_and_reads_back),
		TEST(is_plain_to_the_shell),
		TEST(leaves_another_programs_database),
		TEST(names_what_is_no_database),
		TEST(names_what_was_cut_short),
		TEST(notices_that_it_is_cut_short_while_open),
		TEST(lets_somebody_vacuum),
		TEST(leaves_a_newer_openbells),
		TEST(goes_on_in_a_new_file_when_deleted),
		TEST(goes_on_in_the_file_that_came_instead),
		TEST(does_not_write_into_what_was_overwritten),
		TEST(survives_the_loss_of_its_log),
		TEST(waits_for_its_folder),
		TEST(waits_for_space),
		TEST(waits_for_a_lock),
		TEST(tries_at_growing_intervals),
		TEST(drops_passed_sweeps_first),
		TEST(prunes_what_is_old),
		TEST(survives_kill_9),
		TEST(a_new_file_takes_nothing_from_an_old_log),
		TEST(closing_writes_the_rest),
		TEST(closing_gives_up_what_cannot_be_written),
		TEST(closing_ends_at_its_deadline),
		TEST(closing_waits_for_a_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
