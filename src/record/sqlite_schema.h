/* sqlite_schema.h: the record's tables, and a connection that may write them. */
#ifndef RECORD_SQLITE_SCHEMA_H
#define RECORD_SQLITE_SCHEMA_H

#include "base/failure.h"

struct sqlite3;

/*
 * Open the record at `path` for writing, create it where there is none.
 * `busy(arg, n)` is asked after the n-th time that somebody else's lock was
 * met, and returns 0 to give up.  Returns 0, *ret_db to be closed with
 * sqlite3_close; or a negative errno with the words, as sqlite_file.h has
 * them, and the file untouched where it is not a record.
 */
int sqlite_schema_open(const char *path, int (*busy)(void *arg, int count), void *arg, struct sqlite3 **ret_db,
		       struct failure *failure);

#endif
