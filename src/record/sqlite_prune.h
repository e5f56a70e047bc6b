/* sqlite_prune.h: forgetting what is old, a little at a time. */
#ifndef RECORD_SQLITE_PRUNE_H
#define RECORD_SQLITE_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#define SQLITE_PRUNE_ROWS 5000    /* about how many rows of a table one call removes */

struct sqlite3;

/*
 * Within the caller's transaction, remove some of the sweeps and events that
 * are older than `before_ms` and of the incidents that were closed before it,
 * oldest first; *ret_more: there may be more of them.  A sweep goes with all
 * of its results.  Returns SQLITE_OK or SQLite's own code, with *ret_more
 * untouched.
 */
int sqlite_prune(struct sqlite3 *db, int64_t before_ms, bool *ret_more);

#endif
