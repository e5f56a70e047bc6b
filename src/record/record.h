/*
 * record.h: the port of the record: where sweeps, incidents and events are kept.
 *
 * Writing never blocks and never fails towards the caller: what is given is
 * copied into a bounded queue in memory and written by a worker thread.  While
 * the store can't be written (disk full, file damaged, table away) the queue
 * keeps what it has, the store is tried again at growing intervals, and
 * record_state says what is wrong.  When the bound is reached the oldest
 * sweeps that passed go first, events and incidents last, and what was lost
 * is counted.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "base/failure.h"
#include "record/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_QUEUE_BYTES_MAX (4 * 1024 * 1024)

struct clock;
struct record;
struct uv_loop_s;

struct record_state {
	bool ok;
	size_t pending;              /* entries in memory, not yet written */
	size_t lost;                 /* dropped at the bound since the start */
	int64_t failing_since_ms;    /* UTC; 0 when ok */
	struct failure failure;      /* when !ok */
};

/* Runs on the loop when `ok` changes, never from within a record_add. */
typedef void record_state_cb(void *arg, const struct record_state *state);
typedef void record_close_cb(void *arg);

/*
 * The SQLite store at `path` (copied), opened by the worker at the first
 * write, so that a file which can't be opened is a state and not an error
 * here.  Its folder must exist: one that went away (a disk that is not
 * mounted) is waited for and not made anew.  A file that was moved, deleted
 * or replaced is noticed at the next write, and a new one begun where there
 * is none.  `keep_ms`: sweeps and events older than this, and incidents that
 * were closed before, are pruned after a write, at most once an hour, in
 * small steps between the writes; 0 or less: never.  `clock` and `loop` must
 * live until record_close called back.  Returns 0 or -ENOMEM.
 */
int record_open_sqlite(struct uv_loop_s *loop, struct clock *clock, const char *path, int64_t keep_ms,
		       record_state_cb *cb, void *arg, struct record **ret_record);

void record_add_sweep(struct record *record, const struct sweep *sweep);
void record_add_event(struct record *record, const struct event *event);

/* Opens it (closed_ms 0) or rewrites the one with the same id. */
void record_add_incident(struct record *record, const struct incident *incident);

/* Valid until the loop runs again; in the callback of record_close for the last time. */
const struct record_state *record_state(const struct record *record);

/*
 * Write what is pending, for at most timeout_ms, then close and free.  A
 * store that is locked is tried until then, one that fails otherwise once.
 * `cb` runs from the loop, exactly once, at the deadline at the latest:
 * record_state then says what stayed pending, and that is lost.  A write that
 * hangs in the disk keeps the loop alive until it is through.
 */
void record_close(struct record *record, uint64_t timeout_ms, record_close_cb *cb, void *arg);

/* --- Reading, for verbs: blocking, on the caller's thread, in its own connection. */

struct record_query {
	int64_t since_ms;            /* UTC, 0: from the beginning */
	int64_t until_ms;            /* UTC, 0: no end */
	const char *instance;        /* NULL: all */
	bool incidents_only;
	bool sweeps_only;
	size_t limit;                /* newest so many, still oldest first; 0: all */
};

/* One of the three is not NULL; valid during the call.  Non-zero stops the reading and is returned. */
typedef int record_row_cb(void *arg, const struct sweep *sweep, const struct event *event,
			  const struct incident *incident);

/*
 * Rows in order of time, oldest first, streamed in flat memory.  A record
 * that isn't there yet has no rows.  Returns 0, what the callback returned,
 * or a negative errno with the words in *ret_failure (another program's
 * database, damaged, unreadable).
 */
int record_read_sqlite(const char *path, const struct record_query *query, record_row_cb *cb, void *arg,
		       struct failure *ret_failure);

#endif
