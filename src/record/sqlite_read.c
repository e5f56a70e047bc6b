/* sqlite_read.c: record_read_sqlite: sweeps, events and incidents merged by time. */
#define _GNU_SOURCE
#include "record/record.h"

#include "base/path.h"
#include "base/units.h"
#include "record/sqlite_file.h"
#include "record/sqlite_row.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 5000
#define TIME_SIZE 32
#define NEVER "9999-12-31T23:59:59.999Z"

enum source { SWEEPS, EVENTS, INCIDENTS, SOURCE_COUNT };

/*
 * Each gives its time first.  ?1 and ?2: from, before; ?3: the instance, with
 * the second text added where one is asked for; ?4: how many, -1 for all.
 * An incident belongs to the range when it was open at any time in it.
 */
static const struct {
	const char *sql;
	const char *of_instance;
} sources[SOURCE_COUNT] = {
	[SWEEPS] = { "SELECT " SQLITE_ROW_SWEEP " FROM sweeps AS s "
		     "WHERE timestamp >= ?1 AND timestamp < ?2",
		     " AND EXISTS (SELECT 1 FROM results AS r WHERE r.sweep = s.id AND r.id = ?3)" },
	[EVENTS] = { "SELECT " SQLITE_ROW_EVENT " FROM events WHERE at >= ?1 AND at < ?2",
		     " AND instance = ?3" },
	[INCIDENTS] = { "SELECT " SQLITE_ROW_INCIDENT " FROM incidents "
			"WHERE opened < ?2 AND (closed IS NULL OR closed >= ?1)",
			" AND EXISTS (SELECT 1 FROM json_each(instances) WHERE value = ?3)" },
};

static const char results[] =
	"SELECT " SQLITE_ROW_RESULT " FROM results "
	"WHERE sweep = ?1 AND (?2 IS NULL OR id = ?2) ORDER BY id";

struct reader {
	const struct record_query *query;
	record_row_cb *cb;
	void *arg;
	struct sqlite_row row;
	sqlite3 *db;
	sqlite3_stmt *rows[SOURCE_COUNT];
	bool has_row[SOURCE_COUNT];
	sqlite3_stmt *results;
};

static int sqlite_failed(struct reader *reader, int rc)
{
	return sqlite_file_failure(reader->db, rc, reader->row.path, reader->row.failure);
}

static int give_sweep(struct reader *reader, sqlite3_stmt *stmt)
{
	int r = sqlite_row_sweep(&reader->row, stmt, reader->results);

	return r < 0 ? r : reader->cb(reader->arg, reader->row.sweep, NULL, NULL);
}

static int give_event(struct reader *reader, sqlite3_stmt *stmt)
{
	struct event event;
	int r = sqlite_row_event(&reader->row, stmt, &event);

	return r < 0 ? r : reader->cb(reader->arg, NULL, &event, NULL);
}

static int give_incident(struct reader *reader, sqlite3_stmt *stmt)
{
	struct incident *incident = NULL;
	int r = sqlite_row_incident(&reader->row, stmt, &incident);

	if (r == 0)
		r = reader->cb(reader->arg, NULL, NULL, incident);
	incident_free(incident);
	return r;
}

static int give(struct reader *reader, enum source source)
{
	sqlite3_stmt *stmt = reader->rows[source];

	if (source == SWEEPS)
		return give_sweep(reader, stmt);
	return source == EVENTS ? give_event(reader, stmt) : give_incident(reader, stmt);
}

static int advance(struct reader *reader, int source)
{
	int rc = sqlite3_step(reader->rows[source]);

	reader->has_row[source] = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : sqlite_failed(reader, rc);
}

static const char *row_time(struct reader *reader, int source)
{
	return (const char *)sqlite3_column_text(reader->rows[source], 0);
}

/* The source whose row is the oldest; of the same time, the sweep comes first: it is what the others follow from. */
static int oldest(struct reader *reader)
{
	int found = -1;
	int i;

	for (i = 0; i < SOURCE_COUNT; i++)
		if (reader->has_row[i] && (found < 0 || strcmp(row_time(reader, i), row_time(reader, found)) < 0))
			found = i;
	return found;
}

static int merge(struct reader *reader, size_t skip)
{
	int source;
	int r = 0;
	int i;

	for (i = 0; r == 0 && i < SOURCE_COUNT; i++)
		if (reader->rows[i] != NULL)
			r = advance(reader, i);
	while (r == 0 && (source = oldest(reader)) >= 0) {
		if (skip > 0)
			skip--;
		else
			r = give(reader, (enum source)source);
		if (r == 0)
			r = advance(reader, source);
	}
	return r;
}

