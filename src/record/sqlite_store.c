/* sqlite_store.c: see sqlite_store.h. */
#define _GNU_SOURCE
#include "record/sqlite_store.h"

#include "base/path.h"
#include "base/units.h"
#include "record/entry_json.h"
#include "record/queue.h"
#include "record/sqlite_file.h"
#include "record/sqlite_prune.h"
#include "record/sqlite_schema.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_POLL_MS 10
#define TIME_SIZE 32

enum statement {
	BEGIN, COMMIT, ADD_SWEEP, ADD_RESULT, ADD_EVENT, ADD_INCIDENT,
	STATEMENT_COUNT
};

static const char *const statements[STATEMENT_COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ADD_SWEEP] = "INSERT INTO sweeps (timestamp, market, instances, failed, duration_ms) VALUES (?, ?, ?, ?, ?)",
	[ADD_RESULT] = "INSERT OR REPLACE INTO results (sweep, id, ip, port, code, result, reason, http_reason, "
		       "ssh_result, ssh_reason, latency_ms, action) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ADD_EVENT] = "INSERT INTO events (at, event, instance, detail) VALUES (?, ?, ?, ?)",
	[ADD_INCIDENT] = "INSERT OR REPLACE INTO incidents (id, cause, instances, opened, closed, tried) "
			 "VALUES (?, ?, ?, ?, ?, ?)",
};

/* Closed: db and all statements NULL. */
struct sqlite_store {
	char *path;
	char *wal_path;
	atomic_bool hurry;
	sqlite3 *db;
	sqlite3_stmt *stmts[STATEMENT_COUNT];
	int64_t bytes;         /* the file's, after the last write */
	ino_t wal_inode;       /* 0: not seen yet */
	int waited_ms;         /* for another's lock, within this call */
};

struct sqlite_store *sqlite_store_new(const char *path)
{
	struct sqlite_store *store = calloc(1, sizeof *store);

	if (store == NULL)
		return NULL;
	store->path = strdup(path);
	store->wal_path = path_format("%s-wal", path);
	if (store->path == NULL || store->wal_path == NULL) {
		sqlite_store_free(store);
		return NULL;
	}
	return store;
}

void sqlite_store_free(struct sqlite_store *store)
{
	if (store == NULL)
		return;
	free(store->path);
	free(store->wal_path);
	free(store);
}

void sqlite_store_hurry(struct sqlite_store *store)
{
	atomic_store(&store->hurry, true);
}

static int on_busy(void *arg, int count)
{
	struct sqlite_store *store = arg;
	struct timespec pause = { .tv_nsec = BUSY_POLL_MS * 1000000L };

	(void)count;
	if (atomic_load(&store->hurry) || store->waited_ms >= SQLITE_STORE_BUSY_MS)
		return 0;
	nanosleep(&pause, NULL);
	store->waited_ms += BUSY_POLL_MS;
	return 1;
}

void sqlite_store_close(struct sqlite_store *store)
{
	int i;

	for (i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->stmts[i]);
		store->stmts[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

/* Leave the file as it is: what stands there now is not what our log belongs to. */
static void abandon(struct sqlite_store *store)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite_store_close(store);
}

static ino_t wal_inode(const struct sqlite_store *store)
{
	struct stat info;

	return stat(store->wal_path, &info) == 0 ? info.st_ino : 0;
}

/*
 * Shorter than after our last write and than its own header says.  (Shorter
 * alone is also what somebody's VACUUM leaves.)
 */
static bool is_cut(const struct sqlite_store *store)
{
	int64_t bytes = sqlite_file_bytes(store->db);

	return bytes < store->bytes && bytes < sqlite_file_bytes_promised(store->db);
}

/* Our log would hide what is missing from the file; whoever looks into the damage finds it beside it. */
static void abandon_cut(struct sqlite_store *store)
{
	char *aside = path_format("%s.damaged", store->wal_path);

	abandon(store);
	if (aside != NULL && wal_inode(store) == store->wal_inode)
		rename(store->wal_path, aside);
	free(aside);
}

/*
 * Somebody may have moved, deleted, replaced, overwritten or cut the file
 * while it was open; SQLite would go on in what nobody can read any more.
 * Then it is closed, and opened again by the caller.
 */
static void close_if_changed(struct sqlite_store *store)
{
	int moved = 0;

	sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved) {
		bool own_wal = store->wal_inode != 0 && wal_inode(store) == store->wal_inode;

		/* Into the file that was moved: its descriptor still leads there. */
		if (sqlite_file_check(store->db, store->path, NULL) == 0)
			sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		abandon(store);
		/* Left behind, our log would be replayed into the file that came instead. */
		if (own_wal)
			unlink(store->wal_path);
		return;
	}
	if (sqlite_file_check(store->db, store->path, NULL) < 0) {
		abandon(store);
		return;
	}
	if (is_cut(store)) {
		abandon_cut(store);
		return;
	}
	/* Only the log was deleted: closing still writes it back, from its descriptor. */
	if (store->wal_inode != 0 && wal_inode(store) != store->wal_inode)
		sqlite_store_close(store);
}

