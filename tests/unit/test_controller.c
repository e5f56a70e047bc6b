/*
 * test_controller.c: the fleet as a whole against fakes on a manual clock:
 * brought up, kept at its size, taken down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include <errno.h>
#include <string.h>

/* --- Coming up. */

static void comes_up_proved(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(3);
	struct told told;

	(void)state;
	fake_fleet_start(fleet);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 5);
	assert_int_equal(fleet->opened, 1);
	assert_int_equal(fake_fleet_size(fleet), 3);
	assert_int_equal(fake_driver_admitted(&fleet->driver), 0);
	assert_true(controller_began_empty(fleet->controller));
	fake_fleet_run(fleet, 20);
	assert_int_equal(fake_fleet_in_service(fleet), 3);
	assert_int_equal(fake_driver_admitted(&fleet->driver), 3);
	assert_int_equal(fake_fleet_events(fleet, "started"), 3);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	assert_int_equal(told.progress, 3);
	fake_fleet_run(fleet, 100000);
	assert_int_equal(fleet->driver.starts, 3);
	assert_int_equal(told.calls, 1);
	fake_fleet_free(fleet);
}

/* What answers wrongly, or not at all, gets no requests; whoever waits is told why. */
static void admits_nobody_unproved(void **state)
{
	static const enum reason reasons[] = { REASON_STATUS, REASON_TIMEOUT, REASON_RESET };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		struct fake_fleet *fleet = fake_fleet_new(2);
		struct told told;

		fleet->driver.start_answer = reasons[i];
		fake_fleet_start(fleet);
		fake_fleet_wait(fleet, &told);
		fake_fleet_run(fleet, 60000);
		assert_int_equal(fleet->driver.admits, 0);
		assert_int_equal(told.calls, 1);
		assert_true(told.failed);
		assert_non_null(strstr(told.failure.message, reason_name(reasons[i])));
		/* What hangs is started again; a wrong answer is no reason to. */
		assert_int_equal(fleet->driver.starts > 2, reasons[i] != REASON_STATUS);
		/* It mends. */
		fake_driver_answer(&fleet->driver, REASON_OK);
		fake_fleet_wait(fleet, &told);
		fake_fleet_run(fleet, 30000);
		assert_int_equal(fake_fleet_in_service(fleet), 2);
		assert_int_equal(told.calls, 1);
		assert_false(told.failed);
		fake_fleet_free(fleet);
	}
}

static void page_must_come_through_the_balancer(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(1);
	struct told told;

	(void)state;
	fleet->checker.front_fails = true;
	fake_fleet_start(fleet);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 9000);
	assert_int_equal(told.calls, 0);
	fake_fleet_run(fleet, 2000);
	assert_int_equal(told.calls, 1);
	assert_true(told.failed);
	assert_non_null(strstr(told.failure.message, "status (500)"));
	fake_fleet_free(fleet);
}

static void wants_nothing(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(0);
	struct told told;

	(void)state;
	fake_fleet_start(fleet);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 100);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	assert_int_equal(fleet->driver.launches, 0);
	fake_fleet_free(fleet);
}

static void opening_fails(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);

	(void)state;
	fleet->driver.open_fails = true;
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fleet->opened, 1);
	assert_int_equal(fleet->open_failures, 1);
	assert_int_equal(fleet->driver.launches, 0);
	fake_fleet_free(fleet);
}

/* --- What runs already. */

static void adopts_what_runs(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(4);

	(void)state;
	fake_driver_add(&fleet->driver, true, true);
	fake_driver_add(&fleet->driver, true, false);
	fake_driver_add(&fleet->driver, false, false);
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 100);
	assert_false(controller_began_empty(fleet->controller));
	assert_int_equal(fake_fleet_in_service(fleet), 4);
	/* The dead one again and the missing one; what runs was left alone. */
	assert_int_equal(fleet->driver.starts, 2);
	assert_int_equal(fleet->driver.launches, 4);
	assert_int_equal(fake_fleet_events(fleet, "adopted"), 1);
	assert_int_equal(fake_fleet_events(fleet, "restarted"), 1);
	fake_fleet_free(fleet);
}

