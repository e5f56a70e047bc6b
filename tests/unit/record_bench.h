/* record_bench.h: a folder, a loop, a clock that stands, and the record in it, for the tests of the record. */
#ifndef TESTS_RECORD_BENCH_H
#define TESTS_RECORD_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/path.h"
#include "record/record.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define BENCH_START_MS INT64_C(1795423500123)    /* 2026-11-23T08:45:00.123Z */
#define BENCH_KEEP_MS (INT64_C(400) * 24 * 3600 * 1000)
#define BENCH_DEADLINE_S 60

struct bench {
	uv_loop_t loop;
	struct clock *clock;
	char *folder;
	char *path;
	struct record *record;    /* NULL once closed */
	int state_calls;
	bool last_ok;
	int closed;               /* calls of the close callback */
	size_t left;              /* pending in the first of them */
	size_t rows;
	char *text;               /* what bench_read read, a line a row */
	size_t text_size;
	FILE *out;
};

static inline void bench_on_state(void *arg, const struct record_state *state)
{
	struct bench *b = arg;

	b->state_calls++;
	b->last_ok = state->ok;
}

static inline void bench_on_closed(void *arg)
{
	struct bench *b = arg;

	b->left = record_state(b->record)->pending;
	b->closed++;
}

static inline void bench_open(struct bench *b, int64_t keep_ms)
{
	assert_int_equal(record_open_sqlite(&b->loop, b->clock, b->path, keep_ms, bench_on_state, b, &b->record), 0);
}

/* Until no job runs: the clock stands, so nothing else keeps the loop alive. */
static inline void bench_settle(struct bench *b)
{
	uv_run(&b->loop, UV_RUN_DEFAULT);
}

/* Let the retry that is set come due, and run it to its end. */
static inline void bench_retry(struct bench *b, uint64_t ms)
{
	clock_advance(b->clock, ms);
	uv_run(&b->loop, UV_RUN_DEFAULT);
}

static inline void bench_close(struct bench *b)
{
	b->closed = 0;
	record_close(b->record, 5000, bench_on_closed, b);
	assert_int_equal(b->closed, 0);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->closed, 1);
	b->record = NULL;
}

static inline int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	char folder[] = "/tmp/test_record.XXXXXX";

	alarm(BENCH_DEADLINE_S);
	assert_non_null(b);
	assert_non_null(mkdtemp(folder));
	b->folder = strdup(folder);
	b->path = path_format("%s/record.db", folder);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->clock = clock_new_manual(BENCH_START_MS);
	bench_open(b, BENCH_KEEP_MS);
	*state = b;
	return 0;
}

static inline int bench_teardown(void **state)
{
	struct bench *b = *state;

	if (b->record != NULL)
		bench_close(b);
	clock_free(b->clock);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	assert_int_equal(path_remove_tree(b->folder), 0);
	free(b->folder);
	free(b->path);
	free(b->text);
	free(b);
	return 0;
}

/* `count` instances web-0, web-1, ..., the first `failed` of them refused. */
static inline void bench_add_sweep(struct bench *b, size_t count, size_t failed)
{
	struct sweep *sweep = sweep_alloc(count);
	size_t i;

	sweep->at_ms = clock_utc_ms(b->clock);
	sweep->open = true;
	sweep->duration_us = 3125;
	sweep->failed = failed;
	for (i = 0; i < count; i++) {
		struct sweep_entry *entry = &sweep->entries[i];

		snprintf(entry->id, sizeof entry->id, "web-%zu", i);
		snprintf(entry->address, sizeof entry->address, "127.0.1.%zu:8090", i % 250);
		entry->check.code = i < failed ? 0 : 200;
		entry->check.reason = i < failed ? REASON_REFUSED : REASON_OK;
		entry->check.latency_us = i < failed ? -1 : 612;
	}
	record_add_sweep(b->record, sweep);
	free(sweep);
}

static inline void bench_add_event(struct bench *b, const char *name, const char *instance)
{
	struct event event = { .at_ms = clock_utc_ms(b->clock) };

	snprintf(event.event, sizeof event.event, "%s", name);
	snprintf(event.instance, sizeof event.instance, "%s", instance);
	record_add_event(b->record, &event);
}

static inline void bench_add_incident(struct bench *b, const char *id, const char *instance, int64_t closed_ms)
{
	char *instances[] = { (char *)instance };
	char *tried[] = { (char *)"restart", (char *)"replace" };
	struct incident incident = {
		.opened_ms = clock_utc_ms(b->clock), .closed_ms = closed_ms, .cause = "refused",
		.instances = instances, .instance_count = 1, .tried = tried, .tried_count = closed_ms != 0 ? 2 : 1,
	};

	snprintf(incident.id, sizeof incident.id, "%s", id);
	record_add_incident(b->record, &incident);
}

/* One short line a row: "sweep 2/0", "closed", "event died web-0", "incident i1 restart replace over". */
static inline int bench_on_row(void *arg, const struct sweep *sweep, const struct event *event,
			       const struct incident *incident)
{
	struct bench *b = arg;
	size_t i;

	b->rows++;
	if (sweep != NULL && !sweep->open)
		fprintf(b->out, "closed\n");
	else if (sweep != NULL)
		fprintf(b->out, "sweep %zu/%zu\n", sweep->count, sweep->failed);
	if (event != NULL)
		fprintf(b->out, "event %s %s\n", event->event, event->instance);
	if (incident != NULL) {
		fprintf(b->out, "incident %s", incident->id);
		for (i = 0; i < incident->tried_count; i++)
			fprintf(b->out, " %s", incident->tried[i]);
		fprintf(b->out, "%s\n", incident->closed_ms != 0 ? " over" : "");
	}
	return 0;
}

/* Returns record_read_sqlite's result; the rows are in b->text. */
static inline int bench_read(struct bench *b, const struct record_query *query, struct failure *ret_failure)
{
	int r;

	free(b->text);
	b->text = NULL;
	b->rows = 0;
	b->out = open_memstream(&b->text, &b->text_size);
	r = record_read_sqlite(b->path, query, bench_on_row, b, ret_failure);
	fclose(b->out);
	return r;
}

static inline void bench_expect(struct bench *b, const char *rows)
{
	struct record_query query = { 0 };
	struct failure failure = { .message = "" };
	int r = bench_read(b, &query, &failure);

	assert_string_equal(failure.message, "");
	assert_int_equal(r, 0);
	assert_string_equal(b->text, rows);
}

/* A statement in a connection of its own, as somebody with the sqlite3 shell would run it. */
static inline int64_t bench_sql(const char *path, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t value = -1;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	sqlite3_close(db);
	return value;
}

static inline void bench_write_file(const char *path, const char *text)
{
	assert_int_equal(path_write(path, text, strlen(text), 0644, false), 0);
}

#endif
