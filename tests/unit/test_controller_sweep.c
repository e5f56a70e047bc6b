/*
 * test_controller_sweep.c: when sweeps run, what they record, and which of
 * their verdicts count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include <string.h>

#define EVERY_MS 60000

static const struct sweep *last(const struct fake_fleet *fleet)
{
	return fleet->record.sweeps[fleet->record.sweep_count - 1];
}

/* --- When. */

/* The first sweep finds a fleet, not the lack of one. */
static void first_sweep_waits_for_the_fleet(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);

	(void)state;
	fleet->driver.listen_ms = 400;
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 400);
	assert_int_equal(fleet->record.sweep_count, 0);
	fake_fleet_run(fleet, 10);
	assert_int_equal(fleet->record.sweep_count, 1);
	assert_int_equal(last(fleet)->count, 2);
	assert_int_equal(last(fleet)->failed, 0);
	assert_true(last(fleet)->open);
	assert_ptr_not_equal(controller_last_sweep(fleet->controller), NULL);
	fake_fleet_free(fleet);
}

static void first_sweep_waits_no_longer_than_others(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);

	(void)state;
	fleet->driver.launch_fails = true;
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, EVERY_MS - 1);
	assert_int_equal(fleet->record.sweep_count, 0);
	fake_fleet_run(fleet, 10);
	assert_int_equal(fleet->record.sweep_count, 1);
	assert_int_equal(last(fleet)->count, 0);
	fake_fleet_free(fleet);
}

static void adopted_fleet_is_swept_at_once(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(1);

	(void)state;
	fake_driver_add(&fleet->driver, true, true);
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 10);
	assert_int_equal(fleet->record.sweep_count, 1);
	fake_fleet_free(fleet);
}

static void sweeps_at_each_interval(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	size_t i;

	(void)state;
	fake_fleet_run(fleet, 3600000);
	assert_int_equal(fleet->record.sweep_count, 61);
	for (i = 1; i < fleet->record.sweep_count; i++)
		assert_int_equal(fleet->record.sweeps[i]->at_ms - fleet->record.sweeps[i - 1]->at_ms, EVERY_MS);
	/* Another interval counts from when it was ordered. */
	fake_fleet_next(fleet)->monitor.every_ms = 1000;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	fake_fleet_run(fleet, 10500);
	assert_int_equal(fleet->record.sweep_count, 72);
	fake_fleet_free(fleet);
}

/* Who asks while one runs is told of that one; the next follows an interval later. */
static void on_demand_joins(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told[3];

	(void)state;
	fleet->checker.latency_ms = 100;
	fake_fleet_run(fleet, 5000);
	fake_fleet_sweep(fleet, &told[0]);
	fake_fleet_sweep(fleet, &told[1]);
	fake_fleet_run(fleet, 50);
	fake_fleet_sweep(fleet, &told[2]);
	fake_fleet_run(fleet, 45);
	assert_int_equal(told[0].calls, 0);
	fake_fleet_run(fleet, 10);
	assert_int_equal(told[0].calls, 1);
	assert_int_equal(told[1].calls, 1);
	assert_int_equal(told[2].calls, 1);
	assert_int_equal(told[2].swept, 2);
	assert_int_equal(fleet->record.sweep_count, 2);
	fake_fleet_run(fleet, EVERY_MS - 200);
	assert_int_equal(fleet->record.sweep_count, 2);
	fake_fleet_run(fleet, 200);
	assert_int_equal(fleet->record.sweep_count, 3);
	fake_fleet_free(fleet);
}

static void overrun_is_said_and_not_doubled(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_fleet_next(fleet)->monitor.every_ms = 1000;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	fleet->checker.latency_ms = 2500;
	fake_fleet_run(fleet, 500);
	assert_int_equal(fleet->checker.running, 1);
	fake_fleet_run(fleet, 2200);
	assert_int_equal(fake_fleet_events(fleet, "sweep-late"), 2);
	assert_int_equal(fleet->checker.running, 0);
	assert_int_equal(fleet->record.sweep_count, 2);
	assert_int_equal(last(fleet)->duration_us, 2500000);
	fake_fleet_run(fleet, 500);
	assert_int_equal(fleet->checker.running, 1);
	fake_fleet_free(fleet);
}

static void checker_that_can_not_start(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fleet->checker.start_fails = true;
	fake_fleet_sweep(fleet, &told);
	fake_fleet_run(fleet, 10);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.swept, 0);
	fleet->checker.start_fails = false;
	fake_fleet_sweep(fleet, &told);
	fake_fleet_run(fleet, 10);
	assert_int_equal(told.swept, 2);
	assert_int_equal(fleet->driver.starts, 2);
	fake_fleet_free(fleet);
}