static void ends_surplus_that_runs(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++)
		fake_driver_add(&fleet->driver, true, true);
	fake_fleet_watch(fleet);
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_size(fleet), 2);
	assert_int_equal(fleet->most_draining, 1);
	assert_string_equal(fake_fleet_at(fleet, 1)->base.id, "web-00000002");
	fake_fleet_free(fleet);
}

/* While the driver opens, what it found has no notes yet. */
static void lives_through_its_opening(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);
	struct told told;
	struct told swept;

	(void)state;
	fake_driver_add(&fleet->driver, true, true);
	fake_driver_add(&fleet->driver, true, true);
	fake_fleet_start(fleet);
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_instance_judge(fake_fleet_at(fleet, 1), true, "L7OK");
	fake_fleet_sweep(fleet, &swept);
	fake_fleet_scale(fleet, 3);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 100);
	assert_int_equal(fake_fleet_in_service(fleet), 3);
	assert_int_equal(told.calls, 1);
	assert_int_equal(swept.calls, 1);
	fake_fleet_free(fleet);
}

/* Ordered down, or closed, by whoever is told of the opening or before it. */
static void goes_down_at_its_opening(void **state)
{
	uint64_t ms;

	(void)state;
	for (ms = 0; ms < 20; ms++) {
		struct fake_fleet *fleet = fake_fleet_new(2);
		struct told told;
		struct told swept;

		fleet->on_opened = ms == 0 ? FAKE_DOWN : ms == 1 ? FAKE_CLOSE : FAKE_NOTHING;
		fake_driver_add(&fleet->driver, true, true);
		fake_driver_add(&fleet->driver, false, false);
		fleet->driver.base.only_to_shut_down = ms == 0;
		fake_fleet_start(fleet);
		fake_fleet_run(fleet, ms < 2 ? 100 : ms - 2);
		if (ms >= 2) {
			fake_fleet_sweep(fleet, &swept);
			fake_fleet_down(fleet, &told);
			fake_fleet_run(fleet, 100);
			assert_int_equal(told.calls, 1);
			assert_int_equal(swept.calls, 1);
			assert_int_equal(fake_fleet_size(fleet), 0);
		}
		if (ms == 0)
			assert_int_equal(fleet->driver.starts, 0);
		assert_int_equal(fleet->driver.closed, ms == 1);
		fake_fleet_free(fleet);
	}
}

/* --- Scaling. */

static void scales_up(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fake_fleet_scale(fleet, 5);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 100);
	assert_int_equal(fake_fleet_in_service(fleet), 5);
	assert_int_equal(fleet->driver.launches, 5);
	assert_int_equal(fleet->low, 2);
	assert_int_equal(told.calls, 1);
	fake_fleet_free(fleet);
}

/* One after the other, the youngest first. */
static void scales_down(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(5);
	struct told told;

	(void)state;
	fake_fleet_scale(fleet, 2);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_size(fleet), 2);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	assert_string_equal(fake_fleet_at(fleet, 0)->base.id, "web-00000001");
	assert_string_equal(fake_fleet_at(fleet, 1)->base.id, "web-00000002");
	assert_int_equal(fleet->driver.drains, 3);
	assert_int_equal(fleet->most_draining, 1);
	assert_int_equal(fleet->low, 2);
	assert_int_equal(told.calls, 1);
	assert_int_equal(fake_fleet_events(fleet, "stopped"), 3);
	fake_fleet_free(fleet);
}

static void scales_down_the_unwell_first(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);

	(void)state;
	fake_fleet_at(fleet, 1)->answer = REASON_STATUS;
	fake_fleet_run(fleet, 61000);
	assert_int_equal(fake_fleet_at(fleet, 1)->base.state, INSTANCE_UNHEALTHY);
	fake_fleet_scale(fleet, 2);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_size(fleet), 2);
	assert_string_equal(fake_fleet_at(fleet, 1)->base.id, "web-00000003");
	fake_fleet_free(fleet);
}

