/* sweeps.c: every instance checked, on time, on demand; recorded; what fails goes to the ladder. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "config/config.h"
#include "record/record.h"
#include "watch/controller_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_swept(const struct instance *instance)
{
	return (instance->state == INSTANCE_IN_SERVICE || instance->state == INSTANCE_UNHEALTHY) &&
	       care_of(instance)->task != CARE_LEAVING;
}

static void finish(struct controller *controller, struct sweep *sweep)
{
	sweep->duration_us = (int64_t)(clock_mono_us(controller->clock) - controller->round_since_us);
	record_add_sweep(controller->setup.record, sweep);
	free(controller->last_sweep);
	controller->last_sweep = sweep;
	free(controller->round_instances);
	controller->round_instances = NULL;
	controller->round_count = 0;
	waiters_tell(controller, &controller->sweep_waiters, NULL, sweep);
	controller_reconcile_soon(controller);
}

/* An instance that changed after the sweep began may have been asked before that. */
static bool is_stale(const struct controller *controller, const struct instance *instance)
{
	return care_of(instance)->changed_us > controller->round_since_us;
}

static void note(struct controller *controller, struct instance *instance, const struct check *check)
{
	struct care *care = care_of(instance);

	care->check = *check;
	care->checked = true;
	if (!controller->checker->ops->decided(check) || is_stale(controller, instance) || care->task != CARE_NONE)
		return;
	if (!check_passed(check)) {
		if (instance->state == INSTANCE_IN_SERVICE)
			controller_event(controller, "failing", instance, true, "the sweep: %s",
					 reason_name(check_reason(check)));
		care_unwell(care);
	} else if (!care->balancer_down) {
		care->failures = 0;
		care->restarts = 0;
		instance->state = INSTANCE_IN_SERVICE;
	}
}

/* All verdicts are noted before the first is acted on: the ladder asks how many fail at once. */
static enum sweep_action act(struct controller *controller, struct instance *instance, const struct check *check)
{
	struct care *care = care_of(instance);
	char why[ENTRY_DETAIL_SIZE];

	if (!controller->checker->ops->decided(check) || is_stale(controller, instance))
		return SWEEP_NONE;
	if (check_passed(check)) {
		/* Well by our own check, and not by the balancer's: only it can tell when that ends. */
		if (!care->balancer_down || care->task != CARE_NONE)
			return SWEEP_NONE;
		snprintf(why, sizeof why, "%s", care->why);
		return heal(controller, instance, LADDER_WRONG, why);
	}
	if (check->code != 0)
		snprintf(why, sizeof why, "%s (%d)", reason_name(check_reason(check)), check->code);
	else
		snprintf(why, sizeof why, "%s", reason_name(check_reason(check)));
	return heal(controller, instance, instance->pid == 0 ? LADDER_DEAD : ladder_kind_of(check_reason(check)), why);
}

static void on_round(void *arg, const struct check *checks, size_t count)
{
	struct controller *controller = arg;
	struct sweep *sweep = controller->round_sweep;
	size_t i;

	controller->round = NULL;
	controller->round_sweep = NULL;
	for (i = 0; i < count; i++) {
		struct sweep_entry *entry = &sweep->entries[i];

		entry->check = checks[i];
		if (controller->round_instances[i] != NULL)
			note(controller, controller->round_instances[i], &checks[i]);
		else if (!check_passed(&checks[i]))
			entry->check.reason = REASON_GONE;
		sweep->failed += !check_passed(&entry->check);
	}
	for (i = 0; i < count; i++)
		if (controller->round_instances[i] != NULL && !controller->going_down)
			sweep->entries[i].action = act(controller, controller->round_instances[i], &checks[i]);
	finish(controller, sweep);
}

static void begin(struct controller *controller)
{
	const struct instance *instance;
	struct check_target *targets;
	struct sweep *sweep;
	struct instance *each;
	size_t count = 0;
	size_t i = 0;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		count += is_swept(instance);
	sweep = sweep_alloc(count);
	targets = calloc(count + 1, sizeof *targets);
	controller->round_instances = calloc(count + 1, sizeof *controller->round_instances);
	if (sweep == NULL || targets == NULL || controller->round_instances == NULL)
		abort();
	for (each = controller->driver->instances; each != NULL; each = each->next) {
		if (!is_swept(each))
			continue;
		targets[i].address = each->sockaddr;
		snprintf(sweep->entries[i].id, sizeof sweep->entries[i].id, "%s", each->id);
		snprintf(sweep->entries[i].address, sizeof sweep->entries[i].address, "%s", each->address);
		controller->round_instances[i++] = each;
	}
	sweep->at_ms = clock_utc_ms(controller->clock);
	sweep->open = true;
	controller->round_sweep = sweep;
	controller->round_count = count;
	controller->round_since_us = clock_mono_us(controller->clock);
	if (count == 0 || controller->checker->ops->start(controller->checker, targets, count, on_round, controller,
							  &controller->round) < 0) {
		/* Nothing to ask, or nothing to ask it with: an empty sweep is a sweep, too. */
		controller->round_sweep = NULL;
		sweep->count = 0;
		finish(controller, sweep);
	}
	free(targets);
}

void sweeps_on_alarm(void *arg)
{
	struct controller *controller = arg;

	if (controller->going_down) {
		waiters_tell(controller, &controller->sweep_waiters, NULL, NULL);
		return;
	}
	controller->swept_first = true;
	sweeps_schedule(controller, (uint64_t)controller->config->monitor.every_ms);
	if (controller->round_sweep != NULL)
		controller_event(controller, "sweep-late", NULL, true,
				 "the sweep before still runs when the next is due: raise monitor.every");
	else
		begin(controller);
}

void sweeps_schedule(struct controller *controller, uint64_t delay_ms)
{
	alarm_set(controller->sweep_alarm, delay_ms);
}

void sweeps_instance_gone(struct controller *controller, const struct instance *instance)
{
	size_t i;

	for (i = 0; i < controller->round_count; i++)
		if (controller->round_instances[i] == instance)
			controller->round_instances[i] = NULL;
}

void sweeps_stop(struct controller *controller)
{
	prove_cancel(controller, &controller->round);
	alarm_cancel(controller->sweep_alarm);
	free(controller->round_sweep);
	controller->round_sweep = NULL;
	free(controller->round_instances);
	controller->round_instances = NULL;
	controller->round_count = 0;
}

void controller_sweep(struct controller *controller, controller_sweep_cb *cb, void *arg)
{
	waiter_add(&controller->sweep_waiters, arg)->swept = cb;
	/* Not now: the callback must not run before this returned. */
	if (controller->round_sweep == NULL && (controller->open || controller->going_down))
		alarm_set(controller->sweep_alarm, 0);
}

const struct sweep *controller_last_sweep(const struct controller *controller)
{
	return controller->last_sweep;
}
