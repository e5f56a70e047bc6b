/* process.h: starting processes, and seeing at once when one ends. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/failure.h"

#include <stdbool.h>
#include <sys/types.h>

struct process_set;
struct process_watch;
struct uv_loop_s;

struct process_spec {
	const char *path;
	char *const *argv;
	const char *folder;      /* its working directory */
	uid_t uid;               /* who it runs as, when `drop` */
	gid_t gid;
	bool drop;               /* only root may: also drops supplementary groups */
	int output;              /* its standard output and error; input is /dev/null */
	bool hurry;              /* before others, where we may; process_group_relax ends that */
};

/*
 * Start a process in a session and process group of its own, with no
 * descriptor but 0, 1 and 2, default signals and an environment of PATH and
 * LANG alone.  It is not tied to us: it lives on when we die.  Returns 0, or
 * a negative errno (also when it could not be executed) with the words.
 */
int process_spawn(const struct process_spec *spec, pid_t *ret_pid, struct failure *ret_failure);

/*
 * One a loop.  Becomes the subreaper of what its children leave behind and
 * reaps that.  NULL: no memory.
 */
struct process_set *process_set_new(struct uv_loop_s *loop);

/* Every watch must have been stopped.  Frees in the loop. */
void process_set_free(struct process_set *set);

/* `how` says how it ended ("killed by signal 9", "exit status 1"), or "ended" when it was not our child. */
typedef void process_exit_cb(void *arg, const char *how);

/*
 * Call cb(arg, how) once, from the loop, when `pid` (a child or any process
 * that may be seen) ends.  Returns 0; -ESRCH: it is gone already; or another
 * negative errno.
 */
int process_watch_start(struct process_set *set, pid_t pid, process_exit_cb *cb, void *arg,
			struct process_watch **ret_watch);

/* Silence; the process goes on.  NULL is fine. */
void process_watch_stop(struct process_watch *watch);

/* A process that was started in a hurry is there now: its group gets no more of the machine than others. */
void process_group_relax(pid_t pgid);

/* Signal a whole group, and only a group (pgid > 1).  A group that is gone is fine. */
void process_group_signal(pid_t pgid, int signal_number);

#endif
