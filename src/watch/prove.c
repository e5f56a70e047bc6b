/* prove.c: nothing gets requests before it answered one; the fleet is up when its page came through the balancer. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/units.h"
#include "config/config.h"
#include "watch/controller_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROVE_SLOWLY_MS 1000
#define FRONT_DEADLINE_MS 10000

void prove_cancel(struct controller *controller, struct check_round **round)
{
	if (*round != NULL)
		controller->checker->ops->cancel(controller->checker, *round);
	*round = NULL;
}

void prove_stop(struct care *care)
{
	prove_cancel(care->controller, &care->proof);
}

/* "status (403)", "timeout" */
static void describe(const struct check *check, char *ret_text, size_t size)
{
	if (check->code != 0)
		snprintf(ret_text, size, "%s (%d)", reason_name(check->reason), check->code);
	else
		snprintf(ret_text, size, "%s", reason_name(check->reason));
}

/* --- One instance. */

void prove_admit(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	uint64_t now_ms = clock_mono_ms(controller->clock);
	bool refreshing = care->task == CARE_REFRESHING;
	char took[24];

	units_format_elapsed((int64_t)(now_ms - care->task_since_ms), took, sizeof took);
	controller->driver->ops->admit(controller->driver, instance);
	instance->state = INSTANCE_IN_SERVICE;
	care->task = CARE_NONE;
	care->balancer_down = false;
	care->in_service_since_ms = now_ms;
	care_changed(care);
	if (care->fresh) {
		struct instance *replaced =
			care->replaces[0] != '\0' ? controller_find(controller, care->replaces) : NULL;

		care->fresh = false;
		controller->launch_failures = 0;
		if (care->replaces[0] != '\0')
			controller_event(controller, "replaced", instance, false, "replaces %s, in %s", care->replaces,
					 took);
		else
			controller_event(controller, "started", instance, false, "%s, pid %d, in %s", instance->address,
					 (int)instance->pid, took);
		care->replaces[0] = '\0';
		if (replaced != NULL)
			controller_leave(controller, replaced);
	} else if (!refreshing) {
		controller_event(controller, "restarted", instance, false, "pid %d, in service %s after: %s",
				 (int)instance->pid, took, care->why);
	}
	if (roll_is_turn_of(controller, instance))
		roll_instance_done(controller, instance, NULL);
	controller_reconcile_soon(controller);
}

/* It listens, and for long enough has not answered as it should. */
static void prove_failed(struct controller *controller, struct instance *instance, const struct check *check)
{
	struct care *care = care_of(instance);
	struct failure failure;
	enum ladder_kind kind = ladder_kind_of(check->reason);
	char why[64];

	describe(check, why, sizeof why);
	if (kind == LADDER_SILENT)
		failure_set(&failure, EIO, "%s does not answer: %s", instance->id, why);
	else
		failure_set(&failure, EIO,
			    "%s answers wrongly: %s: is there an index.html in the site, and is monitor.http right?",
			    instance->id, why);
	if (care->task == CARE_REFRESHING) {
		roll_instance_done(controller, instance, &failure);
		return;
	}
	/* Content that is the same everywhere: a wrong page is better than none. */
	if (!care->fresh && kind == LADDER_WRONG && controller_in_service(controller) == 0) {
		prove_admit(controller, instance);
		return;
	}
	/* The ladder looks after those that served before. */
	if (care->fresh && kind == LADDER_SILENT) {
		care->deaths++;
		controller_start_failed(controller, instance, &failure);
		return;
	}
	if (care->fresh) {
		if (++controller->launch_failures >= GIVE_UP_AFTER)
			prove_give_up(controller, &failure);
		if (care_replaced(care) != NULL || roll_is_turn_of(controller, instance)) {
			controller_replacement_failed(controller, instance, &failure);
			return;
		}
	}
	alarm_set(care->alarm, PROVE_SLOWLY_MS);
}

static void on_proved(void *arg, const struct check *checks, size_t count)
{
	struct care *care = arg;
	struct controller *controller = care->controller;
	uint64_t age_ms = clock_mono_ms(controller->clock) - care->listening_since_ms;

	(void)count;
	care->proof = NULL;
	care->check = checks[0];
	care->checked = true;
	if (check_passed(&checks[0]))
		prove_admit(controller, care->instance);
	else if (age_ms < PROVE_DEADLINE_MS && ladder_kind_of(checks[0].reason) != LADDER_WRONG)
		alarm_set(care->alarm, PROVE_EVERY_MS);
	else
		prove_failed(controller, care->instance, &checks[0]);
}

void prove_start(struct controller *controller, struct instance *instance)
{
	struct care *care = care_of(instance);
	struct check_target target = { .address = instance->sockaddr };

	if (care->proof != NULL)
		return;
	if (!care->proving) {
		care->proving = true;
		care->listening_since_ms = clock_mono_ms(controller->clock);
	}
	if (controller->checker->ops->start(controller->checker, &target, 1, on_proved, care, &care->proof) < 0)
		alarm_set(care->alarm, PROVE_EVERY_MS);
}

/* --- The fleet, through the balancer. */

static void front_address(const struct controller *controller, struct sockaddr_storage *ret_address)
{
	const struct config_endpoint *listen = &controller->config->listen;
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

	/* What listens everywhere is asked on loopback. */
	if (inet_pton(AF_INET, listen->host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(listen->port);
		if (in4->sin_addr.s_addr == htonl(INADDR_ANY))
			in4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else if (inet_pton(AF_INET6, listen->host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(listen->port);
		if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
			in6->sin6_addr = in6addr_loopback;
	}
	*ret_address = address;
}

static void settle(struct controller *controller, const struct failure *failure)
{
	controller->front_since_ms = 0;
	waiters_tell(controller, &controller->settle_waiters, failure, NULL);
}

void prove_give_up(struct controller *controller, const struct failure *failure)
{
	controller->front_since_ms = 0;
	waiters_end(controller, &controller->settle_waiters, failure);
}

static void on_front(void *arg, const struct check *checks, size_t count)
{
	struct controller *controller = arg;
	struct failure failure;
	char why[64];

	(void)count;
	controller->front = NULL;
	if (check_passed(&checks[0])) {
		settle(controller, NULL);
	} else if (clock_mono_ms(controller->clock) - controller->front_since_ms < FRONT_DEADLINE_MS) {
		alarm_set(controller->front_alarm, PROVE_EVERY_MS);
	} else {
		describe(&checks[0], why, sizeof why);
		failure_set(&failure, EIO,
			    "all instances are in service, but the page does not come through the balancer: %s", why);
		settle(controller, &failure);
	}
}

void prove_on_front_alarm(void *arg)
{
	controller_reconcile_soon(arg);
}

void prove_front(struct controller *controller)
{
	struct check_target target;

	if (controller->settle_waiters == NULL || controller->front != NULL || alarm_is_set(controller->front_alarm))
		return;
	if (controller_desired(controller) == 0) {
		settle(controller, NULL);
		return;
	}
	if (controller->front_since_ms == 0)
		controller->front_since_ms = clock_mono_ms(controller->clock);
	front_address(controller, &target.address);
	if (controller->checker->ops->start(controller->checker, &target, 1, on_front, controller, &controller->front) <
	    0)
		alarm_set(controller->front_alarm, PROVE_EVERY_MS);
}
