/* fake_instance.c: one instance of a fake fleet; see fake_driver.h. */
#include "fake_driver.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLEAR_MS 1
#define PORT 8090

static struct fake_instance *of(struct instance *instance)
{
	return (struct fake_instance *)instance;
}

/* --- What there is. */

struct fake_instance *fake_driver_at(const struct fake_driver *fake, unsigned n)
{
	struct instance *instance = fake->base.instances;

	while (instance != NULL && n-- > 0)
		instance = instance->next;
	return of(instance);
}

struct fake_instance *fake_driver_by_address(const struct fake_driver *fake, const struct sockaddr_storage *address)
{
	struct instance *instance = fake->base.instances;

	while (instance != NULL && memcmp(&instance->sockaddr, address, sizeof *address) != 0)
		instance = instance->next;
	return of(instance);
}

unsigned fake_driver_count(const struct fake_driver *fake, enum instance_state state)
{
	const struct instance *instance;
	unsigned count = 0;

	for (instance = fake->base.instances; instance != NULL; instance = instance->next)
		count += instance->state == state;
	return count;
}

static unsigned count(const struct fake_driver *fake, bool (*is)(const struct fake_instance *instance))
{
	struct instance *instance;
	unsigned number = 0;

	for (instance = fake->base.instances; instance != NULL; instance = instance->next)
		number += is(of(instance));
	return number;
}

static bool is_admitted(const struct fake_instance *instance)
{
	return instance->admitted && instance->phase == FAKE_RUNNING;
}

static bool is_draining(const struct fake_instance *instance)
{
	return instance->draining;
}

unsigned fake_driver_admitted(const struct fake_driver *fake)
{
	return count(fake, is_admitted);
}

unsigned fake_driver_draining(const struct fake_driver *fake)
{
	return count(fake, is_draining);
}

enum reason fake_instance_answer(const struct fake_instance *instance)
{
	if (instance->phase != FAKE_RUNNING)
		return REASON_REFUSED;
	if (instance->answer == REASON_OK && instance->release == instance->driver->bad_release)
		return REASON_STATUS;
	return instance->answer;
}

void fake_driver_answer(struct fake_driver *fake, enum reason answer)
{
	struct instance *instance;

	fake->start_answer = answer;
	for (instance = fake->base.instances; instance != NULL; instance = instance->next)
		of(instance)->answer = answer;
}

/* --- Its life. */

void fake_instance_free(struct fake_instance *instance)
{
	struct instance **link = &instance->driver->base.instances;

	while (*link != &instance->base)
		link = &(*link)->next;
	*link = instance->base.next;
	alarm_free(instance->phase_alarm);
	alarm_free(instance->order_alarm);
	alarm_free(instance->death_alarm);
	free(instance);
}

static void no_process(struct fake_instance *instance)
{
	instance->base.pid = 0;
	instance->admitted = false;
	instance->draining = false;
	instance->refreshing = false;
	instance->answered = false;
	instance->proved = false;
	alarm_cancel(instance->phase_alarm);
	alarm_cancel(instance->order_alarm);
	alarm_cancel(instance->death_alarm);
}

static void die(struct fake_instance *instance, const char *how)
{
	struct fake_driver *fake = instance->driver;

	no_process(instance);
	instance->phase = FAKE_OFF;
	instance->died_ms = clock_mono_ms(fake->clock);
	fake->base.events->died(fake->base.arg, &instance->base, how);
}

void fake_instance_start(struct fake_instance *instance)
{
	no_process(instance);
	instance->driver->starts++;
	instance->starts++;
	instance->phase = FAKE_CLEARING;
	alarm_set(instance->phase_alarm, CLEAR_MS);
}

static void on_gone(struct fake_instance *instance)
{
	struct fake_driver *fake = instance->driver;

	fake->base.events->gone(fake->base.arg, &instance->base);
	fake_instance_free(instance);
	if (fake->shutting_down && fake->base.instances == NULL)
		alarm_set(fake->down_alarm, 0);
}