/* A new configuration in the middle: asked again, and whoever waits is told of that. */
static void reconfigured_in_the_middle(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fleet->checker.latency_ms = 100;
	fake_fleet_sweep(fleet, &told);
	fake_fleet_run(fleet, 50);
	fake_fleet_scale(fleet, 2);
	fake_fleet_run(fleet, 90);
	assert_int_equal(told.calls, 0);
	fake_fleet_run(fleet, 20);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.swept, 2);
	assert_int_equal(fleet->record.sweep_count, 2);
	fake_fleet_free(fleet);
}

static void goes_down_in_the_middle(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told swept;
	struct told later;
	struct told down;

	(void)state;
	fleet->checker.latency_ms = 100;
	fake_fleet_sweep(fleet, &swept);
	fake_fleet_run(fleet, 50);
	fake_fleet_down(fleet, &down);
	fake_fleet_sweep(fleet, &later);
	fake_fleet_run(fleet, 200);
	assert_int_equal(swept.calls, 1);
	assert_true(swept.failed);
	assert_int_equal(later.calls, 1);
	assert_true(later.failed);
	assert_int_equal(down.calls, 1);
	fake_fleet_free(fleet);
}

/* --- Which verdicts count. */

/* Asked before it died, answered after it was back: the old process's time-out is not the new one's. */
static void stale_verdict_is_not_acted_upon(void **state)
{
	unsigned i;

	(void)state;
	/* It is back in service, or still starting, when the verdict comes. */
	for (i = 0; i < 2; i++) {
		struct fake_fleet *fleet = fake_fleet_up(3);
		struct fake_instance *hung = fake_fleet_at(fleet, 1);

		fake_fleet_next(fleet)->monitor.replace_after = 2;
		assert_int_equal(fake_fleet_reconfigure(fleet), 0);
		fake_fleet_run(fleet, 3000);
		hung->answer = REASON_TIMEOUT;
		fake_fleet_run(fleet, EVERY_MS - 2000);
		assert_int_equal(fleet->checker.running, 1);
		hung->answer = REASON_OK;
		fleet->driver.listen_ms = i == 0 ? 10 : 10000;
		fake_instance_kill(hung);
		fake_fleet_run(fleet, 5000);
		assert_int_equal(fleet->record.sweep_count, 3);
		assert_int_equal(last(fleet)->failed, 1);
		assert_int_equal(last(fleet)->entries[1].action, SWEEP_NONE);
		fake_fleet_run(fleet, 20000);
		assert_int_equal(fake_fleet_in_service(fleet), 3);
		fake_fleet_free(fleet);
	}
}

/* Want of this machine's own says nothing about the instances. */
static void undecided_is_not_acted_upon(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);

	(void)state;
	fleet->checker.undecided = true;
	fake_fleet_run(fleet, 10 * EVERY_MS + 5000);
	assert_int_equal(fleet->record.sweep_count, 11);
	assert_int_equal(last(fleet)->failed, 3);
	assert_int_equal(fake_fleet_in_service(fleet), 3);
	assert_int_equal(fleet->driver.starts, 3);
	assert_int_equal(fake_fleet_events(fleet, "braked"), 0);
	fake_fleet_free(fleet);
}

/* What leaves during the sweep: well if it answered, "gone" if it did not. */
static void gone_in_the_middle(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);
	struct told told;

	(void)state;
	fake_fleet_at(fleet, 0)->answer = REASON_TIMEOUT;
	fake_fleet_sweep(fleet, &told);
	fake_fleet_run(fleet, 10);
	fake_instance_judge(fake_fleet_at(fleet, 0), false, "L7STS/500");
	/* The round goes on: a reconfiguration would begin it anew. */
	fleet->configs[fleet->config].capacity.open = 1;
	fake_instance_judge(fake_fleet_at(fleet, 1), true, "L7OK");
	fake_fleet_run(fleet, 300);
	assert_int_equal(fake_fleet_size(fleet), 1);
	fake_fleet_run(fleet, 5000);
	assert_int_equal(told.calls, 1);
	assert_int_equal(last(fleet)->count, 3);
	assert_int_equal(last(fleet)->entries[0].check.reason, REASON_GONE);
	assert_int_equal(last(fleet)->entries[1].check.reason, REASON_OK);
	assert_int_equal(last(fleet)->entries[2].check.reason, REASON_OK);
	assert_int_equal(last(fleet)->failed, 1);
	fake_fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sweep_waits_for_the_fleet),
		cmocka_unit_test(first_sweep_waits_no_longer_than_others),
		cmocka_unit_test(adopted_fleet_is_swept_at_once),
		cmocka_unit_test(sweeps_at_each_interval),
		cmocka_unit_test(on_demand_joins),
		cmocka_unit_test(overrun_is_said_and_not_doubled),
		cmocka_unit_test(checker_that_can_not_start),
		cmocka_unit_test(reconfigured_in_the_middle),
		cmocka_unit_test(goes_down_in_the_middle),
		cmocka_unit_test(stale_verdict_is_not_acted_upon),
		cmocka_unit_test(undecided_is_not_acted_upon),
		cmocka_unit_test(gone_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
