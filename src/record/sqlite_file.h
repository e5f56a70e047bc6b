/* sqlite_file.h: what kind of file a record is, and words for what SQLite says about it. */
#ifndef RECORD_SQLITE_FILE_H
#define RECORD_SQLITE_FILE_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

#define SQLITE_FILE_APPLICATION_ID 0x6f62656c    /* "obel", bytes 68 to 71 of the file */
#define SQLITE_FILE_VERSION 1                    /* user_version */
#define SQLITE_FILE_HEADER_BYTES 100

struct sqlite3;

/*
 * What stands at `path`, without changing it: no lock, no recovery, no new
 * file beside it.  It looks through SQLite's own descriptor, because closing
 * another one would drop the locks of this process's connections (POSIX).
 * Returns 0 with *ret_exists (false: nothing there, or an empty file), or a
 * negative errno with the words: -ENOENT (its folder is gone), -EACCES,
 * -EMEDIUMTYPE (another program's database), -EPROTONOSUPPORT (a newer
 * openbell's), -EBADMSG (no database).
 */
int sqlite_file_identify(const char *path, bool *ret_exists, struct failure *failure);

/* The same for a connection's file, read now: it may have been overwritten in place since it was opened. */
int sqlite_file_check(struct sqlite3 *db, const char *path, struct failure *failure);

/* How long a connection's file is now, and how long its header says it is.  0: can't be told. */
int64_t sqlite_file_bytes(struct sqlite3 *db);
int64_t sqlite_file_bytes_promised(struct sqlite3 *db);

/* "file:/var/lib/a%20b/record.db" and `query`: free it; NULL: no memory. */
char *sqlite_file_uri(const char *path, const char *query);

/*
 * Words for the result `rc` of a call on `db` (may be NULL), which was about
 * the file at `path`.  Returns a negative errno: -ENOSPC, -EBUSY, -EBADMSG
 * (damaged), -EACCES, -ENOENT, -ENOMEM, -EIO.
 */
int sqlite_file_failure(struct sqlite3 *db, int rc, const char *path, struct failure *failure);

#endif
