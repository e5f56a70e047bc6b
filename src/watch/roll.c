/*
 * roll.c: a deployment, instance by instance: drained, refreshed, proved, admitted.
 *
 * Whoever is not current yet is next; so a deployment that fails only has to
 * make the release before current again, and the same steps undo it.
 */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/units.h"
#include "watch/controller_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000 /* for those who are missing, before one comes in addition */

static void finish(struct controller *controller)
{
	struct roll *roll = &controller->roll;
	struct waiter waiter = roll->waiter;
	bool failed = roll->failure.message[0] != '\0';
	bool from_config = roll->from_config;
	struct failure failure = roll->failure;
	char took[24];

	units_format_elapsed((int64_t)(clock_mono_ms(controller->clock) - roll->since_ms), took, sizeof took);
	if (failed)
		controller_event(controller, "deploy-failed", NULL, true, "%s: %s", roll->source, failure.message);
	else
		controller_event(controller, "deployed", NULL, false, "%s, %u instances, in %s", roll->source,
				 roll->done, took);
	*roll = (struct roll){ 0 };
	waiter_end(controller, &waiter, failed ? &failure : NULL);
	if (failed && from_config)
		/* The configuration's site: whoever waits for the fleet waits for that. */
		prove_give_up(controller, &failure);
	controller_reconcile_soon(controller);
}

static void revert(struct controller *controller, const struct failure *failure)
{
	struct roll *roll = &controller->roll;

	/* What was undone already can't be undone again. */
	if (roll->reverting)
		return;
	roll->reverting = true;
	roll->failure = *failure;
	if (controller->driver->ops->revert(controller->driver) < 0)
		finish(controller);
	controller_reconcile_soon(controller);
}

static void on_published(void *arg, const struct failure *failure)
{
	struct controller *controller = arg;

	controller->roll.publishing = false;
	if (!controller->roll.active)
		return;
	if (failure != NULL) {
		controller->roll.failure = *failure;
		finish(controller);
		return;
	}
	controller_reconcile_soon(controller);
}

static void refuse(struct controller *controller, const struct waiter *waiter, const char *why)
{
	struct failure failure;

	failure_set(&failure, EBUSY, "%s", why);
	if (waiter != NULL)
		waiter_end(controller, waiter, &failure);
}

void roll_begin(struct controller *controller, const char *folder, const struct waiter *waiter)
{
	struct roll *roll = &controller->roll;

	if (roll->active || roll->publishing) {
		refuse(controller, waiter,
		       "another deployment is under way: wait for its end (openbell history --since 5m)");
		return;
	}
	if (controller->going_down || !controller->open) {
		refuse(controller, waiter,
		       controller->going_down ? "the fleet is being taken down"
					      : "the fleet is being opened: try again in a moment");
		return;
	}
	*roll = (struct roll){ .active = true, .publishing = true, .from_config = folder == NULL };
	roll->since_ms = clock_mono_ms(controller->clock);
	snprintf(roll->source, sizeof roll->source, "%s", folder != NULL ? folder : "the configuration's site");
	if (waiter != NULL)
		roll->waiter = *waiter;
	controller->driver->ops->publish(controller->driver, folder, on_published, controller);
}

static struct instance *find_next(const struct controller *controller, bool *ret_left);

void roll_resume(struct controller *controller)
{
	struct roll *roll = &controller->roll;
	bool left;

	find_next(controller, &left);
	if (!left || roll->active)
		return;
	*roll = (struct roll){ .active = true, .source = "what was being deployed when the last controller ended" };
	roll->since_ms = clock_mono_ms(controller->clock);
}

bool roll_is_turn_of(const struct controller *controller, const struct instance *instance)
{
	return controller->roll.instance[0] != '\0' && strcmp(controller->roll.instance, instance->id) == 0;
}

/* It can be refreshed now, or is better launched anew; others are being healed and come later. */
static bool is_free(const struct instance *instance)
{
	const struct care *care = care_of(instance);

	switch (care->task) {
	case CARE_NONE:
		return true;
	case CARE_STARTING:
		return care->proving;
	case CARE_BACKOFF:
		return care->fresh;
	case CARE_REFRESHING:
	case CARE_LEAVING:
		break;
	}
	return false;
}

/* Of those who are free; first whoever does not serve, as nobody misses it.  ret_left: there are some, free or not. */
static struct instance *find_next(const struct controller *controller, bool *ret_left)
{
	struct instance *instance;
	struct instance *next = NULL;

	*ret_left = false;
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		if (care_of(instance)->task == CARE_LEAVING ||
		    controller->driver->ops->is_current(controller->driver, instance))
			continue;
		*ret_left = true;
		if (!care_of(instance)->doomed && is_free(instance) &&
		    (next == NULL || (next->state == INSTANCE_IN_SERVICE && instance->state != INSTANCE_IN_SERVICE)))
			next = instance;
	}
	return next;
}

