/* path.h: files and folders, whole and safely. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* printf into a new string; NULL: no memory. */
char *path_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * `path` made absolute: "~" and "~/..." start at $HOME (or the passwd
 * entry's), what is relative at `folder`.  No symbolic link is followed.
 * Free the result; NULL: no memory.
 */
char *path_absolute(const char *folder, const char *path);

/* mkdir -p.  An existing folder keeps its mode.  Returns 0 or a negative errno. */
int path_make_folders(const char *path, mode_t mode);

/*
 * The whole file, NUL-terminated, at most max_bytes (-EFBIG beyond).  Returns
 * 0 or a negative errno; free *ret_text.
 */
int path_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length);

/*
 * Replace the file's content so that a reader, or a crash, sees the old or
 * the new one whole: a temporary name beside it, fsync when `durable`, rename.
 * On failure the old file stands.  Returns 0 or a negative errno.
 */
int path_write(const char *path, const char *text, size_t length, mode_t mode, bool durable);

/* rm -rf, without following symbolic links.  Gone already is 0. */
int path_remove_tree(const char *path);

#endif