static void on_phase(void *arg)
{
	struct fake_instance *instance = arg;
	struct fake_driver *fake = instance->driver;

	switch (instance->phase) {
	case FAKE_CLEARING:
		instance->phase = FAKE_STARTING;
		instance->base.pid = (pid_t)(1000 + fake->starts);
		instance->base.since_ms = clock_utc_ms(fake->clock);
		alarm_set(instance->phase_alarm, fake->listen_ms);
		break;
	case FAKE_STARTING:
		if (fake->die_at_start || instance->release == fake->deadly_release) {
			die(instance, "exited with status 1");
			break;
		}
		instance->phase = FAKE_RUNNING;
		if (fake->live_ms > 0)
			alarm_set(instance->death_alarm, fake->live_ms);
		fake->base.events->listening(fake->base.arg, &instance->base);
		break;
	case FAKE_STOPPING:
		on_gone(instance);
		break;
	case FAKE_OFF:
	case FAKE_RUNNING:
		break;
	}
}

static void on_death(void *arg)
{
	fake_instance_kill(arg);
}

static void on_order(void *arg)
{
	struct fake_instance *instance = arg;
	struct fake_driver *fake = instance->driver;
	struct failure failure;

	if (instance->draining) {
		instance->draining = false;
		fake->base.events->drained(fake->base.arg, &instance->base);
	} else if (instance->refreshing) {
		instance->refreshing = false;
		failure_set(&failure, ENOSPC, "no space");
		fake->base.events->refreshed(fake->base.arg, &instance->base, fake->refresh_fails ? &failure : NULL);
	}
}

struct fake_instance *fake_instance_new(struct fake_driver *fake)
{
	struct fake_instance *instance = calloc(1, sizeof *instance);
	struct sockaddr_in *address;
	struct instance **link = &fake->base.instances;

	if (instance == NULL)
		abort();
	fake->launches++;
	instance->driver = fake;
	instance->release = fake->release;
	instance->answer = fake->start_answer;
	snprintf(instance->base.id, sizeof instance->base.id, "web-%08x", fake->launches);
	address = (struct sockaddr_in *)&instance->base.sockaddr;
	address->sin_family = AF_INET;
	address->sin_port = htons(PORT);
	address->sin_addr.s_addr = htonl(0x7f000100 + fake->launches);
	snprintf(instance->base.address, sizeof instance->base.address, "127.0.%u.%u:%d", 1 + fake->launches / 256,
		 fake->launches % 256, PORT);
	instance->phase_alarm = alarm_new(fake->clock, on_phase, instance);
	instance->order_alarm = alarm_new(fake->clock, on_order, instance);
	instance->death_alarm = alarm_new(fake->clock, on_death, instance);
	while (*link != NULL)
		link = &(*link)->next;
	*link = &instance->base;
	return instance;
}

struct fake_instance *fake_driver_add(struct fake_driver *fake, bool runs, bool admitted)
{
	struct fake_instance *instance = fake_instance_new(fake);

	if (runs) {
		instance->phase = FAKE_RUNNING;
		instance->base.pid = (pid_t)(500 + fake->launches);
	}
	instance->admitted = admitted;
	instance->base.state = !runs ? INSTANCE_UNHEALTHY : admitted ? INSTANCE_IN_SERVICE : INSTANCE_PENDING;
	return instance;
}

void fake_instance_kill(struct fake_instance *instance)
{
	if (instance->phase == FAKE_STOPPING) {
		instance->base.pid = 0;
		alarm_set(instance->phase_alarm, 0);
	} else if (instance->base.pid != 0) {
		die(instance, "killed by signal 9");
	}
}

void fake_instance_judge(struct fake_instance *instance, bool up, const char *why)
{
	struct fake_driver *fake = instance->driver;

	instance->down = !up;
	fake->base.events->judged(fake->base.arg, &instance->base, up, why);
}

void fake_instance_stop(struct fake_instance *instance)
{
	no_process(instance);
	instance->phase = FAKE_STOPPING;
	alarm_set(instance->phase_alarm, instance->driver->stop_ms);
}
