/* heal.c: what the ladder says about an instance, carried out. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "config/config.h"
#include "watch/controller_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void restart(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);

	care->task = CARE_STARTING;
	care->proving = false;
	care_changed(care);
	controller->driver->ops->restart(controller->driver, instance);
}

/* Wait before the next start of what keeps dying; false: not in this case. */
static bool back_off(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	unsigned delay_ms = ladder_backoff_ms(care->deaths);

	if (delay_ms == 0)
		return false;
	care->task = CARE_BACKOFF;
	controller_event(controller, "backing-off", instance, true, "%u deaths in a row: next start in %u ms",
			 care->deaths, delay_ms);
	alarm_set(care->alarm, delay_ms);
	return true;
}

void heal_start(struct controller *controller, struct instance *instance)
{
	if (!back_off(controller, instance))
		restart(controller, instance);
}

static unsigned count(const struct controller *controller, bool (*is)(const struct instance *instance))
{
	const struct instance *instance;
	unsigned number = 0;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		number += is(instance);
	return number;
}

static bool is_failing(const struct instance *instance)
{
	return instance->state == INSTANCE_UNHEALTHY && care_of(instance)->task != CARE_LEAVING;
}

static bool is_replacing(const struct instance *instance)
{
	return care_of(instance)->replaces[0] != '\0' && care_of(instance)->fresh;
}

static bool should_serve(const struct instance *instance)
{
	return care_of(instance)->task != CARE_LEAVING && !is_replacing(instance);
}

static struct ladder_facts facts_of(struct controller *controller, const struct instance *instance,
				    enum ladder_kind kind)
{
	const struct care *care = care_of(instance);

	return (struct ladder_facts){
		.kind = kind,
		.failures = care->failures,
		.restarts = care->restarts,
		.may_restart = controller->config->monitor.restart,
		.replace_after = (unsigned)controller->config->monitor.replace_after,
		.fleet = count(controller, should_serve),
		.failing = count(controller, is_failing),
		.replacing = count(controller, is_replacing),
		.brake_permille = (unsigned)controller->config->monitor.brake_permille,
		.connected = controller->driver->ops->checker_connected(controller->driver),
	};
}

/* One that lives is kept until the other is in service: a failing instance is better than none. */
static enum sweep_action replace(struct controller *controller, struct instance *instance, const char *why)
{
	struct care *care = care_of(instance);
	struct failure failure;
	struct instance *next = NULL;
	struct care *next_care;

	if (!alarm_is_set(controller->launch_alarm))
		next = controller_launch(controller, &failure);
	if (next == NULL) {
		/* Nothing can be launched now: what is dead is tried again in its place. */
		if (instance->pid != 0 || care->task != CARE_NONE)
			return SWEEP_NONE;
		restart(controller, instance);
		return SWEEP_RESTARTED;
	}
	next_care = care_of(next);
	next_care->deaths = care->deaths;
	controller_event(controller, "replacing", instance, true, "by %s after %u failures in a row: %s", next->id,
			 care->failures, why);
	snprintf(next_care->replaces, sizeof next_care->replaces, "%s", instance->id);
	care->doomed = true;
	if (instance->pid == 0)
		controller_leave(controller, instance);
	return SWEEP_REPLACED;
}

static void brake(struct controller *controller, const struct instance *instance, const struct ladder_facts *facts,
		  const char *why)
{
	struct failure failure;

	controller_event(controller, "braked", instance, true, "%u of %u instances fail at once: not replaced: %s",
			 facts->failing, facts->fleet, why);
	failure_set(&failure, EIO, "%u of %u instances fail at once: %s: %s", facts->failing, facts->fleet,
		    instance->id, why);
	prove_give_up(controller, &failure);
}

void heal_after_backoff(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	struct ladder_facts facts = facts_of(controller, instance, LADDER_DEAD);

	care->task = CARE_NONE;
	/* What was never in service, or lives but is held, is tried again where it stands. */
	if (!care->fresh && instance->pid == 0 && ladder_step(&facts) == LADDER_REPLACE)
		replace(controller, instance, care->why);
	else
		restart(controller, instance);
}

enum sweep_action heal(struct controller *controller, struct instance *instance, enum ladder_kind kind, const char *why)
{
	struct care *care = care_of(instance);
	struct ladder_facts facts;

	care->failures++;
	snprintf(care->why, sizeof care->why, "%s", why);
	/* Dead, and another one is on its way already. */
	if (care->doomed && kind == LADDER_DEAD && care->task == CARE_NONE)
		controller_leave(controller, instance);
	/* One that backs off is looked after by its alarm. */
	if (care->doomed || care->task == CARE_LEAVING || care->task == CARE_REFRESHING || care->task == CARE_BACKOFF)
		return SWEEP_NONE;
	facts = facts_of(controller, instance, kind);
	switch (ladder_step(&facts)) {
	case LADDER_NONE:
	case LADDER_RECHECK:
		return SWEEP_NONE;
	case LADDER_RESTART:
		if (care->task != CARE_NONE)
			return SWEEP_NONE;
		care->restarts++;
		heal_start(controller, instance);
		return SWEEP_RESTARTED;
	case LADDER_REPLACE:
		if (kind == LADDER_DEAD && care->task == CARE_NONE && back_off(controller, instance))
			return SWEEP_NONE;
		return replace(controller, instance, why);
	case LADDER_BRAKE:
		brake(controller, instance, &facts, why);
		return SWEEP_BRAKED;
	}
	return SWEEP_NONE;
}
