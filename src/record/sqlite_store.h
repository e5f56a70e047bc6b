/*
 * sqlite_store.h: the writing side of the SQLite record; blocking, for a
 * worker thread, one call at a time.
 *
 * Each call opens the file where it is not open.  After a failure it is
 * closed, so that the next call starts from what is there then.
 */
#ifndef RECORD_SQLITE_STORE_H
#define RECORD_SQLITE_STORE_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

#define SQLITE_STORE_BUSY_MS 1000    /* how long a call waits for another's lock */

struct queue_item;
struct sqlite_store;

/* Opens nothing yet.  NULL: no memory. */
struct sqlite_store *sqlite_store_new(const char *path);

/*
 * Write them all in one transaction.  Returns 0, or a negative errno with
 * the words and nothing written.
 */
int sqlite_store_write(struct sqlite_store *store, const struct queue_item *items, struct failure *ret_failure);

/* One step of sqlite_prune, in a transaction of its own. */
int sqlite_store_prune(struct sqlite_store *store, int64_t before_ms, bool *ret_more, struct failure *ret_failure);

/* From any thread: do not wait for locks any more. */
void sqlite_store_hurry(struct sqlite_store *store);

/* Close the file, its log written back into it where this is the last connection. */
void sqlite_store_close(struct sqlite_store *store);

/* It must be closed.  NULL is fine. */
void sqlite_store_free(struct sqlite_store *store);

#endif
