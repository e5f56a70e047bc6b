/* controller.c: see controller.h: making it, and what it is asked from outside. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/units.h"
#include "config/config.h"
#include "record/record.h"
#include "watch/controller_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct care *care_of(const struct instance *instance)
{
	return instance->care;
}

struct instance *controller_find(const struct controller *controller, const char *id)
{
	struct instance *instance = controller->driver->instances;

	while (instance != NULL && strcmp(instance->id, id) != 0)
		instance = instance->next;
	return instance;
}

unsigned controller_desired(const struct controller *controller)
{
	return controller->going_down ? 0 : (unsigned)controller->config->capacity.open;
}

unsigned controller_in_service(const struct controller *controller)
{
	const struct instance *instance;
	unsigned count = 0;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		count += instance->state == INSTANCE_IN_SERVICE;
	return count;
}

/* --- Telling. */

void controller_event(struct controller *controller, const char *name, const struct instance *instance, bool bad,
		      const char *format, ...)
{
	struct event event = { .at_ms = clock_utc_ms(controller->clock) };
	va_list args;

	snprintf(event.event, sizeof event.event, "%s", name);
	snprintf(event.instance, sizeof event.instance, "%s", instance != NULL ? instance->id : "");
	va_start(args, format);
	vsnprintf(event.detail, sizeof event.detail, format, args);
	va_end(args);
	record_add_event(controller->setup.record, &event);
	if (controller->setup.log != NULL)
		controller->setup.log(controller->setup.arg, &event, bad);
	controller_progress(controller, "%s%s%s%s%s", event.instance, event.instance[0] != '\0' ? " " : "", event.event,
			    event.detail[0] != '\0' ? ": " : "", event.detail);
}

void controller_progress(struct controller *controller, const char *format, ...)
{
	const struct waiter *waiter;
	char text[ENTRY_DETAIL_SIZE + 96];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (waiter = controller->settle_waiters; waiter != NULL; waiter = waiter->next)
		if (waiter->progress != NULL)
			waiter->progress(waiter->arg, text);
	waiter = &controller->roll.waiter;
	if (controller->roll.active && waiter->progress != NULL)
		waiter->progress(waiter->arg, text);
}

/* --- Orders from outside. */

bool controller_began_empty(const struct controller *controller)
{
	return controller->began_empty;
}

/* Who asks does not want to wait for a back-off. */
static void end_backoffs(struct controller *controller)
{
	const struct instance *instance;

	if (alarm_is_set(controller->launch_alarm))
		alarm_set(controller->launch_alarm, 0);
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		const struct care *care = care_of(instance);

		if (care != NULL && care->task == CARE_BACKOFF)
			alarm_set(care->alarm, 0);
	}
}

void controller_wait(struct controller *controller, controller_progress_cb *progress, controller_done_cb *cb, void *arg)
{
	struct waiter *waiter = waiter_add(&controller->settle_waiters, arg);

	waiter->progress = progress;
	waiter->done = cb;
	controller->launch_failures = 0;
	if (!controller->going_down)
		end_backoffs(controller);
	controller_reconcile_soon(controller);
}

static bool can_change(const struct config *before, const struct config *after, struct failure *ret_failure)
{
	const char *key = NULL;

	if (strcmp(before->fleet, after->fleet) != 0)
		key = "fleet";
	else if (strcmp(before->state, after->state) != 0)
		key = "state";
	else if (before->provider != after->provider)
		key = "provider";
	else if (strcmp(before->record, after->record) != 0)
		key = "record";
	if (key != NULL)
		failure_set(ret_failure, EINVAL,
			    "`%s` can't change while the fleet is up: take it down with the old configuration first",
			    key);
	return key == NULL;
}

int controller_reconfigure(struct controller *controller, const struct config *config, bool site_too,
			   struct failure *ret_failure)
{
	struct checker *checker;
	struct instance *instance;
	int r;

	if (!can_change(controller->config, config, ret_failure))
		return -EINVAL;
	r = controller->setup.open_checker(controller->setup.checker_arg, config, &checker, ret_failure);
	if (r < 0)
		return r;
	r = controller->driver->ops->reconfigure(controller->driver, config, ret_failure);
	if (r < 0) {
		checker->ops->free(checker);
		return r;
	}
	/* Rounds ask what the old one wanted: again, with the new. */
	sweeps_stop(controller);
	prove_cancel(controller, &controller->front);
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		struct care *care = care_of(instance);

		/* NULL: while the driver opens. */
		if (care == NULL || care->proof == NULL)
			continue;
		prove_stop(care);
		alarm_set(care->alarm, 0);
	}
	controller->checker->ops->free(controller->checker);
	controller->checker = checker;
	controller->config = config;
	controller_event(controller, "configured", NULL, false, "%s",
			 config->file != NULL ? config->file : "the built-in defaults");
	if (controller->open)
		sweeps_schedule(controller, 0);
	controller->site_wanted |= site_too;
	controller_reconcile_soon(controller);
	return 0;
}

