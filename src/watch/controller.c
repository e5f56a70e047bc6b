/* controller.c: see controller.h: the driver's events, and the fleet as a whole. */
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

/* --- Care: from an instance's arrival until it is gone. */

static void on_care_alarm(void *arg)
{
	struct care *care = arg;

	if (care->task == CARE_BACKOFF)
		heal_start(care->controller, care->instance);
	else if (care->task == CARE_STARTING || care->task == CARE_REFRESHING)
		prove_start(care->controller, care->instance);
}

static struct care *take_care(struct controller *controller, struct instance *instance)
{
	struct care *care = calloc(1, sizeof *care);

	if (care == NULL)
		abort();
	care->controller = controller;
	care->instance = instance;
	care->task_since_ms = clock_mono_ms(controller->clock);
	care->alarm = alarm_new(controller->clock, on_care_alarm, care);
	if (care->alarm == NULL)
		abort();
	instance->care = care;
	return care;
}

static void drop_care(struct instance *instance)
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
	care = take_care(controller, instance);
	care->fresh = true;
	care->task = CARE_STARTING;
	instance->state = INSTANCE_PENDING;
	return instance;
}

/* One that is doomed goes when its replacement is in service; it no longer counts. */
static bool counts(const struct instance *instance)
{
	const struct care *care = care_of(instance);

	return care->task != CARE_LEAVING && !care->doomed;
}

static unsigned count_kept(const struct controller *controller)
{
	const struct instance *instance;
	unsigned count = 0;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		count += counts(instance);
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
		if (!counts(instance))
			continue;
		if (chosen == NULL || instance->state != INSTANCE_IN_SERVICE || chosen->state == INSTANCE_IN_SERVICE)
			chosen = instance;
	}
	return chosen;
}

void controller_leave(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	bool serves = instance->state == INSTANCE_IN_SERVICE || instance->state == INSTANCE_UNHEALTHY;

	if (care->task == CARE_LEAVING)
		return;
	prove_stop(care);
	alarm_cancel(care->alarm);
	care->task = CARE_LEAVING;
	care->task_since_ms = clock_mono_ms(controller->clock);
	if (serves && instance->pid != 0) {
		instance->state = INSTANCE_DRAINING;
		controller->driver->ops->drain(controller->driver, instance, DRAIN_TIMEOUT_MS);
	} else {
		instance->state = INSTANCE_TERMINATING;
		controller->driver->ops->terminate(controller->driver, instance);
	}
}

static bool is_whole(const struct controller *controller)
{
	const struct instance *instance;

	if (count_kept(controller) != controller_desired(controller) || !controller->driver->balancer_up)
		return false;
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
		if (instance->state != INSTANCE_IN_SERVICE || care_of(instance)->task != CARE_NONE)
			return false;
	return !controller->roll.active;
}

static void on_reconcile(void *arg)
{
	struct controller *controller = arg;
	unsigned desired = controller_desired(controller);
	unsigned kept;

	if (!controller->open || controller->going_down)
		return;
	kept = count_kept(controller);
	while (kept < desired && !alarm_is_set(controller->launch_alarm)) {
		struct failure failure;

		if (controller_launch(controller, &failure) != NULL)
			kept++;
	}
	if (kept > desired && !is_leaving(controller) && !controller->roll.active)
		controller_leave(controller, choose_surplus(controller));
	roll_step(controller);
	if (is_whole(controller))
		prove_front(controller);
}

void controller_reconcile_soon(struct controller *controller)
{
	if (!alarm_is_set(controller->reconcile_alarm))
		alarm_set(controller->reconcile_alarm, 0);
}

static void on_launch_alarm(void *arg)
{
	controller_reconcile_soon(arg);
}

/* --- The driver's events. */

