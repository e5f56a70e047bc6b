/* fake_fleet.c: see fake_fleet.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_UTC_MS INT64_C(1795420800000) /* 2026-11-23 08:00 */

static void on_event(void *arg, const struct event *event, bool bad)
{
	struct fake_fleet *fleet = arg;

	if (fleet->print)
		printf("# %8lld%s %s %s: %s\n", (long long)(event->at_ms - BEGIN_UTC_MS), bad ? " !" : "  ",
		       event->instance, event->event, event->detail);
}

static void on_opened(void *arg, const struct failure *failure)
{
	struct fake_fleet *fleet = arg;

	fleet->opened++;
	fleet->open_failures += failure != NULL;
	if (fleet->on_opened == FAKE_DOWN) {
		controller_down(fleet->controller, NULL, NULL);
	} else if (fleet->on_opened == FAKE_CLOSE) {
		controller_close(fleet->controller);
		fleet->controller = NULL;
	}
}

struct fake_fleet *fake_fleet_new(int open)
{
	struct fake_fleet *fleet = calloc(1, sizeof *fleet);
	struct config *config;

	assert_non_null(fleet);
	fleet->clock = clock_new_manual(BEGIN_UTC_MS);
	assert_non_null(fleet->clock);
	fake_driver_init(&fleet->driver, fleet->clock);
	fleet->checker = (struct fake_checker){ .clock = fleet->clock, .fleet = &fleet->driver };
	fleet->checker.latency_ms = 1;
	fleet->checker.timeout_ms = 5000;
	fleet->record.state.ok = true;
	config = &fleet->configs[0];
	config->fleet = (char *)"web";
	config->state = (char *)"/state";
	config->record = (char *)"sqlite";
	config->schedule.calendar = (char *)"always";
	config->listen.host = (char *)"127.0.0.1";
	config->listen.port = 8080;
	config->capacity.open = open;
	config->capacity.min = 1;
	config->capacity.max = 16;
	config->monitor.every_ms = 60000;
	config->monitor.timeout_ms = 5000;
	config->monitor.restart = true;
	config->monitor.replace_after = 3;
	config->monitor.brake_permille = 500;
	fleet->print = getenv("FAKE_FLEET_PRINT") != NULL;
	return fleet;
}

void fake_fleet_start(struct fake_fleet *fleet)
{
	struct controller_setup setup = {
		.clock = fleet->clock,
		.config = &fleet->configs[0],
		.record = &fleet->record,
		.open_driver = fake_driver_open,
		.driver_arg = &fleet->driver,
		.open_checker = fake_checker_open,
		.checker_arg = &fleet->checker,
		.log = on_event,
		.opened = on_opened,
		.arg = fleet,
	};
	struct failure failure;

	assert_int_equal(controller_new(&setup, &fleet->controller, &failure), 0);
}

struct fake_fleet *fake_fleet_up(int open)
{
	struct fake_fleet *fleet = fake_fleet_new(open);

	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 3000);
	assert_int_equal(fake_fleet_in_service(fleet), open);
	assert_int_equal(fleet->record.sweep_count, 1);
	fake_fleet_watch(fleet);
	return fleet;
}

void fake_fleet_watch(struct fake_fleet *fleet)
{
	fleet->low = fake_driver_admitted(&fleet->driver);
	fleet->most_draining = fake_driver_draining(&fleet->driver);
}

void fake_fleet_run(struct fake_fleet *fleet, uint64_t ms)
{
	for (; ms > 0 && fleet->driver.wrong[0] == '\0'; ms--) {
		unsigned admitted;
		unsigned draining;

		clock_advance(fleet->clock, 1);
		admitted = fake_driver_admitted(&fleet->driver);
		draining = fake_driver_draining(&fleet->driver);
		if (admitted < fleet->low)
			fleet->low = admitted;
		if (draining > fleet->most_draining)
			fleet->most_draining = draining;
	}
	assert_string_equal(fleet->driver.wrong, "");
}