/* It can't be spared, so another one with the new release comes first. */
static void replace(struct controller *controller, struct instance *instance)
{
	struct failure failure;
	struct instance *next;

	/* Its alarm comes back here. */
	if (alarm_is_set(controller->launch_alarm))
		return;
	next = controller_launch(controller, &failure);
	if (next == NULL) {
		revert(controller, &failure);
		return;
	}
	snprintf(care_of(next)->replaces, sizeof care_of(next)->replaces, "%s", instance->id);
	snprintf(controller->roll.instance, sizeof controller->roll.instance, "%s", next->id);
	care_of(instance)->doomed = true;
}

/* Well or not, nobody else gets requests. */
static bool serves_alone(const struct controller *controller, const struct instance *instance)
{
	const struct instance *other;

	if (care_of(instance)->task != CARE_NONE)
		return false;
	for (other = controller->driver->instances; other != NULL; other = other->next)
		if (other != instance && care_of(other)->task == CARE_NONE)
			return false;
	return true;
}

/* Somebody is missing besides the one whose turn it is: they get a while to come back. */
static bool is_short_handed(struct controller *controller)
{
	struct roll *roll = &controller->roll;
	uint64_t now_ms = clock_mono_ms(controller->clock);

	if (controller_in_service(controller) >= controller_desired(controller)) {
		roll->short_handed = false;
		return false;
	}
	if (!roll->short_handed) {
		roll->short_handed = true;
		roll->short_since_ms = now_ms;
		alarm_set(controller->roll_alarm, PATIENCE_MS);
	}
	return true;
}

static bool somebody_drains(const struct controller *controller)
{
	const struct instance *instance = controller->driver->instances;

	while (instance != NULL && instance->state != INSTANCE_DRAINING)
		instance = instance->next;
	return instance != NULL;
}

void roll_on_alarm(void *controller)
{
	controller_reconcile_soon(controller);
}

/* Out of service it goes, where it served. */
static void refresh(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	bool starting = care->task == CARE_STARTING;

	snprintf(controller->roll.instance, sizeof controller->roll.instance, "%s", instance->id);
	prove_stop(care);
	alarm_cancel(care->alarm);
	if (!starting) {
		care_unwell(care);
		care->task_since_ms = clock_mono_ms(controller->clock);
	}
	care_changed(care);
	care->task = CARE_REFRESHING;
	care->proving = false;
	if (starting) {
		controller->driver->ops->refresh(controller->driver, instance);
		return;
	}
	instance->state = INSTANCE_DRAINING;
	controller->driver->ops->drain(controller->driver, instance, DRAIN_TIMEOUT_MS);
}

static bool old_ones_leave(const struct controller *controller)
{
	const struct instance *instance;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		if (!controller->driver->ops->is_current(controller->driver, instance))
			return true;
	return false;
}

void roll_step(struct controller *controller)
{
	struct roll *roll = &controller->roll;
	struct instance *next;
	bool left;

	if (!roll->active || roll->publishing || roll->instance[0] != '\0')
		return;
	next = find_next(controller, &left);
	if (!left) {
		/* One that was replaced may still get a last request. */
		if (!old_ones_leave(controller))
			finish(controller);
	} else if (next == NULL || somebody_drains(controller)) {
		/* What is being healed changes before long; who drains, of a fleet that gets smaller, is gone before long. */
		return;
	} else if (care_of(next)->task == CARE_BACKOFF) {
		controller_leave(controller, next);
	} else if (next->state == INSTANCE_IN_SERVICE && is_short_handed(controller)) {
		if (clock_mono_ms(controller->clock) - roll->short_since_ms >= PATIENCE_MS)
			replace(controller, next);
	} else if (serves_alone(controller, next)) {
		replace(controller, next);
	} else {
		refresh(controller, next);
	}
}

void roll_drained(struct controller *controller, struct instance *instance)
{
	controller->driver->ops->refresh(controller->driver, instance);
}

void roll_refreshed(struct controller *controller, struct instance *instance, const struct failure *failure)
{
	if (failure != NULL)
		roll_instance_done(controller, instance, failure);
	else
		prove_start(controller, instance);
}

void roll_replacement_failed(struct controller *controller, struct instance *instance, const struct failure *failure)
{
	if (!roll_is_turn_of(controller, instance))
		return;
	controller->roll.instance[0] = '\0';
	revert(controller, failure);
}

void roll_instance_done(struct controller *controller, struct instance *instance, const struct failure *failure)
{
	struct roll *roll = &controller->roll;
	struct care *care = care_of(instance);
	bool again = roll->active && !roll->reverting;

	roll->instance[0] = '\0';
	controller_reconcile_soon(controller);
	if (failure == NULL) {
		roll->done++;
		controller_event(controller, roll->reverting ? "reverted" : "deployed", instance, false, "%s",
				 roll->source);
		return;
	}
	revert(controller, failure);
	if (again && roll->active) {
		/* Out of service still: it is the first to get the release before back. */
		snprintf(roll->instance, sizeof roll->instance, "%s", instance->id);
		care->proving = false;
		controller->driver->ops->refresh(controller->driver, instance);
		return;
	}
	/* Not well with the release before either: healed like any other. */
	if (!care->fresh)
		instance->state = INSTANCE_UNHEALTHY;
	heal_start(controller, instance);
}
