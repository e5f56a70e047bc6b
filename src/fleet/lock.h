/* lock.h: one openbell a fleet and state folder. */
#ifndef FLEET_LOCK_H
#define FLEET_LOCK_H

#include "base/failure.h"

#include <sys/types.h>

struct config;

/*
 * Make the fleet's folder and hold its lock.  The kernel keeps the lock, so
 * that none is ever stale; it ends with this process, and no program that we
 * start inherits it.  The holder's pid stands in the file.  Returns a
 * descriptor to close when done; -EAGAIN with the holder in *ret_holder; or
 * another negative errno with the words.
 */
int fleet_lock(const struct config *config, pid_t *ret_holder, struct failure *ret_failure);

/* Who holds it now: a pid, or 0. */
pid_t fleet_lock_holder(const struct config *config);

#endif
