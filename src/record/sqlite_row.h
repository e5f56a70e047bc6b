/* sqlite_row.h: rows of the SQLite record as entries. */
#ifndef RECORD_SQLITE_ROW_H
#define RECORD_SQLITE_ROW_H

#include "base/failure.h"
#include "record/entry.h"

#include <stddef.h>

/* The columns that the functions below take, in this order. */
#define SQLITE_ROW_SWEEP "timestamp, id, market, duration_ms"
#define SQLITE_ROW_RESULT "id, ip, port, code, reason, http_reason, ssh_reason, latency_ms, action"
#define SQLITE_ROW_EVENT "at, id, event, instance, detail"
#define SQLITE_ROW_INCIDENT "opened, id, cause, instances, closed, tried"

struct sqlite3_stmt;

/* `path` and `failure` are for the words; `sweep` is used again from sweep to sweep, and to be freed at the end. */
struct sqlite_row {
	const char *path;
	struct failure *failure;
	struct sweep *sweep;
	size_t room;    /* entries that fit in it */
};

/*
 * The row on which `stmt` stands.  Return 0 or a negative errno with the
 * words: -ENOMEM, -EBADMSG (not what openbell writes), what
 * sqlite_file_failure says.  The sweep is row->sweep, with the entries that
 * `results` gives for ?1 and its count and failed from these; the incident is
 * to be freed with incident_free.
 */
int sqlite_row_sweep(struct sqlite_row *row, struct sqlite3_stmt *stmt, struct sqlite3_stmt *results);
int sqlite_row_event(struct sqlite_row *row, struct sqlite3_stmt *stmt, struct event *ret_event);
int sqlite_row_incident(struct sqlite_row *row, struct sqlite3_stmt *stmt, struct incident **ret_incident);

#endif
