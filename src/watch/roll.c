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

static void finish(struct controller *controller)
{
	struct roll *roll = &controller->roll;
	struct waiter waiter = roll->waiter;
	bool failed = roll->failure.message[0] != '\0';
	struct failure failure = roll->failure;
	char took[24];

	units_format_elapsed((int64_t)(clock_mono_ms(controller->clock) - roll->since_ms), took, sizeof took);
	if (failed)
		controller_event(controller, "deploy-failed", NULL, true, "%s: %s", roll->source, failure.message);
	else
		controller_event(controller, "deployed", NULL, false, "%s, %u instances, in %s", roll->source,
				 roll->done, took);
	*roll = (struct roll){ 0 };
	if (waiter.done != NULL)
		waiter.done(waiter.arg, failed ? &failure : NULL);
	else if (failed)
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

static void refuse(const struct waiter *waiter, const char *why)
{
	struct failure failure;

	failure_set(&failure, EBUSY, "%s", why);
	if (waiter != NULL && waiter->done != NULL)
		waiter->done(waiter->arg, &failure);
}

void roll_begin(struct controller *controller, const char *folder, const struct waiter *waiter)
{
	struct roll *roll = &controller->roll;

	if (roll->active || roll->publishing) {
		refuse(waiter, "another deployment is under way: wait for its end (openbell history --since 5m)");
		return;
	}
	if (controller->going_down) {
		refuse(waiter, "the fleet is being taken down");
		return;
	}
	*roll = (struct roll){ .active = true, .publishing = true };
	roll->since_ms = clock_mono_ms(controller->clock);
	snprintf(roll->source, sizeof roll->source, "%s", folder != NULL ? folder : "the configuration's site");
	if (waiter != NULL)
		roll->waiter = *waiter;
	controller->driver->ops->publish(controller->driver, folder, on_published, controller);
}

static struct instance *find_next(const struct controller *controller)
{
	struct instance *instance;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		if (care_of(instance)->task != CARE_LEAVING && !care_of(instance)->doomed &&
		    !controller->driver->ops->is_current(controller->driver, instance))
			return instance;
	return NULL;
}

/* Alone in service it can't be drained: another one with the new release comes first. */
static void replace_alone(struct controller *controller, struct instance *instance)
{
	struct failure failure;
	struct instance *next = controller_launch(controller, &failure);

	if (next == NULL) {
		revert(controller, &failure);
		return;
	}
	snprintf(care_of(next)->replaces, sizeof care_of(next)->replaces, "%s", instance->id);
	snprintf(controller->roll.instance, sizeof controller->roll.instance, "%s", next->id);
	care_of(instance)->doomed = true;
}

void roll_step(struct controller *controller)
{
	struct roll *roll = &controller->roll;
	struct instance *next;
	struct care *care;

	if (!roll->active || roll->publishing || roll->instance[0] != '\0')
		return;
	next = find_next(controller);
	if (next == NULL) {
		finish(controller);
		return;
	}
	care = care_of(next);
	/* It is being healed: its turn comes when it serves again. */
	if (care->task != CARE_NONE)
		return;
	if (next->state == INSTANCE_IN_SERVICE && controller_in_service(controller) < 2) {
		replace_alone(controller, next);
		return;
	}
	snprintf(roll->instance, sizeof roll->instance, "%s", next->id);
	care_unwell(care);
	care_changed(care);
	care->task = CARE_REFRESHING;
	care->proving = false;
	care->task_since_ms = clock_mono_ms(controller->clock);
	next->state = INSTANCE_DRAINING;
	controller->driver->ops->drain(controller->driver, next, DRAIN_TIMEOUT_MS);
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
	if (strcmp(controller->roll.instance, instance->id) != 0)
		return;
	controller->roll.instance[0] = '\0';
	revert(controller, failure);
}

void roll_instance_done(struct controller *controller, struct instance *instance, const struct failure *failure)
{
	struct roll *roll = &controller->roll;
	struct care *care = care_of(instance);

	roll->instance[0] = '\0';
	if (failure == NULL) {
		roll->done++;
		controller_event(controller, roll->reverting ? "reverted" : "deployed", instance, false, "%s",
				 roll->source);
	} else if (roll->active && !roll->reverting) {
		/* Out of service still: it is the first to get the release before back. */
		care->task = CARE_REFRESHING;
		care->proving = false;
		revert(controller, failure);
		if (roll->active) {
			snprintf(roll->instance, sizeof roll->instance, "%s", instance->id);
			controller->driver->ops->refresh(controller->driver, instance);
		}
	} else {
		/* Not well with the release before either: the ladder's, from here on. */
		care->task = CARE_NONE;
		instance->state = INSTANCE_UNHEALTHY;
		controller->driver->ops->admit(controller->driver, instance);
	}
	controller_reconcile_soon(controller);
}