static int prepare_all(struct sqlite_store *store)
{
	int i;

	for (i = 0; i < STATEMENT_COUNT; i++) {
		int rc = sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &store->stmts[i],
					    NULL);

		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

/* Words first, then close: the words are the connection's. */
static int fail(struct sqlite_store *store, int rc, struct failure *ret_failure)
{
	int r = sqlite_file_failure(store->db, rc, store->path, ret_failure);

	sqlite_store_close(store);
	return r;
}

static int open_store(struct sqlite_store *store, struct failure *ret_failure)
{
	int rc;
	int r;

	store->waited_ms = 0;
	if (store->db != NULL)
		close_if_changed(store);
	if (store->db != NULL)
		return 0;
	r = sqlite_schema_open(store->path, on_busy, store, &store->db, ret_failure);
	if (r < 0)
		return r;
	store->bytes = 0;
	store->wal_inode = 0;
	rc = prepare_all(store);
	return rc == SQLITE_OK ? 0 : fail(store, rc, ret_failure);
}

static int run(struct sqlite_store *store, enum statement which)
{
	sqlite3_stmt *stmt = store->stmts[which];

	sqlite3_step(stmt);
	return sqlite3_reset(stmt);
}

static void bind_text(sqlite3_stmt *stmt, int column, const char *text)
{
	sqlite3_bind_text(stmt, column, text, -1, SQLITE_STATIC);
}

/* The text must live until the statement has run. */
static void bind_time(sqlite3_stmt *stmt, int column, int64_t utc_ms, char text[static TIME_SIZE])
{
	units_format_utc_ms(utc_ms, text, TIME_SIZE);
	bind_text(stmt, column, text);
}

static int add_result(struct sqlite_store *store, sqlite3_int64 sweep, const struct sweep_entry *entry)
{
	sqlite3_stmt *stmt = store->stmts[ADD_RESULT];
	const struct check *check = &entry->check;
	char ip[ENTRY_ADDRESS_SIZE];
	int port;

	sqlite3_clear_bindings(stmt);
	address_split(entry->address, ip, sizeof ip, &port);
	sqlite3_bind_int64(stmt, 1, sweep);
	bind_text(stmt, 2, entry->id);
	bind_text(stmt, 3, ip);
	if (port >= 0)
		sqlite3_bind_int(stmt, 4, port);
	sqlite3_bind_int(stmt, 5, check->code);
	bind_text(stmt, 6, check_result(check));
	bind_text(stmt, 7, reason_name(check_reason(check)));
	if (check_reason(check) != check->reason)
		bind_text(stmt, 8, reason_name(check->reason));
	if (check->ssh_done) {
		bind_text(stmt, 9, check_ssh_result(check));
		bind_text(stmt, 10, reason_name(check->ssh_reason));
	}
	if (check->latency_us >= 0)
		sqlite3_bind_double(stmt, 11, (double)check->latency_us / 1000);
	bind_text(stmt, 12, sweep_action_name(entry->action));
	return run(store, ADD_RESULT);
}

static int add_sweep(struct sqlite_store *store, const struct sweep *sweep)
{
	sqlite3_stmt *stmt = store->stmts[ADD_SWEEP];
	char timestamp[TIME_SIZE];
	sqlite3_int64 id;
	size_t i;
	int rc;

	bind_time(stmt, 1, sweep->at_ms, timestamp);
	bind_text(stmt, 2, sweep->open ? "open" : "closed");
	sqlite3_bind_int64(stmt, 3, (sqlite3_int64)sweep->count);
	sqlite3_bind_int64(stmt, 4, (sqlite3_int64)sweep->failed);
	sqlite3_bind_double(stmt, 5, (double)sweep->duration_us / 1000);
	rc = run(store, ADD_SWEEP);
	id = sqlite3_last_insert_rowid(store->db);
	for (i = 0; rc == SQLITE_OK && i < sweep->count; i++)
		rc = add_result(store, id, &sweep->entries[i]);
	return rc;
}

static int add_event(struct sqlite_store *store, const struct event *event)
{
	sqlite3_stmt *stmt = store->stmts[ADD_EVENT];
	char at[TIME_SIZE];

	sqlite3_clear_bindings(stmt);
	bind_time(stmt, 1, event->at_ms, at);
	bind_text(stmt, 2, event->event);
	if (event->instance[0] != '\0')
		bind_text(stmt, 3, event->instance);
	bind_text(stmt, 4, event->detail);
	return run(store, ADD_EVENT);
}

static int add_incident(struct sqlite_store *store, const struct incident *incident)
{
	sqlite3_stmt *stmt = store->stmts[ADD_INCIDENT];
	char *instances = entry_strings_format(incident->instances, incident->instance_count);
	char *tried = entry_strings_format(incident->tried, incident->tried_count);
	char opened[TIME_SIZE];
	char closed[TIME_SIZE];
	int rc = SQLITE_NOMEM;

	sqlite3_clear_bindings(stmt);
	if (instances != NULL && tried != NULL) {
		bind_text(stmt, 1, incident->id);
		bind_text(stmt, 2, incident->cause);
		bind_text(stmt, 3, instances);
		bind_time(stmt, 4, incident->opened_ms, opened);
		if (incident->closed_ms != 0)
			bind_time(stmt, 5, incident->closed_ms, closed);
		bind_text(stmt, 6, tried);
		rc = run(store, ADD_INCIDENT);
	}
	free(instances);
	free(tried);
	return rc;
}

static int add_item(struct sqlite_store *store, const struct queue_item *item)
{
	if (item->sweep != NULL)
		return add_sweep(store, item->sweep);
	if (item->event != NULL)
		return add_event(store, item->event);
	return add_incident(store, item->incident);
}

/* `rc` of what stood between BEGIN and here.  After a failure the caller closes, which rolls back. */
static int end(struct sqlite_store *store, int rc, struct failure *ret_failure)
{
	if (rc == SQLITE_OK)
		rc = run(store, COMMIT);
	if (rc != SQLITE_OK)
		return fail(store, rc, ret_failure);
	if (store->wal_inode == 0)
		store->wal_inode = wal_inode(store);
	store->bytes = sqlite_file_bytes(store->db);
	return 0;
}

int sqlite_store_write(struct sqlite_store *store, const struct queue_item *items, struct failure *ret_failure)
{
	int r = open_store(store, ret_failure);
	int rc;

	if (r < 0)
		return r;
	rc = run(store, BEGIN);
	for (; rc == SQLITE_OK && items != NULL; items = items->next)
		rc = add_item(store, items);
	return end(store, rc, ret_failure);
}

int sqlite_store_prune(struct sqlite_store *store, int64_t before_ms, bool *ret_more, struct failure *ret_failure)
{
	bool more = false;
	int rc;
	int r = open_store(store, ret_failure);

	if (r < 0)
		return r;
	rc = run(store, BEGIN);
	if (rc == SQLITE_OK)
		rc = sqlite_prune(store->db, before_ms, &more);
	r = end(store, rc, ret_failure);
	if (r == 0)
		*ret_more = more;
	return r;
}
