/* haproxy_process.h: HAProxy's process: found, started, replaced by the next, kept alive, stopped. */
#ifndef FLEET_LOCAL_HAPROXY_PROCESS_H
#define FLEET_LOCAL_HAPROXY_PROCESS_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct clock;
struct haproxy_process;
struct haproxy_socket;
struct process_set;
struct programs;
struct uv_loop_s;

struct haproxy_process_events {
	/* It answers on its socket; or it could not be started, and the one before, if there was one, goes on. */
	void (*up)(void *arg, const struct failure *failure);
	/* It ended by itself; restart it with haproxy_process_start. */
	void (*died)(void *arg, const char *how);
};

/* It runs in `folder` on its file haproxy.cfg.  NULL: no memory. */
struct haproxy_process *haproxy_process_new(struct uv_loop_s *loop, struct clock *clock, struct process_set *processes,
					    const struct programs *programs, const char *folder,
					    struct haproxy_socket *socket,
					    const struct haproxy_process_events *events, void *arg);

/* One that runs in the folder already, as us or as `uid`; or 0. */
pid_t haproxy_process_find(const char *folder, uid_t uid);

/* Take over one that runs; `up` follows. */
void haproxy_process_adopt(struct haproxy_process *process, pid_t pid);

/* The same for one that needs not answer, because it is to be stopped: no event follows. */
void haproxy_process_hold(struct haproxy_process *process, pid_t pid);

/*
 * Start one; `up` follows.  When one runs, the new one takes its listening
 * sockets over and the old one ends with its last request.
 */
void haproxy_process_start(struct haproxy_process *process);

/* For one that hangs: `died` follows. */
void haproxy_process_kill(struct haproxy_process *process);

/* 0 when none runs. */
pid_t haproxy_process_pid(const struct haproxy_process *process);

/* Finish what is under way, at most grace_ms, then end; cb(arg) follows, other events don't. */
void haproxy_process_stop(struct haproxy_process *process, uint64_t grace_ms, void (*cb)(void *arg), void *arg);

/* The process goes on; silence.  NULL is fine. */
void haproxy_process_free(struct haproxy_process *process);

#endif
