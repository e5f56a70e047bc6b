/* happenings.c: what the driver reports, and what follows from it. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/units.h"
#include "config/config.h"
#include "watch/controller_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
/* --- The driver's events. */

/* What was there before us: left alone, proved, or started again. */
static void adopt(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);

	if (instance->pid == 0) {
		care->task = CARE_STARTING;
		heal_start(controller, instance);
	} else if (instance->state == INSTANCE_PENDING) {
		care->fresh = true;
		care->task = CARE_STARTING;
		prove_start(controller, instance);
	} else {
		controller_event(controller, "adopted", instance, false, "pid %d", (int)instance->pid);
	}
}

static void begin(struct controller *controller)
{
	struct instance *instance;

	controller->open = true;
	controller->began_empty = controller->driver->instances == NULL;
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		struct care *care = care_of(instance);

		if (care == NULL)
			care = care_take(controller, instance);
		care->in_service_since_ms = clock_mono_ms(controller->clock);
		snprintf(care->why, sizeof care->why, "not running when the controller came");
	}
	if (controller->driver->only_to_shut_down || controller->going_down)
		return;
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		adopt(controller, instance);
	roll_resume(controller);
	controller_reconcile_soon(controller);
	/* There is nothing to sweep before the fleet is whole, unless somebody asked. */
	if (controller->began_empty && controller->sweep_waiters == NULL)
		sweeps_schedule(controller, (uint64_t)controller->config->monitor.every_ms);
	else
		sweeps_schedule(controller, 0);
}

static void on_opened(void *arg, const struct failure *failure)
{
	struct controller *controller = arg;

	if (failure == NULL)
		begin(controller);
	/* Last: whoever is told may take the fleet down, or close the controller. */
	controller->setup.opened(controller->setup.arg, failure);
}

static void on_listening(void *arg, struct instance *instance)
{
	struct controller *controller = arg;

	if (care_of(instance)->task != CARE_STARTING)
		return;
	care_of(instance)->proving = false;
	prove_start(controller, instance);
}

void controller_replacement_failed(struct controller *controller, struct instance *instance,
				   const struct failure *failure)
{
	struct instance *doomed = care_replaced(care_of(instance));

	/*
	 * Better a failing instance than none.  The ladder asks again, and the
	 * next replacement takes up the row of deaths where this one leaves it.
	 */
	if (doomed != NULL)
		care_of(doomed)->deaths = care_of(instance)->deaths;
	alarm_set(controller->launch_alarm, ladder_backoff_ms(controller->launch_failures + 1));
	controller_event(controller, "replace-failed", instance, true, "%s", failure->message);
	roll_replacement_failed(controller, instance, failure);
	controller_leave(controller, instance);
}

void controller_start_failed(struct controller *controller, struct instance *instance, const struct failure *failure)
{
	struct care *care = care_of(instance);

	if (++controller->launch_failures >= GIVE_UP_AFTER)
		prove_give_up(controller, failure);
	if (care->deaths >= GIVE_UP_AFTER && (care_replaced(care) != NULL || roll_is_turn_of(controller, instance)))
		controller_replacement_failed(controller, instance, failure);
	else
		heal_start(controller, instance);
}

/* Drained, or dead before that. */
static void end_leaving(struct controller *controller, struct instance *instance)
{
	if (instance->state != INSTANCE_DRAINING)
		return;
	instance->state = INSTANCE_TERMINATING;
	controller->driver->ops->terminate(controller->driver, instance);
}

static void on_died(void *arg, struct instance *instance, const char *how)
{
	struct controller *controller = arg;
	struct care *care = care_of(instance);
	struct failure failure;

	/* While the driver opens: it is seen dead when that is done. */
	if (care == NULL)
		return;
	prove_stop(care);
	alarm_cancel(care->alarm);
	care_changed(care);
	if (care->task == CARE_LEAVING) {
		end_leaving(controller, instance);
		return;
	}
	if (!care->fresh)
		care_unwell(care);
	care->deaths++;
	snprintf(care->why, sizeof care->why, "%s", how);
	controller_event(controller, "died", instance, true, "%s", how);
	care->task = CARE_NONE;
	if (!care->fresh && roll_is_turn_of(controller, instance))
		controller->roll.instance[0] = '\0';
	if (care->fresh) {
		failure_set(&failure, EIO, "%s: %s", instance->id, how);
		controller_start_failed(controller, instance, &failure);
		return;
	}
	heal(controller, instance, LADDER_DEAD, how);
	controller_reconcile_soon(controller);
}

static void on_drained(void *arg, struct instance *instance)
{
	struct controller *controller = arg;
	struct care *care = care_of(instance);
	char took[24];

	units_format_elapsed((int64_t)(clock_mono_ms(controller->clock) - care->task_since_ms), took, sizeof took);
	if (care->task == CARE_LEAVING) {
		controller_event(controller, "drained", instance, false, "in %s", took);
		end_leaving(controller, instance);
	} else if (care->task == CARE_REFRESHING) {
		controller_event(controller, "drained", instance, false, "in %s", took);
		roll_drained(controller, instance);
	}
}

static void on_refreshed(void *arg, struct instance *instance, const struct failure *failure)
{
	struct controller *controller = arg;

	if (care_of(instance)->task == CARE_REFRESHING)
		roll_refreshed(controller, instance, failure);
}

static void on_gone(void *arg, struct instance *instance)
{
	struct controller *controller = arg;

	sweeps_instance_gone(controller, instance);
	controller_event(controller, "stopped", instance, false, "%s", "");
	care_drop(instance);
	if (roll_is_turn_of(controller, instance))
		controller->roll.instance[0] = '\0';
	controller_reconcile_soon(controller);
}

static void on_judged(void *arg, struct instance *instance, bool up, const char *why)
{
	struct controller *controller = arg;
	struct care *care = care_of(instance);

	if (care == NULL || care->task != CARE_NONE)
		return;
	care->balancer_down = !up;
	care_changed(care);
	if (up) {
		care->failures = 0;
		instance->state = INSTANCE_IN_SERVICE;
		controller_event(controller, "recovered", instance, false, "the balancer's check passes again");
		controller_reconcile_soon(controller);
		return;
	}
	care_unwell(care);
	controller_event(controller, "failing", instance, true, "the balancer's check: %s", why);
	/* L4 and L7 time-outs, refused connections: silent; an answer that is wrong: L7STS, L7RSP, L7OKC. */
	heal(controller, instance,
	     strncmp(why, "L7STS", 5) == 0 || strncmp(why, "L7RSP", 5) == 0 ? LADDER_WRONG : LADDER_SILENT, why);
}

static void on_fleet_event(void *arg, const char *event, const char *detail)
{
	struct controller *controller = arg;

	struct failure failure;

	controller_event(controller, event, NULL, strcmp(event, "balancer-started") != 0, "%s", detail);
	if (strcmp(event, "balancer-failed") == 0) {
		failure_set(&failure, EIO, "%s", detail);
		prove_give_up(controller, &failure);
	}
	controller_reconcile_soon(controller);
}

const struct driver_events controller_driver_events = {
	.opened = on_opened,
	.listening = on_listening,
	.died = on_died,
	.drained = on_drained,
	.refreshed = on_refreshed,
	.gone = on_gone,
	.judged = on_judged,
	.fleet_event = on_fleet_event,
};
