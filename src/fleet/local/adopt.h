/* adopt.h: the processes of ours that run already, found in /proc. */
#ifndef FLEET_LOCAL_ADOPT_H
#define FLEET_LOCAL_ADOPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* `rest` is what follows the word in its argument; `leads`: it is its group's leader. */
typedef void adopt_cb(void *arg, const char *rest, pid_t pid, pid_t pgid, bool leads);

/*
 * Call cb for each process that has `word` among its arguments (whole, or
 * with more behind it when `word` ends in '/'), and runs as us or as `uid`:
 * another user's process that carries our words is not ours.  Zombies don't
 * count.
 */
void adopt_scan(const char *word, uid_t uid, adopt_cb *cb, void *arg);

/* When a process started, in clock ticks since boot: to compare; 0: not known. */
uint64_t adopt_start_ticks(pid_t pid);

/* The same as UTC milliseconds; 0: not known. */
int64_t adopt_started_ms(pid_t pid);

#endif