static void on_opened(void *arg, const struct failure *failure)
{
	struct controller *controller = arg;
	struct instance *instance;

	if (failure == NULL) {
		controller->open = true;
		controller->began_empty = controller->driver->instances == NULL;
	}
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		struct care *care = take_care(controller, instance);

		care->in_service_since_ms = clock_mono_ms(controller->clock);
		snprintf(care->why, sizeof care->why, "not running when the controller came");
	}
	controller->setup.opened(controller->setup.arg, failure);
	if (failure != NULL)
		return;
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		if (instance->pid == 0) {
			care_of(instance)->task = CARE_STARTING;
			heal_start(controller, instance);
		} else if (instance->state == INSTANCE_PENDING) {
			care_of(instance)->task = CARE_STARTING;
			prove_start(controller, instance);
		} else {
			controller_event(controller, "adopted", instance, false, "pid %d", (int)instance->pid);
		}
	}
	controller_reconcile_soon(controller);
	sweeps_schedule(controller, 0);
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
	struct instance *doomed = controller_find(controller, care_of(instance)->replaces);

	/* Better a failing instance than none; the ladder asks again, after a while. */
	if (doomed != NULL)
		care_of(doomed)->doomed = false;
	care_of(instance)->replaces[0] = '\0';
	alarm_set(controller->launch_alarm, ladder_backoff_ms(controller->launch_failures + 1));
	controller_event(controller, "replace-failed", instance, true, "%s", failure->message);
	roll_replacement_failed(controller, instance, failure);
	controller_leave(controller, instance);
}

/* A fresh one that can't be brought up: tried again where it stands, and whoever waits is told. */
static void start_failed(struct controller *controller, struct instance *instance, const char *why)
{
	struct care *care = care_of(instance);
	struct failure failure;

	failure_set(&failure, EIO, "%s: %s", instance->id, why);
	if (++controller->launch_failures >= GIVE_UP_AFTER)
		prove_give_up(controller, &failure);
	if (care->deaths >= GIVE_UP_AFTER && care->replaces[0] != '\0' &&
	    controller_find(controller, care->replaces) != NULL)
		controller_replacement_failed(controller, instance, &failure);
	else
		heal_start(controller, instance);
}

static void on_died(void *arg, struct instance *instance, const char *how)
{
	struct controller *controller = arg;
	struct care *care = care_of(instance);
	uint64_t now_ms = clock_mono_ms(controller->clock);
	bool was_well = instance->state == INSTANCE_IN_SERVICE && now_ms - care->in_service_since_ms >= WELL_AFTER_MS;

	prove_stop(care);
	alarm_cancel(care->alarm);
	if (care->task == CARE_LEAVING) {
		instance->state = INSTANCE_TERMINATING;
		controller->driver->ops->terminate(controller->driver, instance);
		return;
	}
	care->deaths = was_well ? 1 : care->deaths + 1;
	if (care->task == CARE_NONE || care->task == CARE_REFRESHING)
		care->task_since_ms = now_ms;
	snprintf(care->why, sizeof care->why, "%s", how);
	controller_event(controller, "died", instance, true, "%s", how);
	care->task = CARE_NONE;
	if (!care->fresh && strcmp(controller->roll.instance, instance->id) == 0)
		controller->roll.instance[0] = '\0';
	if (care->fresh) {
		start_failed(controller, instance, how);
		return;
	}
	instance->state = INSTANCE_UNHEALTHY;
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
		instance->state = INSTANCE_TERMINATING;
		controller->driver->ops->terminate(controller->driver, instance);
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
	drop_care(instance);
	if (strcmp(controller->roll.instance, instance->id) == 0)
		controller->roll.instance[0] = '\0';
	controller_reconcile_soon(controller);
}