void controller_deploy(struct controller *controller, const char *folder, controller_progress_cb *progress,
		       controller_done_cb *cb, void *arg)
{
	struct waiter waiter = { .progress = progress, .done = cb, .arg = arg };

	roll_begin(controller, folder, &waiter);
}

void controller_publish_site(struct controller *controller)
{
	controller->site_wanted = true;
	controller_reconcile_soon(controller);
}

bool controller_is_going_down(const struct controller *controller)
{
	return controller->going_down;
}

static void on_down(void *arg, const struct failure *failure)
{
	struct controller *controller = arg;
	struct waiter *waiter;

	waiters_tell(controller, &controller->ended_waiters, NULL, NULL);
	waiter = controller->down_waiters;
	if (!controller->is_down)
		controller_event(controller, "down", NULL, false, "%s", "");
	controller->is_down = true;
	controller->down_waiters = NULL;
	/* Whoever is told may close the controller. */
	while (waiter != NULL) {
		struct waiter *next = waiter->next;

		if (waiter->done != NULL)
			waiter->done(waiter->arg, failure);
		free(waiter);
		waiter = next;
	}
}

void controller_tell_down(struct controller *controller)
{
	on_down(controller, NULL);
}

static void leave_all(struct controller *controller)
{
	struct instance *instance;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		struct care *care = care_of(instance);

		if (care == NULL)
			care = care_take(controller, instance);
		prove_stop(care);
		alarm_cancel(care->alarm);
		care->task = CARE_LEAVING;
		instance->state = INSTANCE_TERMINATING;
	}
}

void controller_down(struct controller *controller, controller_done_cb *cb, void *arg)
{
	struct waiter waiter = controller->roll.waiter;
	struct failure failure;

	waiter_add(&controller->down_waiters, arg)->done = cb;
	if (controller->going_down) {
		controller_reconcile_soon(controller);
		return;
	}
	failure_set(&failure, ECANCELED, "the fleet is being taken down");
	controller->going_down = true;
	sweeps_stop(controller);
	/* Those who wait for a sweep are told by its alarm. */
	sweeps_schedule(controller, 0);
	prove_cancel(controller, &controller->front);
	alarm_cancel(controller->launch_alarm);
	alarm_cancel(controller->front_alarm);
	alarm_cancel(controller->roll_alarm);
	controller->roll = (struct roll){ 0 };
	leave_all(controller);
	controller->driver->ops->shut_down(controller->driver, on_down, controller);
	prove_give_up(controller, &failure);
	waiter_end(controller, &waiter, &failure);
}

/* --- Making and freeing. */

int controller_new(const struct controller_setup *setup, struct controller **ret_controller,
		   struct failure *ret_failure)
{
	struct controller *controller = calloc(1, sizeof *controller);
	int r;

	if (controller == NULL)
		return failure_set(ret_failure, ENOMEM, "no memory");
	controller->setup = *setup;
	controller->config = setup->config;
	controller->clock = setup->clock;
	controller->reconcile_alarm = alarm_new(setup->clock, reconcile_on_alarm, controller);
	controller->launch_alarm = alarm_new(setup->clock, reconcile_on_launch_alarm, controller);
	controller->sweep_alarm = alarm_new(setup->clock, sweeps_on_alarm, controller);
	controller->front_alarm = alarm_new(setup->clock, prove_on_front_alarm, controller);
	controller->roll_alarm = alarm_new(setup->clock, roll_on_alarm, controller);
	if (controller->reconcile_alarm == NULL || controller->launch_alarm == NULL ||
	    controller->sweep_alarm == NULL || controller->front_alarm == NULL || controller->roll_alarm == NULL)
		r = failure_set(ret_failure, ENOMEM, "no memory");
	else
		r = setup->open_checker(setup->checker_arg, setup->config, &controller->checker, ret_failure);
	if (r == 0)
		r = setup->open_driver(setup->driver_arg, &controller_driver_events, controller, &controller->driver,
				       ret_failure);
	if (r < 0) {
		controller_close(controller);
		return r;
	}
	controller->driver->ops->open(controller->driver);
	*ret_controller = controller;
	return 0;
}

void controller_close(struct controller *controller)
{
	struct instance *instance;

	if (controller == NULL)
		return;
	sweeps_stop(controller);
	prove_cancel(controller, &controller->front);
	if (controller->driver != NULL) {
		for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
			care_drop(instance);
		controller->driver->ops->close(controller->driver);
	}
	if (controller->checker != NULL)
		controller->checker->ops->free(controller->checker);
	alarm_free(controller->reconcile_alarm);
	alarm_free(controller->launch_alarm);
	alarm_free(controller->sweep_alarm);
	alarm_free(controller->front_alarm);
	alarm_free(controller->roll_alarm);
	waiters_free(controller->settle_waiters);
	waiters_free(controller->sweep_waiters);
	waiters_free(controller->ended_waiters);
	waiters_free(controller->down_waiters);
	free(controller->last_sweep);
	free(controller);
}
