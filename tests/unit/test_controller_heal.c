/*
 * test_controller_heal.c: what dies, hangs or answers wrongly is restarted,
 * replaced or left, and never so often or so many at once that it does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include <string.h>

#define MINUTE_MS 60000
#define HOUR_MS 3600000

/* --- Deaths. */

static void death_restarts_at_once(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_run(fleet, 20);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	assert_string_equal(fake_fleet_at(fleet, 0)->base.id, "web-00000001");
	assert_int_equal(fleet->driver.launches, 2);
	assert_int_equal(fake_record_count(&fleet->record, "died", "web-00000001"), 1);
	assert_int_equal(fake_record_count(&fleet->record, "restarted", "web-00000001"), 1);
	fake_fleet_free(fleet);
}

static void without_restart_it_is_replaced(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_fleet_next(fleet)->monitor.restart = false;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	fake_fleet_run(fleet, 100);
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_run(fleet, 50);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	assert_string_equal(fake_fleet_at(fleet, 1)->base.id, "web-00000003");
	assert_int_equal(fake_fleet_size(fleet), 2);
	fake_fleet_free(fleet);
}

/* Killed again and again as soon as it is back: each start waits longer, up to 30 s; then it is replaced. */
static void deaths_in_a_row_back_off(void **state)
{
	static const unsigned waits_ms[] = { 0, 0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	struct fake_fleet *fleet = fake_fleet_up(2);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
		unsigned starts = fleet->driver.starts;
		unsigned n;

		for (n = 0; n < 2 && strcmp(fake_fleet_at(fleet, n)->base.id, "web-00000002") == 0; n++)
			;
		fake_instance_kill(fake_fleet_at(fleet, n));
		if (waits_ms[i] > 1)
			fake_fleet_run(fleet, waits_ms[i] - 1);
		assert_int_equal(fleet->driver.starts, starts + (waits_ms[i] == 0));
		fake_fleet_run(fleet, 100);
		assert_int_equal(fleet->driver.starts, starts + 1);
		assert_int_equal(fake_fleet_in_service(fleet), 2);
	}
	/* Every third failure in a row was one for a replacement; a passed sweep ends a row of failures. */
	assert_true(fleet->driver.launches > 2);
	fake_fleet_free(fleet);
}

static void row_of_deaths_ends_when_well(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	unsigned i;

	(void)state;
	for (i = 0; i < 20; i++) {
		fake_instance_kill(fake_fleet_at(fleet, 0));
		fake_fleet_run(fleet, 50);
		assert_int_equal(fake_fleet_in_service(fleet), 2);
		fake_fleet_run(fleet, 2000);
		/* Sweeps that pass, so that it is not a row of failures either. */
		if (i % 2 == 1)
			fake_fleet_run(fleet, MINUTE_MS);
	}
	assert_int_equal(fake_fleet_events(fleet, "backing-off"), 0);
	assert_int_equal(fleet->driver.launches, 2);
	/* Nor do deaths of long ago delay the restart of what hangs now. */
	for (i = 0; i < 2; i++) {
		fake_instance_kill(fake_fleet_at(fleet, 0));
		fake_fleet_run(fleet, 20);
	}
	fake_fleet_run(fleet, 2 * MINUTE_MS);
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_run(fleet, 20);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	assert_int_equal(fake_fleet_events(fleet, "backing-off"), 0);
	fake_fleet_free(fleet);
}

static void hang_after_deaths_is_restarted_at_once(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	unsigned i;

	(void)state;
	fake_fleet_next(fleet)->monitor.replace_after = 10;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	for (i = 0; i < 5; i++) {
		fake_instance_kill(fake_fleet_at(fleet, 0));
		fake_fleet_run(fleet, 1100);
	}
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	fake_fleet_run(fleet, HOUR_MS);
	fake_fleet_at(fleet, 0)->answer = REASON_TIMEOUT;
	fake_instance_judge(fake_fleet_at(fleet, 0), false, "L7TOUT");
	assert_int_equal(fake_fleet_at(fleet, 0)->phase, FAKE_CLEARING);
	fake_fleet_free(fleet);
}

/*
 * What can't live is started at most this often: two starts for nothing, 250
 * ms to 16 s (eight), then every 30 s.
 */
#define STARTS_AN_HOUR (2 + 8 + HOUR_MS / 30000)