struct config *fake_fleet_next(struct fake_fleet *fleet)
{
	struct config *next = &fleet->configs[!fleet->config];

	*next = fleet->configs[fleet->config];
	return next;
}

int fake_fleet_reconfigure(struct fake_fleet *fleet)
{
	struct failure failure;
	int r = controller_reconfigure(fleet->controller, &fleet->configs[!fleet->config], true, &failure);

	if (r == 0)
		fleet->config = !fleet->config;
	return r;
}

void fake_fleet_scale(struct fake_fleet *fleet, int open)
{
	fake_fleet_next(fleet)->capacity.open = open;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
}

static void on_done(void *arg, const struct failure *failure)
{
	struct told *told = arg;

	told->calls++;
	told->failed = failure != NULL;
	if (failure != NULL)
		told->failure = *failure;
}

static void on_swept(void *arg, const struct sweep *sweep)
{
	struct told *told = arg;

	told->calls++;
	told->failed = sweep == NULL;
	told->swept = sweep != NULL ? sweep->count : 0;
}

static void on_progress(void *arg, const char *text)
{
	struct told *told = arg;

	/* Who was told of the end hears no more. */
	assert_int_equal(told->calls, 0);
	assert_true(text[0] != '\0');
	told->progress++;
}

void fake_fleet_wait(struct fake_fleet *fleet, struct told *told)
{
	*told = (struct told){ 0 };
	controller_wait(fleet->controller, on_progress, on_done, told);
	assert_int_equal(told->calls, 0);
}

void fake_fleet_sweep(struct fake_fleet *fleet, struct told *told)
{
	*told = (struct told){ 0 };
	controller_sweep(fleet->controller, on_swept, told);
	assert_int_equal(told->calls, 0);
}

void fake_fleet_deploy(struct fake_fleet *fleet, struct told *told)
{
	*told = (struct told){ 0 };
	controller_deploy(fleet->controller, "/new", on_progress, on_done, told);
	assert_int_equal(told->calls, 0);
}

void fake_fleet_down(struct fake_fleet *fleet, struct told *told)
{
	*told = (struct told){ 0 };
	controller_down(fleet->controller, on_done, told);
	assert_int_equal(told->calls, 0);
}

unsigned fake_fleet_in_service(const struct fake_fleet *fleet)
{
	return fake_driver_count(&fleet->driver, INSTANCE_IN_SERVICE);
}

unsigned fake_fleet_size(const struct fake_fleet *fleet)
{
	unsigned count = 0;

	while (fake_driver_at(&fleet->driver, count) != NULL)
		count++;
	return count;
}

unsigned fake_fleet_events(const struct fake_fleet *fleet, const char *event)
{
	return fake_record_count(&fleet->record, event, NULL);
}

struct fake_instance *fake_fleet_at(const struct fake_fleet *fleet, unsigned n)
{
	struct fake_instance *instance = fake_driver_at(&fleet->driver, n);

	assert_non_null(instance);
	return instance;
}

void fake_fleet_assert_serves(const struct fake_fleet *fleet, unsigned count, unsigned release)
{
	unsigned i;

	assert_int_equal(fake_fleet_size(fleet), count);
	assert_int_equal(fake_driver_admitted(&fleet->driver), count);
	for (i = 0; i < count; i++) {
		assert_int_equal(fake_fleet_at(fleet, i)->base.state, INSTANCE_IN_SERVICE);
		assert_int_equal(fake_fleet_at(fleet, i)->release, release);
	}
}

void fake_fleet_free(struct fake_fleet *fleet)
{
	controller_close(fleet->controller);
	assert_int_equal(fleet->checker.open, 0);
	assert_int_equal(fleet->checker.running, 0);
	assert_string_equal(fleet->driver.wrong, "");
	fake_driver_free(&fleet->driver);
	fake_record_free(&fleet->record);
	clock_free(fleet->clock);
	free(fleet);
}
