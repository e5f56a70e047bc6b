/*
 * site.h: what httpd serves, as releases.
 *
 * A site is copied into a release of its own (releases/1, releases/2, ...)
 * before it is served: it changes whole or not at all, stays the same when
 * its source is edited, and can be read by httpd's user, whoever may look
 * into the folder that it came from.
 */
#ifndef FLEET_LOCAL_SITE_H
#define FLEET_LOCAL_SITE_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct site;

/* In the fleet's folder; what is published belongs to group `gid` when `shared`.  NULL: no memory. */
struct site *site_new(const char *folder, bool shared, gid_t gid);
void site_free(struct site *site);

/* The release that launches and refreshes use; 0: none was ever published. */
unsigned site_current(const struct site *site);

/*
 * A copy of `source` (NULL: the built-in Hello World) as the next release,
 * synced to disk, not yet current.  Blocks; runs on any thread.  Returns 0,
 * or a negative errno with the words and nothing left behind.
 */
int site_copy(const struct site *site, const char *source, unsigned release, struct failure *ret_failure);

/* The number for the next copy. */
unsigned site_next(const struct site *site);

/* Make a release the current one.  `source` is what the configuration names when it came from there. */
int site_use(struct site *site, unsigned release, bool from_config, const char *source);

/* What was used from the configuration did not do: site_source_changed is true until the next from there. */
void site_forget_source(struct site *site);

/* Whether `source` is another folder, or holds something else, than what was last used from the configuration. */
bool site_source_changed(const struct site *site, const char *source);

/*
 * Remove the releases that `in_use` says no to, and what copies of them that
 * were cut short left behind.  Blocks; runs on any thread.
 */
void site_prune(const struct site *site, bool (*in_use)(void *arg, unsigned release), void *arg);

#endif
