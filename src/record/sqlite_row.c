/* sqlite_row.c: see sqlite_row.h. */
#define _GNU_SOURCE
#include "record/sqlite_row.h"

#include "base/units.h"
#include "record/entry_json.h"
#include "record/sqlite_file.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int row_damaged(struct sqlite_row *row, const char *what)
{
	return failure_set(row->failure, EBADMSG, "the record %s holds a row that openbell did not write (%s)",
			   row->path, what);
}

/* As much as fits; whole characters are the JSON's care. */
static void copy_text(sqlite3_stmt *stmt, int column, char *ret_text, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

/* NULL is 0. */
static int column_time(struct sqlite_row *row, sqlite3_stmt *stmt, int column, int64_t *ret_utc_ms)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (text == NULL)
		*ret_utc_ms = 0;
	else if (units_parse_utc(text, ret_utc_ms) < 0)
		return row_damaged(row, text);
	return 0;
}

static int column_reason(struct sqlite_row *row, sqlite3_stmt *stmt, int column, enum reason *ret_reason)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (text == NULL || reason_from_name(text, ret_reason) < 0)
		return row_damaged(row, text != NULL ? text : "NULL");
	return 0;
}

static int64_t column_us(sqlite3_stmt *stmt, int column)
{
	double ms = sqlite3_column_double(stmt, column);

	return (int64_t)(ms * 1000 + (ms < 0 ? -0.5 : 0.5));
}

static int read_entry(struct sqlite_row *row, sqlite3_stmt *stmt, struct sweep_entry *entry)
{
	struct check *check = &entry->check;
	const char *action = (const char *)sqlite3_column_text(stmt, 8);
	int http_column = sqlite3_column_type(stmt, 5) != SQLITE_NULL ? 5 : 4;
	char ip[ENTRY_ADDRESS_SIZE];
	int r;

	copy_text(stmt, 0, entry->id, sizeof entry->id);
	copy_text(stmt, 1, ip, sizeof ip);
	address_join(ip, sqlite3_column_type(stmt, 2) == SQLITE_NULL ? -1 : sqlite3_column_int(stmt, 2),
		     entry->address, sizeof entry->address);
	check->at_ms = row->sweep->at_ms;
	check->code = sqlite3_column_int(stmt, 3);
	check->ssh_done = sqlite3_column_type(stmt, 6) != SQLITE_NULL;
	check->ssh_reason = REASON_OK;
	check->latency_us = sqlite3_column_type(stmt, 7) == SQLITE_NULL ? -1 : column_us(stmt, 7);
	r = column_reason(row, stmt, http_column, &check->reason);
	if (r == 0 && check->ssh_done)
		r = column_reason(row, stmt, 6, &check->ssh_reason);
	if (r == 0 && (action == NULL || sweep_action_from_name(action, &entry->action) < 0))
		r = row_damaged(row, action != NULL ? action : "NULL");
	return r;
}

/* Room for one more entry. */
static int grow(struct sqlite_row *row)
{
	size_t room = row->room < 16 ? 16 : row->room * 2;
	struct sweep *larger;

	if (row->sweep != NULL && row->sweep->count < row->room)
		return 0;
	larger = realloc(row->sweep, sizeof *larger + room * sizeof larger->entries[0]);
	if (larger == NULL)
		return failure_set(row->failure, ENOMEM, "no memory");
	if (row->sweep == NULL)
		memset(larger, 0, sizeof *larger);
	row->sweep = larger;
	row->room = room;
	return 0;
}

static int read_results(struct sqlite_row *row, sqlite3_stmt *stmt, sqlite3_int64 sweep)
{
	int r = 0;
	int rc;

	sqlite3_bind_int64(stmt, 1, sweep);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct sweep_entry *entry;

		r = grow(row);
		if (r < 0)
			break;
		entry = &row->sweep->entries[row->sweep->count];
		r = read_entry(row, stmt, entry);
		if (r < 0)
			break;
		row->sweep->count++;
		row->sweep->failed += !check_passed(&entry->check);
	}
	if (r == 0 && rc != SQLITE_DONE)
		r = sqlite_file_failure(sqlite3_db_handle(stmt), rc, row->path, row->failure);
	sqlite3_reset(stmt);
	return r;
}

int sqlite_row_sweep(struct sqlite_row *row, sqlite3_stmt *stmt, sqlite3_stmt *results)
{
	const char *market = (const char *)sqlite3_column_text(stmt, 2);
	int r = row->sweep == NULL ? grow(row) : 0;

	if (r < 0)
		return r;
	row->sweep->count = 0;
	row->sweep->failed = 0;
	row->sweep->open = market == NULL || strcmp(market, "closed") != 0;
	row->sweep->duration_us = column_us(stmt, 3);
	r = column_time(row, stmt, 0, &row->sweep->at_ms);
	if (r == 0)
		r = read_results(row, results, sqlite3_column_int64(stmt, 1));
	return r;
}

int sqlite_row_event(struct sqlite_row *row, sqlite3_stmt *stmt, struct event *ret_event)
{
	int r = column_time(row, stmt, 0, &ret_event->at_ms);

	if (r < 0)
		return r;
	copy_text(stmt, 2, ret_event->event, sizeof ret_event->event);
	copy_text(stmt, 3, ret_event->instance, sizeof ret_event->instance);
	copy_text(stmt, 4, ret_event->detail, sizeof ret_event->detail);
	return 0;
}

static int column_strings(struct sqlite_row *row, sqlite3_stmt *stmt, int column, char ***ret_strings,
			  size_t *ret_count)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	int r = entry_strings_parse(text != NULL ? text : "", ret_strings, ret_count);

	if (r == -ENOMEM)
		return failure_set(row->failure, ENOMEM, "no memory");
	return r < 0 ? row_damaged(row, text != NULL ? text : "NULL") : 0;
}

int sqlite_row_incident(struct sqlite_row *row, sqlite3_stmt *stmt, struct incident **ret_incident)
{
	struct incident *incident = calloc(1, sizeof *incident);
	int r;

	if (incident == NULL)
		return failure_set(row->failure, ENOMEM, "no memory");
	copy_text(stmt, 1, incident->id, sizeof incident->id);
	copy_text(stmt, 2, incident->cause, sizeof incident->cause);
	r = column_strings(row, stmt, 3, &incident->instances, &incident->instance_count);
	if (r == 0)
		r = column_strings(row, stmt, 5, &incident->tried, &incident->tried_count);
	if (r == 0)
		r = column_time(row, stmt, 0, &incident->opened_ms);
	if (r == 0)
		r = column_time(row, stmt, 4, &incident->closed_ms);
	if (r == 0)
		*ret_incident = incident;
	else
		incident_free(incident);
	return r;
}
