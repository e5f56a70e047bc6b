/* local.h: the driver for httpd processes behind a HAProxy on this machine. */
#ifndef FLEET_LOCAL_LOCAL_H
#define FLEET_LOCAL_LOCAL_H

#include "base/failure.h"

#include <stdbool.h>

struct clock;
struct config;
struct driver;
struct driver_events;
struct uv_loop_s;

/*
 * Everything stands below the fleet's folder, whose lock the caller holds.
 * Returns 0, or a negative errno with the words (a program that is not
 * installed, a folder that can't be made).  Ends with the driver's `close`.
 */
int local_new(struct uv_loop_s *loop, struct clock *clock, const struct config *config, bool only_to_shut_down,
	      const struct driver_events *events, void *arg, struct driver **ret_driver, struct failure *ret_failure);

/*
 * What can be seen without being the controller: the instances that run, and
 * whether a balancer does, is asked of their folders and /proc alone.  Calls
 * cb for each, oldest first.  Returns 0 or a negative errno with the words.
 */
struct instance;
int local_survey(const struct config *config, void (*cb)(void *arg, const struct instance *instance), void *arg,
		 bool *ret_balancer_up, struct failure *ret_failure);

#endif
