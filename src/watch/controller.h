/*
 * controller.h: keeps the fleet as the configuration wants it.
 *
 * One loop over pure decisions: what is wanted, what is there (the driver's
 * events), what the sweep says -> what to do (ladder.h) -> do it, record it.
 */
#ifndef WATCH_CONTROLLER_H
#define WATCH_CONTROLLER_H

#include "base/failure.h"
#include "record/entry.h"
#include "watch/checker.h"

#include <stdbool.h>
#include <stddef.h>

struct clock;
struct config;
struct controller;
struct json_t;
struct record;

/* Opens the driver for it; must outlive the controller (as must all the pointers). */
struct driver;
struct driver_events;
typedef int controller_driver_cb(void *arg, const struct driver_events *events, void *events_arg,
				 struct driver **ret_driver, struct failure *ret_failure);

struct controller_setup {
	struct clock *clock;
	const struct config *config;
	struct record *record;
	controller_driver_cb *open_driver;
	void *driver_arg;
	checker_open_cb *open_checker;
	void *checker_arg;
	/* The program's log: one line for each event. */
	void (*log)(void *arg, const struct event *event, bool bad);
	/* The driver is open, or could not be opened: nothing works then, close it. */
	void (*opened)(void *arg, const struct failure *failure);
	void *arg;
};

typedef void controller_done_cb(void *arg, const struct failure *failure);
typedef void controller_sweep_cb(void *arg, const struct sweep *sweep);
typedef void controller_progress_cb(void *arg, const char *text);

/* Returns 0; or a negative errno with the words.  `opened` follows. */
int controller_new(const struct controller_setup *setup, struct controller **ret_controller,
		   struct failure *ret_failure);

/* Nothing ran before this controller came: neither an instance nor the balancer. */
bool controller_began_empty(const struct controller *controller);

/*
 * Call back once when the fleet is as wanted and its page was fetched through
 * the balancer; or with a failure when it can't be (what is missing failed
 * again and again), or is going down.  `progress` (may be NULL) says what
 * happens meanwhile.
 */
void controller_wait(struct controller *controller, controller_progress_cb *progress, controller_done_cb *cb, void *arg);

/* One sweep now, or the one that is running.  The sweep is valid during the call; NULL: going down. */
void controller_sweep(struct controller *controller, controller_sweep_cb *cb, void *arg);

/* The last sweep, or NULL.  Valid until the loop runs again. */
const struct sweep *controller_last_sweep(const struct controller *controller);

/* New content, instance by instance.  One at a time: -EBUSY in the failure. */
void controller_deploy(struct controller *controller, const char *folder, controller_progress_cb *progress,
		       controller_done_cb *cb, void *arg);

/*
 * Another configuration, from now on (it must stay valid).  Returns 0, or a
 * negative errno with the words and the old one in use.
 */
int controller_reconfigure(struct controller *controller, const struct config *config, bool site_too,
			   struct failure *ret_failure);

bool controller_is_going_down(const struct controller *controller);

/* Publish the configuration's site when it is not what was last published from there. */
void controller_publish_site(struct controller *controller);

/* Take the fleet down.  Everything that waits is told so. */
void controller_down(struct controller *controller, controller_done_cb *cb, void *arg);

/* What `status --json` prints; a new reference. */
struct json_t *controller_status(const struct controller *controller);

/* Forget callbacks of somebody who is gone. */
void controller_forget(struct controller *controller, const void *arg);

/* The fleet goes on.  Frees in the loop.  NULL is fine. */
void controller_close(struct controller *controller);

#endif
