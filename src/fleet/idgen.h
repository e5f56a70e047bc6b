/* idgen.h: instance ids, none of which is ever used again. */
#ifndef FLEET_IDGEN_H
#define FLEET_IDGEN_H

#include "record/entry.h"

/*
 * The next id, "web-" and eight hex digits, for the fleet in `folder`.  The
 * ids are the numbers 0, 1, 2, ... behind a permutation with a key of the
 * fleet's own: they look random, and no two are alike before 2^32 instances.
 * Key and next number are kept in the folder's file `ids`.  Returns 0 or a
 * negative errno (the number could not be kept).
 */
int idgen_next(const char *folder, char ret_id[ENTRY_ID_SIZE]);

#endif