static void on_judged(void *arg, struct instance *instance, bool up, const char *why)
{
	struct controller *controller = arg;
	struct care *care = care_of(instance);

	if (care->task != CARE_NONE)
		return;
	care->balancer_down = !up;
	if (up) {
		care->failures = 0;
		instance->state = INSTANCE_IN_SERVICE;
		controller_event(controller, "recovered", instance, false, "the balancer's check passes again");
		controller_reconcile_soon(controller);
		return;
	}
	instance->state = INSTANCE_UNHEALTHY;
	care->task_since_ms = clock_mono_ms(controller->clock);
	controller_event(controller, "failing", instance, true, "the balancer's check: %s", why);
	/* L4 and L7 time-outs, refused connections: silent; an answer that is wrong: L7STS, L7RSP, L7OKC. */
	heal(controller, instance,
	     strncmp(why, "L7STS", 5) == 0 || strncmp(why, "L7RSP", 5) == 0 ? LADDER_WRONG : LADDER_SILENT, why);
}

static void on_fleet_event(void *arg, const char *event, const char *detail)
{
	struct controller *controller = arg;

	controller_event(controller, event, NULL, strcmp(event, "balancer-started") != 0, "%s", detail);
	controller_reconcile_soon(controller);
}

static const struct driver_events driver_events = {
	.opened = on_opened,
	.listening = on_listening,
	.died = on_died,
	.drained = on_drained,
	.refreshed = on_refreshed,
	.gone = on_gone,
	.judged = on_judged,
	.fleet_event = on_fleet_event,
};

/* --- Orders from outside. */

bool controller_began_empty(const struct controller *controller)
{
	return controller->began_empty;
}

void controller_wait(struct controller *controller, controller_progress_cb *progress, controller_done_cb *cb, void *arg)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);

	if (waiter == NULL)
		abort();
	waiter->progress = progress;
	waiter->done = cb;
	waiter->arg = arg;
	waiter->next = controller->settle_waiters;
	controller->settle_waiters = waiter;
	controller->launch_failures = 0;
	/* Who asks does not want to wait for a back-off. */
	if (alarm_is_set(controller->launch_alarm))
		alarm_set(controller->launch_alarm, 0);
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
			    "`%s` can't change while the fleet is up: take it down with the old configuration first", key);
	return key == NULL;
}

int controller_reconfigure(struct controller *controller, const struct config *config, bool site_too,
			   struct failure *ret_failure)
{
	struct http_checker *checker;
	struct instance *instance;
	int r;

	if (!can_change(controller->config, config, ret_failure))
		return -EINVAL;
	r = http_checker_new(controller->setup.loop, config, &checker, ret_failure);
	if (r < 0)
		return r;
	r = controller->driver->ops->reconfigure(controller->driver, config, ret_failure);
	if (r < 0) {
		http_checker_free(checker);
		return r;
	}
	/* Rounds ask what the old one wanted: again, with the new. */
	sweeps_stop(controller);
	prove_cancel(&controller->front);
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		bool proving = care_of(instance)->proof != NULL;

		prove_stop(care_of(instance));
		if (proving)
			alarm_set(care_of(instance)->alarm, 0);
	}
	http_checker_free(controller->checker);
	controller->checker = checker;
	controller->config = config;
	controller_event(controller, "configured", NULL, false, "%s",
			 config->file != NULL ? config->file : "the built-in defaults");
	sweeps_schedule(controller, 0);
	if (site_too && !controller->roll.active && controller->driver->ops->site_changed(controller->driver))
		roll_begin(controller, NULL, NULL);
	controller_reconcile_soon(controller);
	return 0;
}

void controller_deploy(struct controller *controller, const char *folder, controller_progress_cb *progress,
		       controller_done_cb *cb, void *arg)
{
	struct waiter waiter = { .progress = progress, .done = cb, .arg = arg };

	roll_begin(controller, folder, &waiter);
}

bool controller_is_going_down(const struct controller *controller)
{
	return controller->going_down;
}

static void on_down(void *arg, const struct failure *failure)
{
	struct controller *controller = arg;
	struct waiter waiter = controller->down_waiter;

	controller_event(controller, "down", NULL, false, "%s", "");
	controller->down_waiter = (struct waiter){ 0 };
	if (waiter.done != NULL)
		waiter.done(waiter.arg, failure);
}

