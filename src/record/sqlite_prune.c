/* sqlite_prune.c: see sqlite_prune.h. */
#include "record/sqlite_prune.h"

#include "base/units.h"

#include <sqlite3.h>

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x

static const char oldest_sweep[] = "SELECT id FROM sweeps WHERE timestamp < ? ORDER BY timestamp LIMIT 1";
static const char sweep_results[] = "DELETE FROM results WHERE sweep = ?";
static const char one_sweep[] = "DELETE FROM sweeps WHERE id = ?";
static const char old_events[] = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? ORDER BY at LIMIT "
				 TEXT(SQLITE_PRUNE_ROWS) ")";
static const char old_incidents[] = "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed < ? "
				    "LIMIT " TEXT(SQLITE_PRUNE_ROWS) ")";

/* Adds the rows that it removed to *rows. */
static int delete_sweep_rows(sqlite3 *db, const char *sql, sqlite3_int64 sweep, int *rows)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, sweep);
	if (sqlite3_step(stmt) == SQLITE_DONE)
		*rows += sqlite3_changes(db);
	return sqlite3_finalize(stmt);
}

/* *ret_sweep is 0 where none is older. */
static int find_oldest(sqlite3 *db, const char *before, sqlite3_int64 *ret_sweep)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, oldest_sweep, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(stmt, 1, before, -1, SQLITE_STATIC);
	*ret_sweep = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return sqlite3_finalize(stmt);
}

static int prune_sweeps(sqlite3 *db, const char *before, bool *more)
{
	sqlite3_int64 sweep;
	int rows = 0;
	int rc = find_oldest(db, before, &sweep);

	while (rc == SQLITE_OK && sweep != 0 && rows < SQLITE_PRUNE_ROWS) {
		rc = delete_sweep_rows(db, sweep_results, sweep, &rows);
		if (rc == SQLITE_OK)
			rc = delete_sweep_rows(db, one_sweep, sweep, &rows);
		if (rc == SQLITE_OK)
			rc = find_oldest(db, before, &sweep);
	}
	if (rc == SQLITE_OK && sweep != 0)
		*more = true;
	return rc;
}

static int prune_rows(sqlite3 *db, const char *sql, const char *before, bool *more)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_text(stmt, 1, before, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_DONE && sqlite3_changes(db) >= SQLITE_PRUNE_ROWS)
		*more = true;
	return sqlite3_finalize(stmt);
}

int sqlite_prune(sqlite3 *db, int64_t before_ms, bool *ret_more)
{
	char before[32];
	bool more = false;
	int rc;

	units_format_utc_ms(before_ms, before, sizeof before);
	rc = prune_sweeps(db, before, &more);
	if (rc == SQLITE_OK)
		rc = prune_rows(db, old_events, before, &more);
	if (rc == SQLITE_OK)
		rc = prune_rows(db, old_incidents, before, &more);
	if (rc == SQLITE_OK)
		*ret_more = more;
	return rc;
}
