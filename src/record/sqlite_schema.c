/* sqlite_schema.c: see sqlite_schema.h. */
#include "record/sqlite_schema.h"

#include "record/sqlite_file.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x

/*
 * Times are RFC 3339 UTC with milliseconds, all of one length, so that their
 * order as text is their order in time.  A result has no row number and no
 * second index: its key finds a sweep's results in one place, and one
 * instance's by one seek a sweep, at half the space and a fraction of the
 * pages that an index by instance would touch for each sweep.
 * `http_reason` is kept where `reason` is SSH's.
 */
static const char schema[] =
	"CREATE TABLE sweeps (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  timestamp TEXT NOT NULL,\n"
	"  market TEXT NOT NULL,\n"
	"  instances INTEGER NOT NULL,\n"
	"  failed INTEGER NOT NULL,\n"
	"  duration_ms REAL NOT NULL\n"
	");\n"
	"CREATE INDEX sweeps_timestamp ON sweeps (timestamp);\n"
	"CREATE TABLE results (\n"
	"  sweep INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,\n"
	"  id TEXT NOT NULL,\n"
	"  ip TEXT NOT NULL,\n"
	"  port INTEGER,\n"
	"  code INTEGER NOT NULL,\n"
	"  result TEXT NOT NULL,\n"
	"  reason TEXT NOT NULL,\n"
	"  http_reason TEXT,\n"
	"  ssh_result TEXT,\n"
	"  ssh_reason TEXT,\n"
	"  latency_ms REAL,\n"
	"  action TEXT NOT NULL,\n"
	"  PRIMARY KEY (sweep, id)\n"
	") WITHOUT ROWID;\n"
	"CREATE TABLE events (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  at TEXT NOT NULL,\n"
	"  event TEXT NOT NULL,\n"
	"  instance TEXT,\n"
	"  detail TEXT NOT NULL\n"
	");\n"
	"CREATE INDEX events_at ON events (at);\n"
	"CREATE INDEX events_instance ON events (instance, at);\n"
	"CREATE TABLE incidents (\n"
	"  id TEXT PRIMARY KEY,\n"
	"  cause TEXT NOT NULL,\n"
	"  instances TEXT NOT NULL,\n"
	"  opened TEXT NOT NULL,\n"
	"  closed TEXT,\n"
	"  tried TEXT NOT NULL\n"
	") WITHOUT ROWID;\n"
	"CREATE INDEX incidents_opened ON incidents (opened);\n"
	"PRAGMA application_id = " TEXT(SQLITE_FILE_APPLICATION_ID) ";\n"
	"PRAGMA user_version = " TEXT(SQLITE_FILE_VERSION) ";\n";

/*
 * No memory map: a file that somebody cuts short must be an error and not a
 * SIGBUS.  The log is cut back to the limit after a checkpoint.
 */
static const char settings[] =
	"PRAGMA journal_mode = WAL;\n"
	"PRAGMA synchronous = NORMAL;\n"
	"PRAGMA journal_size_limit = 4194304;\n"
	"PRAGMA cell_size_check = ON;\n"
	"PRAGMA trusted_schema = OFF;\n"
	"PRAGMA temp_store = MEMORY;\n"
	"PRAGMA mmap_size = 0;\n";

static int read_version(sqlite3 *db, int *ret_version)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret_version = sqlite3_column_int(stmt, 0);
	return sqlite3_finalize(stmt);
}

/*
 * In one transaction and before the switch to WAL: the file's own header is
 * either all zeros or says whose it is, at any kill.  Another process may
 * have been first; then there is nothing left to do.
 */
static int create(sqlite3 *db)
{
	int version = 0;
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = read_version(db, &version);
	if (rc == SQLITE_OK && version == 0)
		rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

int sqlite_schema_open(const char *path, int (*busy)(void *arg, int count), void *arg, sqlite3 **ret_db,
		       struct failure *failure)
{
	sqlite3 *db = NULL;
	bool exists;
	int rc;
	int r = sqlite_file_identify(path, &exists, failure);

	if (r < 0)
		return r;
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(db, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_handler(db, busy, arg);
	if (rc == SQLITE_OK && !exists)
		rc = create(db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, settings, NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		r = sqlite_file_failure(db, rc, path, failure);
		sqlite3_close(db);
		return r;
	}
	*ret_db = db;
	return 0;
}