static void crash_loop_is_bounded(void **state)
{
	/* It dies at its start, or a little while after it came into service; swept each second, minute. */
	static const struct {
		bool at_start;
		uint64_t live_ms;
		int64_t every_ms;
		bool restart;
	} loops[] = {
		{ true, 0, MINUTE_MS, true },  { true, 0, 1000, true },      { true, 0, 1000, false },
		{ false, 1, MINUTE_MS, true }, { false, 1, 1000, true },     { false, 1000, 1000, true },
		{ false, 1, 1000, false },     { false, 1900, 1000, false }, { false, 1900, MINUTE_MS, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof loops / sizeof loops[0]; i++) {
		struct fake_fleet *fleet = fake_fleet_up(3);
		unsigned starts = fleet->driver.starts;
		struct config *config;
		unsigned n;

		config = fake_fleet_next(fleet);
		config->monitor.every_ms = loops[i].every_ms;
		config->monitor.restart = loops[i].restart;
		assert_int_equal(fake_fleet_reconfigure(fleet), 0);
		fake_fleet_run(fleet, 10);
		fleet->driver.die_at_start = loops[i].at_start;
		fleet->driver.live_ms = loops[i].live_ms;
		for (n = 3; n-- > 0;)
			fake_instance_kill(fake_fleet_at(fleet, n));
		fake_fleet_run(fleet, HOUR_MS);
		assert_in_range(fleet->driver.starts - starts, 3 * 80, 3 * STARTS_AN_HOUR);
		/* And it is whole again when that ends. */
		fleet->driver.die_at_start = false;
		fleet->driver.live_ms = 0;
		fake_fleet_run(fleet, MINUTE_MS);
		assert_int_equal(fake_fleet_in_service(fleet), 3);
		assert_int_equal(fake_fleet_size(fleet), 3);
		fake_fleet_free(fleet);
	}
}

/* Nobody is left without a next start until the next sweep. */
static void dead_is_never_left_alone(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);
	struct fake_instance *first = fake_fleet_at(fleet, 0);
	struct config *config;
	unsigned sweeps;

	(void)state;
	/* Replaced while it lives, and dead before the other one failed. */
	config = fake_fleet_next(fleet);
	config->monitor.restart = false;
	config->monitor.replace_after = 1;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	fake_fleet_run(fleet, 100);
	fleet->driver.listen_ms = 1000;
	fleet->driver.die_at_start = true;
	first->answer = REASON_STATUS;
	fake_fleet_run(fleet, MINUTE_MS + 100);
	assert_int_equal(fake_fleet_size(fleet), 4);
	fake_instance_kill(first);
	fake_fleet_run(fleet, 5000);
	sweeps = (unsigned)fleet->record.sweep_count;
	fleet->driver.die_at_start = false;
	fake_fleet_run(fleet, 10000);
	assert_int_equal(fake_fleet_in_service(fleet), 3);
	assert_int_equal(fake_fleet_size(fleet), 3);
	assert_int_equal(fleet->record.sweep_count, sweeps);
	fake_fleet_free(fleet);
}

/* Dead when nothing can be launched: it is tried again in its place. */
static void dead_while_nothing_can_be_launched(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_fleet_next(fleet)->monitor.restart = false;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	fleet->driver.launch_fails = true;
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_run(fleet, 100);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	fake_fleet_free(fleet);
}

/* It listens and is not ready yet: it gets five seconds. */
static void slow_to_answer(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(1);

	(void)state;
	fleet->driver.start_answer = REASON_RESET;
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 4000);
	assert_int_equal(fake_fleet_in_service(fleet), 0);
	fake_driver_answer(&fleet->driver, REASON_OK);
	fake_fleet_run(fleet, 30);
	assert_int_equal(fake_fleet_in_service(fleet), 1);
	assert_int_equal(fleet->driver.starts, 1);
	fake_fleet_free(fleet);
}

/* What dies while the fleet goes down is not ordered about any more. */
static void dies_while_going_down(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told down;

	(void)state;
	fleet->driver.grace_ms = 1000;
	fake_fleet_down(fleet, &down);
	fake_fleet_run(fleet, 100);
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_run(fleet, 2000);
	assert_int_equal(down.calls, 1);
	fake_fleet_free(fleet);
}

/* --- The balancer's verdict. */

static void balancer_finds_it_hung(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);

	(void)state;
	fake_fleet_at(fleet, 1)->answer = REASON_TIMEOUT;
	fake_instance_judge(fake_fleet_at(fleet, 1), false, "L7TOUT");
	assert_int_equal(fake_fleet_at(fleet, 1)->starts, 2);
	fake_fleet_at(fleet, 1)->answer = REASON_OK;
	fake_fleet_run(fleet, 20);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	assert_int_equal(fleet->driver.launches, 2);
	fake_fleet_free(fleet);
}

/* A wrong answer may pass: it is not restarted for the first, and recovers by itself. */
static void balancer_finds_it_wrong_and_it_recovers(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct fake_instance *wrong = fake_fleet_at(fleet, 1);

	(void)state;
	fake_instance_judge(wrong, false, "L7STS/503");
	fake_fleet_run(fleet, 100);
	assert_int_equal(wrong->starts, 1);
	assert_int_equal(wrong->base.state, INSTANCE_UNHEALTHY);
	fake_instance_judge(wrong, true, "L7OK");
	assert_int_equal(wrong->base.state, INSTANCE_IN_SERVICE);
	assert_int_equal(fake_fleet_events(fleet, "failing"), 1);
	assert_int_equal(fake_fleet_events(fleet, "recovered"), 1);
	fake_fleet_run(fleet, 10 * MINUTE_MS);
	assert_int_equal(wrong->starts, 1);
	fake_fleet_free(fleet);
}

/* Well by our own check and not by the balancer's: restarted, and replaced at last. */
static void balancer_insists(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);

	(void)state;
	fake_instance_judge(fake_fleet_at(fleet, 0), false, "L7STS/503");
	fake_fleet_run(fleet, MINUTE_MS);
	assert_int_equal(fake_fleet_at(fleet, 0)->starts, 2);
	assert_int_equal(fake_fleet_in_service(fleet), 3);
	fake_fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_restarts_at_once),
		cmocka_unit_test(without_restart_it_is_replaced),
		cmocka_unit_test(deaths_in_a_row_back_off),
		cmocka_unit_test(row_of_deaths_ends_when_well),
		cmocka_unit_test(hang_after_deaths_is_restarted_at_once),
		cmocka_unit_test(crash_loop_is_bounded),
		cmocka_unit_test(dead_is_never_left_alone),
		cmocka_unit_test(dead_while_nothing_can_be_launched),
		cmocka_unit_test(slow_to_answer),
		cmocka_unit_test(dies_while_going_down),
		cmocka_unit_test(balancer_finds_it_hung),
		cmocka_unit_test(balancer_finds_it_wrong_and_it_recovers),
		cmocka_unit_test(balancer_insists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