static void scales_back_while_going_down(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(4);

	(void)state;
	fake_fleet_scale(fleet, 1);
	fake_fleet_run(fleet, 70);
	fake_fleet_scale(fleet, 4);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_in_service(fleet), 4);
	assert_int_equal(fake_fleet_size(fleet), 4);
	fake_fleet_free(fleet);
}

/* What dies while it drains is not healed, and what is ordered while it starts is not waited for. */
static void scales_down_over_deaths_and_starts(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_fleet_scale(fleet, 4);
	fake_fleet_run(fleet, 5);
	fake_fleet_scale(fleet, 1);
	fake_fleet_run(fleet, 40);
	assert_int_equal(fake_driver_draining(&fleet->driver), 1);
	fake_instance_kill(fake_fleet_at(fleet, 1));
	fake_fleet_run(fleet, 100);
	assert_int_equal(fake_fleet_size(fleet), 1);
	assert_int_equal(fake_fleet_in_service(fleet), 1);
	assert_int_equal(fleet->driver.starts, 4);
	fake_fleet_free(fleet);
}

static void refuses_what_can_not_change(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_fleet_next(fleet)->fleet = (char *)"other";
	assert_int_equal(fake_fleet_reconfigure(fleet), -EINVAL);
	fake_fleet_next(fleet)->capacity.open = 3;
	fleet->checker.open_fails = true;
	assert_int_equal(fake_fleet_reconfigure(fleet), -EINVAL);
	fleet->checker.open_fails = false;
	fleet->driver.reconfigure_fails = true;
	assert_int_equal(fake_fleet_reconfigure(fleet), -EIO);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_size(fleet), 2);
	fake_fleet_free(fleet);
}

/* --- Launching that fails. */

static void launch_backs_off_and_tells(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);
	struct told told;

	(void)state;
	fleet->driver.launch_fails = true;
	fake_fleet_start(fleet);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	assert_string_equal(told.failure.message, "no space for one more");
	fake_fleet_run(fleet, 3600000);
	/* At once, at once again, 250 ms, ... 16 s, then every 30 s. */
	assert_in_range(fake_fleet_events(fleet, "launch-failed"), 115, 130);
	/* Who asks again does not wait for the rest of the 30 s. */
	fleet->driver.launch_fails = false;
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 100);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	fake_fleet_free(fleet);
}

/* A broken module: three starts each tell whoever waits, and whoever asks later waits for no back-off. */
static void start_backs_off_and_tells(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);
	struct told told;

	(void)state;
	fleet->driver.die_at_start = true;
	fake_fleet_start(fleet);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	assert_non_null(strstr(told.failure.message, "exited with status 1"));
	fake_fleet_run(fleet, 125000);
	assert_int_equal(fleet->driver.launches, 2);
	fleet->driver.die_at_start = false;
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_in_service(fleet), 0);
	fake_fleet_wait(fleet, &told);
	fake_fleet_run(fleet, 50);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	fake_fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_up_proved),
		cmocka_unit_test(admits_nobody_unproved),
		cmocka_unit_test(page_must_come_through_the_balancer),
		cmocka_unit_test(wants_nothing),
		cmocka_unit_test(opening_fails),
		cmocka_unit_test(adopts_what_runs),
		cmocka_unit_test(ends_surplus_that_runs),
		cmocka_unit_test(lives_through_its_opening),
		cmocka_unit_test(goes_down_at_its_opening),
		cmocka_unit_test(scales_up),
		cmocka_unit_test(scales_down),
		cmocka_unit_test(scales_down_the_unwell_first),
		cmocka_unit_test(scales_back_while_going_down),
		cmocka_unit_test(scales_down_over_deaths_and_starts),
		cmocka_unit_test(refuses_what_can_not_change),
		cmocka_unit_test(launch_backs_off_and_tells),
		cmocka_unit_test(start_backs_off_and_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
