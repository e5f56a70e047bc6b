/* heal.c: what the ladder says about an instance, carried out. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "config/config.h"
#include "watch/controller_internal.h"

#include <stdio.h>
#include <string.h>

void heal_start(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	unsigned delay_ms = care->task == CARE_BACKOFF ? 0 : ladder_backoff_ms(care->deaths);

	if (delay_ms > 0) {
		care->task = CARE_BACKOFF;
		controller_event(controller, "backing-off", instance, true, "%u deaths in a row: next start in %u ms",
				 care->deaths, delay_ms);
		alarm_set(care->alarm, delay_ms);
		return;
	}
	care->task = CARE_STARTING;
	controller->driver->ops->restart(controller->driver, instance);
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

/* One that lives is kept until the other is in service: a failing instance is better than none. */
static enum sweep_action replace(struct controller *controller, struct instance *instance, const char *why)
{
	struct care *care = care_of(instance);
	struct instance *next;
	struct failure failure;
	struct care *next_care;
	unsigned deaths = care->deaths;
	bool dead = instance->pid == 0;
	char id[ENTRY_ID_SIZE];

	next = alarm_is_set(controller->launch_alarm) ? NULL : controller_launch(controller, &failure);
	if (next == NULL) {
		/* Nothing can be launched now: what is dead is tried again in its place. */
		if (!dead || care->task != CARE_NONE)
			return SWEEP_NONE;
		heal_start(controller, instance);
		return SWEEP_RESTARTED;
	}
	next_care = care_of(next);
	next_care->deaths = deaths;
	snprintf(id, sizeof id, "%s", instance->id);
	snprintf(next_care->replaces, sizeof next_care->replaces, "%s", id);
	controller_event(controller, "replacing", instance, true, "by %s after %u failures in a row: %s", next->id,
			 care->failures, why);
	care->doomed = true;
	if (dead)
		controller_leave(controller, instance);
	return SWEEP_REPLACED;
}

enum sweep_action heal(struct controller *controller, struct instance *instance, enum ladder_kind kind,
		       const char *why)
{
	struct care *care = care_of(instance);
	struct ladder_facts facts = {
		.kind = kind,
		.failures = ++care->failures,
		.restarts = care->restarts,
		.may_restart = controller->config->monitor.restart,
		.replace_after = (unsigned)controller->config->monitor.replace_after,
		.fleet = count(controller, should_serve),
		.failing = count(controller, is_failing),
		.replacing = count(controller, is_replacing),
		.brake_permille = (unsigned)controller->config->monitor.brake_permille,
		.connected = controller->driver->ops->checker_connected(controller->driver),
	};

	snprintf(care->why, sizeof care->why, "%s", why);
	if (care->doomed || care->task == CARE_LEAVING || care->task == CARE_REFRESHING)
		return SWEEP_NONE;
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
		return replace(controller, instance, why);
	case LADDER_BRAKE:
		controller_event(controller, "braked", instance, true, "%u of %u instances fail at once: not replaced: %s",
				 facts.failing, facts.fleet, why);
		return SWEEP_BRAKED;
	}
	return SWEEP_NONE;
}