void controller_down(struct controller *controller, controller_done_cb *cb, void *arg)
{
	struct instance *instance;
	struct failure failure;

	controller->down_waiter = (struct waiter){ .done = cb, .arg = arg };
	if (controller->going_down)
		return;
	failure_set(&failure, ECANCELED, "the fleet is being taken down");
	controller->going_down = true;
	sweeps_stop(controller);
	/* Those who wait for a sweep are told by its alarm. */
	sweeps_schedule(controller, 0);
	prove_cancel(&controller->front);
	alarm_cancel(controller->launch_alarm);
	alarm_cancel(controller->front_alarm);
	prove_give_up(controller, &failure);
	if (controller->roll.active) {
		struct waiter waiter = controller->roll.waiter;

		controller->roll = (struct roll){ 0 };
		if (waiter.done != NULL)
			waiter.done(waiter.arg, &failure);
	}
	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		struct care *care = care_of(instance);

		if (care == NULL)
			care = take_care(controller, instance);
		prove_stop(care);
		alarm_cancel(care->alarm);
		care->task = CARE_LEAVING;
		instance->state = INSTANCE_TERMINATING;
	}
	controller->driver->ops->shut_down(controller->driver, on_down, controller);
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
	controller->reconcile_alarm = alarm_new(setup->clock, on_reconcile, controller);
	controller->launch_alarm = alarm_new(setup->clock, on_launch_alarm, controller);
	controller->sweep_alarm = alarm_new(setup->clock, sweeps_on_alarm, controller);
	controller->front_alarm = alarm_new(setup->clock, prove_on_front_alarm, controller);
	if (controller->reconcile_alarm == NULL || controller->launch_alarm == NULL ||
	    controller->sweep_alarm == NULL || controller->front_alarm == NULL)
		r = failure_set(ret_failure, ENOMEM, "no memory");
	else
		r = http_checker_new(setup->loop, setup->config, &controller->checker, ret_failure);
	if (r == 0)
		r = setup->open_driver(setup->open_arg, &driver_events, controller, &controller->driver, ret_failure);
	if (r < 0) {
		controller_close(controller);
		return r;
	}
	controller->driver->ops->open(controller->driver);
	*ret_controller = controller;
	return 0;
}

static void free_waiters(struct waiter *waiter)
{
	while (waiter != NULL) {
		struct waiter *next = waiter->next;

		free(waiter);
		waiter = next;
	}
}

static void forget_in(struct waiter *waiter, const void *arg)
{
	for (; waiter != NULL; waiter = waiter->next) {
		if (waiter->arg == arg) {
			waiter->done = NULL;
			waiter->swept = NULL;
			waiter->progress = NULL;
		}
	}
}

void controller_forget(struct controller *controller, const void *arg)
{
	forget_in(controller->settle_waiters, arg);
	forget_in(controller->sweep_waiters, arg);
	forget_in(&controller->roll.waiter, arg);
	forget_in(&controller->down_waiter, arg);
}

void controller_close(struct controller *controller)
{
	struct instance *instance;

	if (controller == NULL)
		return;
	sweeps_stop(controller);
	prove_cancel(&controller->front);
	if (controller->driver != NULL) {
		for (instance = controller->driver->instances; instance != NULL; instance = instance->next)
			drop_care(instance);
		controller->driver->ops->close(controller->driver);
	}
	http_checker_free(controller->checker);
	alarm_free(controller->reconcile_alarm);
	alarm_free(controller->launch_alarm);
	alarm_free(controller->sweep_alarm);
	alarm_free(controller->front_alarm);
	free_waiters(controller->settle_waiters);
	free_waiters(controller->sweep_waiters);
	free(controller->last_sweep);
	free(controller);
}
