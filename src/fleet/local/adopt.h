/* adopt.h: the processes of ours that run already, found in /proc. */
#ifndef FLEET_LOCAL_ADOPT_H
#define FLEET_LOCAL_ADOPT_H

#include <stdbool.h>
#include <sys/types.h>

/* `leads`: it is its group's leader. */
typedef void adopt_cb(void *arg, pid_t pid, pid_t pgid, bool leads);

/*
 * Call cb for each process that has `word` among its arguments, whole or up
 * to a '/' that `word` ends in, and runs as us or as `uid`: another user's
 * process that carries our words is not ours.  Zombies don't count.
 */
void adopt_scan(const char *word, uid_t uid, adopt_cb *cb, void *arg);

#endif