/* A source's text between `head` and `tail`, prepared and bound. */
static int prepare(struct reader *reader, int source, const char *head, const char *tail, sqlite3_stmt **ret_stmt)
{
	const struct record_query *query = reader->query;
	const char *filter = query->instance != NULL ? sources[source].of_instance : "";
	char *sql = path_format("%s%s%s%s", head, sources[source].sql, filter, tail);
	char from[TIME_SIZE] = "";
	char before[TIME_SIZE] = NEVER;
	int rc;

	if (sql == NULL)
		return failure_set(reader->row.failure, ENOMEM, "no memory");
	rc = sqlite3_prepare_v2(reader->db, sql, -1, ret_stmt, NULL);
	free(sql);
	if (rc != SQLITE_OK)
		return sqlite_failed(reader, rc);
	if (query->since_ms != 0)
		units_format_utc_ms(query->since_ms, from, sizeof from);
	if (query->until_ms != 0)
		units_format_utc_ms(query->until_ms, before, sizeof before);
	sqlite3_bind_text(*ret_stmt, 1, from, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(*ret_stmt, 2, before, -1, SQLITE_TRANSIENT);
	if (query->instance != NULL)
		sqlite3_bind_text(*ret_stmt, 3, query->instance, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(*ret_stmt, 4, query->limit != 0 ? (sqlite3_int64)query->limit : -1);
	return 0;
}

/* How many rows a source has in the range, up to the limit. */
static int count_rows(struct reader *reader, int source, size_t *total)
{
	sqlite3_stmt *stmt = NULL;
	int r = prepare(reader, source, "SELECT count(*) FROM (", " LIMIT ?4)", &stmt);

	if (r == 0) {
		int rc = sqlite3_step(stmt);

		if (rc == SQLITE_ROW)
			*total += (size_t)sqlite3_column_int64(stmt, 0);
		else
			r = sqlite_failed(reader, rc);
	}
	sqlite3_finalize(stmt);
	return r;
}

/*
 * With a limit each source gives its newest so many, turned around: of all
 * of these the newest so many are what is asked for, so the others are
 * skipped.  Without one, rows come straight from the index.
 */
static int read_rows(struct reader *reader)
{
	const struct record_query *query = reader->query;
	bool limited = query->limit != 0;
	const char *head = limited ? "SELECT * FROM (" : "";
	const char *tail = limited ? " ORDER BY 1 DESC, 2 DESC LIMIT ?4) ORDER BY 1, 2" : " ORDER BY 1, 2 LIMIT ?4";
	size_t total = 0;
	int first = query->incidents_only ? INCIDENTS : SWEEPS;
	int last = query->sweeps_only ? SWEEPS : SOURCE_COUNT - 1;
	int rc;
	int r = 0;
	int i;

	for (i = first; r == 0 && i <= last; i++) {
		r = prepare(reader, i, head, tail, &reader->rows[i]);
		if (r == 0 && limited)
			r = count_rows(reader, i, &total);
	}
	if (r < 0)
		return r;
	rc = sqlite3_prepare_v2(reader->db, results, -1, &reader->results, NULL);
	if (rc != SQLITE_OK)
		return sqlite_failed(reader, rc);
	if (query->instance != NULL)
		sqlite3_bind_text(reader->results, 2, query->instance, -1, SQLITE_TRANSIENT);
	return merge(reader, limited && total > query->limit ? total - query->limit : 0);
}

static bool has_log(const char *path)
{
	char *wal = path_format("%s-wal", path);
	struct stat info;
	bool has = wal != NULL && stat(wal, &info) == 0 && info.st_size > 0;

	free(wal);
	return has;
}

/* A first look, which is where SQLite opens the log and its index. */
static int open_as(struct reader *reader, const char *name, const char *vfs, const char *setting)
{
	int rc = sqlite3_open_v2(name, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs);

	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(reader->db, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(reader->db, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(reader->db, setting, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(reader->db, "BEGIN; SELECT 1 FROM sweeps LIMIT 1", NULL, NULL, NULL);
	return rc;
}

/*
 * The plain way needs the log's index (-shm), and so a folder that this user
 * may write or a controller that made it.  Where there is neither (a disk
 * mounted read-only, somebody else's copy), nobody writes: without a log the
 * file is all there is, and with one its index is kept in memory.
 */
static int open_reader(struct reader *reader)
{
	char *plain = sqlite_file_uri(reader->row.path, "");
	char *alone = sqlite_file_uri(reader->row.path, "?immutable=1");
	int rc = SQLITE_NOMEM;
	int r;

	if (plain != NULL && alone != NULL)
		rc = open_as(reader, plain, NULL, "PRAGMA query_only = ON");
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY) {
		sqlite3_close(reader->db);
		reader->db = NULL;
		rc = has_log(reader->row.path)
			? open_as(reader, plain, "unix-none", "PRAGMA locking_mode = EXCLUSIVE")
			: open_as(reader, alone, NULL, "PRAGMA query_only = ON");
	}
	r = rc == SQLITE_OK ? 0 : sqlite_failed(reader, rc);
	free(plain);
	free(alone);
	return r;
}

static void close_reader(struct reader *reader)
{
	int i;

	for (i = 0; i < SOURCE_COUNT; i++)
		sqlite3_finalize(reader->rows[i]);
	sqlite3_finalize(reader->results);
	sqlite3_close(reader->db);
	free(reader->row.sweep);
}

int record_read_sqlite(const char *path, const struct record_query *query, record_row_cb *cb, void *arg,
		       struct failure *ret_failure)
{
	struct reader reader = {
		.query = query, .cb = cb, .arg = arg, .row = { .path = path, .failure = ret_failure },
	};
	struct stat info;
	bool exists;
	int r;

	/* Never written to: also the folder may not be there yet. */
	if (stat(path, &info) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	r = sqlite_file_identify(path, &exists, ret_failure);
	if (r < 0 || !exists)
		return r;
	r = open_reader(&reader);
	if (r == 0)
		r = read_rows(&reader);
	close_reader(&reader);
	return r;
}
