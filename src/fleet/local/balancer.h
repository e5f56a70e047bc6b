/*
 * balancer.h: HAProxy in front of the fleet: its process, its members, its view of them.
 *
 * Members are changed live through HAProxy's socket, and in its file before
 * that, so that a HAProxy which dies comes back with the members of now.
 */
#ifndef FLEET_LOCAL_BALANCER_H
#define FLEET_LOCAL_BALANCER_H

#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct balancer;
struct clock;
struct config;
struct process_set;
struct programs;
struct uv_loop_s;

struct balancer_events {
	void (*started)(void *arg, const struct failure *failure);
	/* HAProxy's check of a ready member changed its mind. */
	void (*judged)(void *arg, const char *id, bool up, const char *why);
	void (*drained)(void *arg, const char *id);
	void (*removed)(void *arg, const char *id);
	/* "balancer-died", "balancer-started", "balancer-failed", "balancer-hung", "balancer-file-failed". */
	void (*event)(void *arg, const char *event, const char *detail);
};

/* All pointers must outlive it.  NULL: no memory. */
struct balancer *balancer_new(struct uv_loop_s *loop, struct clock *clock, struct process_set *processes,
			      const struct programs *programs, const struct config *config, const char *folder,
			      const struct balancer_events *events, void *arg);

/*
 * Take over the HAProxy that runs in the folder, or start one; `started`
 * follows.  Members that are to be there must have been added before.
 */
void balancer_start(struct balancer *balancer);

/* Instead of balancer_start, when balancer_stop is all that follows: take over the HAProxy that runs, if one does. */
void balancer_adopt(struct balancer *balancer);
bool balancer_is_up(const struct balancer *balancer);

/* A HAProxy with another configuration is taking over: "balancer-started" or "balancer-failed" ends that. */
bool balancer_is_changing(const struct balancer *balancer);

/* The member gets requests, as far as was ordered; after `started` also what a HAProxy that was taken over did. */
bool balancer_is_admitted(const struct balancer *balancer, const char *id);

/* A new member, held.  Returns 0 or -ENOMEM. */
int balancer_add(struct balancer *balancer, const char *id, const char *address, int weight);
void balancer_admit(struct balancer *balancer, const char *id);
void balancer_hold(struct balancer *balancer, const char *id);

/* No new requests; `drained` when the last ended, or after timeout_ms. */
void balancer_drain(struct balancer *balancer, const char *id, uint64_t timeout_ms);

/* Hold and forget; `removed` follows (the member's server must be about to stop, its idle connections count). */
void balancer_remove(struct balancer *balancer, const char *id);

/*
 * Run with another configuration, without a moment unserved: a new HAProxy
 * takes over the sockets.  Returns 0 when it is under way or nothing differs.
 */
int balancer_reconfigure(struct balancer *balancer, const struct config *config, struct failure *ret_failure);

/* Let requests end (at most grace_ms), then stop HAProxy; `cb(arg)` follows. */
void balancer_stop(struct balancer *balancer, uint64_t grace_ms, void (*cb)(void *arg), void *arg);

/* HAProxy goes on.  No event follows; frees in the loop.  NULL is fine. */
void balancer_free(struct balancer *balancer);

#endif
