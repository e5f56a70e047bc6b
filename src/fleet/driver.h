/*
 * driver.h: the port of the fleet: how instances come, go and get requests.
 *
 * The controller decides, a driver carries out: on this machine (local), on
 * servers that exist already (hosts), on AWS.  All of it is asynchronous; an
 * order returns at once and its end is an event.
 *
 * The life of an instance, orders on the left and events on the right:
 *
 *   launch     -> listening or died      not in the balancer yet
 *   admit      -> (none)                 the balancer sends it requests
 *   hold       -> (none)                 the balancer sends it no more, at once
 *   drain      -> drained                likewise; its last requests have ended, or the time was up
 *   refresh    -> refreshed              serves the current release (drain it first)
 *   restart    -> listening or died      ends what is left of it, starts it again; held until admitted
 *   terminate  -> gone                   stopped and forgotten; may be ordered in any state
 */
#ifndef FLEET_DRIVER_H
#define FLEET_DRIVER_H

#include "base/failure.h"
#include "fleet/instance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct driver;

/* Run from the loop, never from within an order.  The instance is valid; after `gone` it is freed. */
struct driver_events {
	/* `open` ended: what runs already is in the list, with in-service state where the balancer uses it. */
	void (*opened)(void *arg, const struct failure *failure);
	void (*listening)(void *arg, struct instance *instance);
	/* Its process ended, or never came to listen; nothing of it is left running. */
	void (*died)(void *arg, struct instance *instance, const char *how);
	void (*drained)(void *arg, struct instance *instance);
	void (*refreshed)(void *arg, struct instance *instance, const struct failure *failure);
	void (*gone)(void *arg, struct instance *instance);
	/* The balancer's own check of an admitted instance changed its mind. */
	void (*judged)(void *arg, struct instance *instance, bool up, const char *why);
	/* Something about the fleet as a whole: "balancer-died", "balancer-restarted", ... */
	void (*fleet_event)(void *arg, const char *event, const char *detail);
};

typedef void driver_done_cb(void *arg, const struct failure *failure);

struct driver_ops {
	/* Start the balancer or take over the one that runs; find what runs. */
	void (*open)(struct driver *driver);
	int (*launch)(struct driver *driver, struct instance **ret_instance, struct failure *ret_failure);
	void (*admit)(struct driver *driver, struct instance *instance);
	void (*hold)(struct driver *driver, struct instance *instance);
	void (*drain)(struct driver *driver, struct instance *instance, uint64_t timeout_ms);
	void (*refresh)(struct driver *driver, struct instance *instance);
	void (*restart)(struct driver *driver, struct instance *instance);
	void (*terminate)(struct driver *driver, struct instance *instance);
	/*
	 * Make `folder` (NULL: the configuration's site) the current release, for
	 * launches and refreshes from now on; `revert` goes back to the one before.
	 */
	void (*publish)(struct driver *driver, const char *folder, driver_done_cb *cb, void *arg);
	int (*revert)(struct driver *driver);
	/* The configuration's site is not what was last published from it. */
	bool (*site_changed)(struct driver *driver);
	/* The instance serves the current release. */
	bool (*is_current)(struct driver *driver, const struct instance *instance);
	/* The configuration changed (the new one stays valid until the next call or the end). */
	int (*reconfigure)(struct driver *driver, const struct config *config, struct failure *ret_failure);
	/* Whether a failed check may be the checker's own fault: 1 connected, 0 cut off, -1 can't tell. */
	int (*checker_connected)(struct driver *driver);
	/* Everything down: the balancer first, so that no request finds half a fleet. */
	void (*shut_down)(struct driver *driver, driver_done_cb *cb, void *arg);
	/* Forget the fleet and leave it serving; frees the driver in the loop.  No event follows. */
	void (*close)(struct driver *driver);
};

struct driver {
	const struct driver_ops *ops;
	const struct driver_events *events;
	void *arg;
	struct instance *instances;          /* oldest first */
	bool balancer_up;
	bool balancer_changing;              /* to another configuration; a fleet event tells its end */
	/* Set before `open`: find what runs, start nothing; only shut_down and close follow. */
	bool only_to_shut_down;
};

#endif
