/* reconcile.c: the fleet as a whole: as many instances as wanted, no more. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "config/config.h"
#include "watch/controller_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- Care: from an instance's arrival until it is gone. */

static void on_care_alarm(void *arg)
{
	struct care *care = arg;

	if (care->task == CARE_BACKOFF)
		heal_after_backoff(care->controller, care->instance);
	else if (care->task == CARE_STARTING || care->task == CARE_REFRESHING)
		prove_start(care->controller, care->instance);
}

void care_changed(struct care *care)
{
	care->changed_us = clock_mono_us(care->controller->clock);
}

void care_unwell(struct care *care)
{
	struct instance *instance = care->instance;
	uint64_t now_ms = clock_mono_ms(care->controller->clock);

	if (instance->state == INSTANCE_IN_SERVICE) {
		care->task_since_ms = now_ms;
		/* It was well between: what comes is no row with what was. */
		if (now_ms - care->in_service_since_ms >= WELL_AFTER_MS)
			care->deaths = 0;
	}
	instance->state = INSTANCE_UNHEALTHY;
}

struct instance *care_replaced(const struct care *care)
{
	struct instance *instance = controller_find(care->controller, care->replaces);

	return instance != NULL && care_of(instance)->task != CARE_LEAVING ? instance : NULL;
}

struct care *care_take(struct controller *controller, struct instance *instance)
{
	struct care *care = calloc(1, sizeof *care);

	if (care == NULL)
		abort();
	care->controller = controller;
	care->instance = instance;
	care->task_since_ms = clock_mono_ms(controller->clock);
	care_changed(care);
	care->alarm = alarm_new(controller->clock, on_care_alarm, care);
	if (care->alarm == NULL)
		abort();
	instance->care = care;
	return care;
}

void care_drop(struct instance *instance)
{
	struct care *care = instance->care;

	if (care == NULL)
		return;
	prove_stop(care);
	alarm_free(care->alarm);
	free(care);
	instance->care = NULL;
}

/* --- The fleet as a whole. */

static void launch_failed(struct controller *controller, const struct failure *failure)
{
	unsigned delay_ms = ladder_backoff_ms(++controller->launch_failures + 1);

	controller_event(controller, "launch-failed", NULL, true, "%s", failure->message);
	alarm_set(controller->launch_alarm, delay_ms);
	if (controller->launch_failures >= GIVE_UP_AFTER)
		prove_give_up(controller, failure);
}

struct instance *controller_launch(struct controller *controller, struct failure *ret_failure)
{
	struct instance *instance;
	struct care *care;

	if (controller->driver->ops->launch(controller->driver, &instance, ret_failure) < 0) {
		launch_failed(controller, ret_failure);
		return NULL;
	}
	care = care_take(controller, instance);
	care->fresh = true;
	care->task = CARE_STARTING;
	instance->state = INSTANCE_PENDING;
	return instance;
}

/* One that is doomed goes when its replacement is in service; it no longer counts. */
bool care_counts(const struct instance *instance)
{
	const struct care *care = care_of(instance);

	return care->task != CARE_LEAVING && !care->doomed;
}

static unsigned count_kept(const struct controller *controller)
{
	const struct instance *instance;
	unsigned count = 0;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		count += care_counts(instance);
	return count;
}

static bool is_leaving(const struct controller *controller)
{
	const struct instance *instance;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		if (care_of(instance)->task == CARE_LEAVING)
			return true;
	return false;
}

/* Who serves least: what is not in service first, of those the youngest. */
static struct instance *choose_surplus(const struct controller *controller)
{
	struct instance *instance;
	struct instance *chosen = NULL;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		if (!care_counts(instance))
			continue;
		if (chosen == NULL || instance->state != INSTANCE_IN_SERVICE || chosen->state == INSTANCE_IN_SERVICE)
			chosen = instance;
	}
	return chosen;
}

/* Its replacement leaves before it came into service: this one stays. */
static void keep_doomed(struct care *next)
{
	struct instance *doomed = care_replaced(next);

	if (doomed != NULL)
		care_of(doomed)->doomed = false;
	next->replaces[0] = '\0';
}

void controller_leave(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	bool serves = instance->state == INSTANCE_IN_SERVICE || instance->state == INSTANCE_UNHEALTHY;

	if (care->task == CARE_LEAVING)
		return;
	prove_stop(care);
	alarm_cancel(care->alarm);
	keep_doomed(care);
	care->task = CARE_LEAVING;
	care->task_since_ms = clock_mono_ms(controller->clock);
	if (serves && instance->pid != 0) {
		/* One that hangs never ends its requests: its end lets the balancer send them elsewhere. */
		uint64_t timeout_ms = instance->state == INSTANCE_UNHEALTHY ? UNWELL_DRAIN_MS : DRAIN_TIMEOUT_MS;

		instance->state = INSTANCE_DRAINING;
		controller->driver->ops->drain(controller->driver, instance, timeout_ms);
	} else {
		instance->state = INSTANCE_TERMINATING;
		controller->driver->ops->terminate(controller->driver, instance);
	}
}

static bool is_whole(const struct controller *controller)
{
	const struct instance *instance;

	if (count_kept(controller) != controller_desired(controller) || !controller->driver->balancer_up ||
	    controller->driver->balancer_changing)
		return false;
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		if (instance->state != INSTANCE_IN_SERVICE || care_of(instance)->task != CARE_NONE)
			return false;
	return !controller->roll.active;
}

static void still_going_down(struct controller *controller)
{
	struct failure failure;

	failure_set(&failure, ECANCELED, "the fleet is being taken down");
	prove_give_up(controller, &failure);
	if (controller->is_down)
		controller_tell_down(controller);
}

void reconcile_on_alarm(void *arg)
{
	struct controller *controller = arg;
	unsigned desired = controller_desired(controller);
	unsigned kept;

	waiters_tell(controller, &controller->ended_waiters, NULL, NULL);
	if (controller->going_down) {
		still_going_down(controller);
		return;
	}
	if (!controller->open)
		return;
	kept = count_kept(controller);
	while (kept < desired && !alarm_is_set(controller->launch_alarm)) {
		struct failure failure;

		if (controller_launch(controller, &failure) != NULL)
			kept++;
	}
	if (kept > desired && !is_leaving(controller) && !controller->roll.active)
		controller_leave(controller, choose_surplus(controller));
	if (controller->site_wanted && !controller->roll.active) {
		controller->site_wanted = false;
		if (controller->driver->ops->site_changed(controller->driver))
			roll_begin(controller, NULL, NULL);
	}
	roll_step(controller);
	if (!is_whole(controller))
		return;
	if (!controller->swept_first)
		sweeps_schedule(controller, 0);
	prove_front(controller);
}

void controller_reconcile_soon(struct controller *controller)
{
	if (!alarm_is_set(controller->reconcile_alarm))
		alarm_set(controller->reconcile_alarm, 0);
}

void reconcile_on_launch_alarm(void *arg)
{
	controller_reconcile_soon(arg);
}
