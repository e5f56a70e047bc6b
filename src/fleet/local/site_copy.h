/* site_copy.h: a folder copied whole or not at all. */
#ifndef FLEET_LOCAL_SITE_COPY_H
#define FLEET_LOCAL_SITE_COPY_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SITE_DEPTH_MAX 64

/*
 * Copy the folder `source` (NULL: the built-in Hello World) to `target`,
 * which must not exist; it appears when all of it is on disk.  Regular files,
 * folders and symbolic links are copied (a relative link that leads out of
 * the folder becomes absolute); anything else is refused.  When `shared`, all
 * of it can be read by group `gid` and changed by nobody else than us.
 * Returns 0, or a negative errno with the words and no target.
 */
int site_copy_tree(const char *source, const char *target, bool shared, gid_t gid, struct failure *ret_failure);

/* Changes when a name, size, time, mode or link in the folder does, or its path; of NULL: a constant; 0: unreadable. */
uint64_t site_fingerprint(const char *source);

#endif
