/*
 * test_controller_brake.c: what sweeps find: restarted, replaced after
 * `replace_after`, and left alone where too much of the fleet fails at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include <string.h>

#define MINUTE_MS 60000

static enum sweep_action last_action(const struct fake_fleet *fleet, unsigned n)
{
	const struct sweep *sweep = fleet->record.sweeps[fleet->record.sweep_count - 1];

	assert_true(n < sweep->count);
	return sweep->entries[n].action;
}

/* To a moment after the next sweep and what follows from it. */
static void to_next_sweep(struct fake_fleet *fleet)
{
	size_t count = fleet->record.sweep_count;

	while (fleet->record.sweep_count == count)
		fake_fleet_run(fleet, 1);
}

/* --- One of three. */

/* One table: what it answers, and what each of five sweeps does about it. */
static void one_fails(void **state)
{
	static const char *const words[] = { "none", "restarted", "replaced" };
	enum { N, S, P };
	static const struct {
		enum reason reason;
		bool restart;
		int actions[3];
	} rows[] = {
		/* A restart may help; what still does not answer then is replaced. */
		{ REASON_REFUSED, true, { S, N, P } },
		{ REASON_TIMEOUT, true, { S, N, P } },
		{ REASON_RESET, true, { S, N, P } },
		/* A wrong answer gets a second look first. */
		{ REASON_STATUS, true, { N, S, P } },
		{ REASON_BODY, true, { N, S, P } },
		/* What can't be reached is no use to restart. */
		{ REASON_UNREACHABLE, true, { N, N, P } },
		/* Told not to restart. */
		{ REASON_TIMEOUT, false, { N, N, P } },
		{ REASON_STATUS, false, { N, N, P } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fake_fleet *fleet = fake_fleet_up(3);
		unsigned n;

		fake_fleet_next(fleet)->monitor.restart = rows[i].restart;
		assert_int_equal(fake_fleet_reconfigure(fleet), 0);
		fake_fleet_run(fleet, 3000);
		fake_fleet_at(fleet, 0)->answer = rows[i].reason;
		for (n = 0; n < 3; n++) {
			to_next_sweep(fleet);
			assert_string_equal(sweep_action_name(last_action(fleet, 0)), words[rows[i].actions[n]]);
			assert_int_equal(last_action(fleet, 1), SWEEP_NONE);
			assert_string_equal(fake_fleet_at(fleet, 0)->base.id, "web-00000001");
		}
		/* Kept until the other one is in service. */
		assert_int_equal(fake_fleet_size(fleet), 4);
		fake_fleet_run(fleet, 1000);
		fake_fleet_assert_serves(fleet, 3, 1);
		assert_string_equal(fake_fleet_at(fleet, 2)->base.id, "web-00000004");
		assert_int_equal(fake_fleet_events(fleet, "replaced"), 1);
		fake_fleet_free(fleet);
	}
}

/* A restart that helps ends the row: it is not replaced for what comes an hour later. */
static void recovers(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++) {
		fake_fleet_at(fleet, 0)->answer = REASON_TIMEOUT;
		to_next_sweep(fleet);
		assert_int_equal(last_action(fleet, 0), SWEEP_RESTARTED);
		fake_fleet_at(fleet, 0)->answer = REASON_OK;
		to_next_sweep(fleet);
		assert_int_equal(fake_fleet_in_service(fleet), 3);
	}
	assert_int_equal(fleet->driver.launches, 3);
	fake_fleet_free(fleet);
}

/* A wrong answer that passes again by itself costs nothing. */
static void wrong_for_a_while(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);

	(void)state;
	fake_fleet_at(fleet, 0)->answer = REASON_STATUS;
	to_next_sweep(fleet);
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	assert_int_equal(fake_driver_admitted(&fleet->driver), 3);
	fake_fleet_at(fleet, 0)->answer = REASON_OK;
	to_next_sweep(fleet);
	assert_int_equal(fake_fleet_in_service(fleet), 3);
	assert_int_equal(fleet->driver.starts, 3);
	fake_fleet_free(fleet);
}

/* --- A replacement that can't be brought up. */

static void replacement_fails(void **state)
{
	static const enum reason answers[] = { REASON_STATUS, REASON_TIMEOUT, REASON_COUNT };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct fake_fleet *fleet = fake_fleet_up(3);
		unsigned starts;

		fake_fleet_at(fleet, 0)->answer = REASON_UNREACHABLE;
		to_next_sweep(fleet);
		to_next_sweep(fleet);
		/* It answers wrongly, not at all, or dies at its start. */
		if (answers[i] == REASON_COUNT)
			fleet->driver.die_at_start = true;
		else
			fleet->driver.start_answer = answers[i];
		starts = fleet->driver.starts;
		to_next_sweep(fleet);
		assert_int_equal(fake_fleet_size(fleet), 4);
		fake_fleet_watch(fleet);
		/* The old one stays, and goes on serving for those whom its page helps. */
		fake_fleet_run(fleet, 3600000);
		assert_ptr_not_equal(fake_record_last(&fleet->record, "replace-failed"), NULL);
		assert_string_equal(fake_fleet_at(fleet, 0)->base.id, "web-00000001");
		assert_int_equal(fleet->low, 3);
		/* Tried again, and not too often: at most three starts a sweep, and no two replacements at once. */
		assert_in_range(fake_fleet_events(fleet, "replace-failed"), 20, 61);
		assert_in_range(fleet->driver.starts - starts, 20, 130);
		fleet->driver.die_at_start = false;
		fleet->driver.start_answer = REASON_OK;
		fake_fleet_run(fleet, 2 * MINUTE_MS);
		fake_fleet_assert_serves(fleet, 3, 1);
		fake_fleet_free(fleet);
	}
}

/* The fleet gets smaller while one is being replaced: whichever goes, the right number stays. */
static void scaled_down_while_replacing(void **state)
{
	unsigned open;

	(void)state;
	for (open = 1; open <= 2; open++) {
		struct fake_fleet *fleet = fake_fleet_up(3);

		fake_fleet_at(fleet, 0)->answer = REASON_UNREACHABLE;
		to_next_sweep(fleet);
		to_next_sweep(fleet);
		fleet->driver.listen_ms = 1000;
		to_next_sweep(fleet);
		assert_int_equal(fake_fleet_size(fleet), 4);
		fake_fleet_scale(fleet, (int)open);
		fake_fleet_run(fleet, 10000);
		fake_fleet_assert_serves(fleet, open, 1);
		fake_fleet_free(fleet);
	}
}

/* --- Too many at once. */

static void all_fail(struct fake_fleet *fleet, enum reason reason, enum reason of_new_ones)
{
	fake_driver_answer(&fleet->driver, reason);
	fleet->driver.start_answer = of_new_ones;
	to_next_sweep(fleet);
	to_next_sweep(fleet);
	to_next_sweep(fleet);
}

/* Nobody knows whether it is the checker's fault: nothing is replaced, the page stays. */
static void braked_when_not_known_to_be_connected(void **state)
{
	static const int sizes[] = { 2, 3, 10 };
	static const enum reason reasons[] = { REASON_STATUS, REASON_UNREACHABLE };
	size_t i;
	int connected;

	(void)state;
	for (i = 0; i < 6; i++) {
		for (connected = -1; connected <= 0; connected++) {
			unsigned size = (unsigned)sizes[i / 2];
			struct fake_fleet *fleet = fake_fleet_up((int)size);
			struct told told;
			unsigned n;

			fleet->driver.connected = connected;
			fake_fleet_wait(fleet, &told);
			fake_fleet_run(fleet, 100);
			assert_int_equal(told.calls, 1);
			all_fail(fleet, reasons[i % 2], reasons[i % 2]);
			for (n = 0; n < size; n++)
				assert_int_equal(last_action(fleet, n), SWEEP_BRAKED);
			fake_fleet_wait(fleet, &told);
			fake_fleet_run(fleet, 3600000);
			assert_int_equal(fleet->driver.launches, size);
			assert_int_equal(fleet->driver.starts, size);
			assert_int_equal(fleet->low, size);
			/* Whoever waits for the fleet does not wait for ever. */
			assert_int_equal(told.calls, 1);
			assert_true(told.failed);
			fake_driver_answer(&fleet->driver, REASON_OK);
			to_next_sweep(fleet);
			fake_fleet_assert_serves(fleet, size, 1);
			fake_fleet_free(fleet);
		}
	}
}

/* Known to be connected: one by one, while new ones come up well. */
static void one_by_one_when_connected(void **state)
{
	static const int sizes[] = { 2, 3, 10 };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		unsigned size = (unsigned)sizes[i];
		struct fake_fleet *fleet = fake_fleet_up((int)size);
		unsigned n;
		unsigned replaced = 0;

		fleet->driver.listen_ms = 100;
		all_fail(fleet, REASON_STATUS, REASON_OK);
		assert_int_equal(last_action(fleet, 0), SWEEP_REPLACED);
		for (n = 1; n < size; n++)
			assert_int_equal(last_action(fleet, n), SWEEP_BRAKED);
		assert_int_equal(fake_fleet_size(fleet), size + 1);
		for (n = 0; n < size; n++) {
			fake_fleet_run(fleet, 30000);
			replaced = fake_fleet_events(fleet, "replaced");
			to_next_sweep(fleet);
		}
		assert_true(replaced >= 2);
		fake_fleet_run(fleet, MINUTE_MS);
		fake_fleet_assert_serves(fleet, size, 1);
		assert_int_equal(fleet->low, size);
		fake_fleet_free(fleet);
	}
}

/* The content is wrong everywhere: one try at a time, and everybody's page stays. */
static void wrong_everywhere(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);
	unsigned i;

	(void)state;
	all_fail(fleet, REASON_STATUS, REASON_STATUS);
	for (i = 0; i < 3600; i++) {
		fake_fleet_run(fleet, 1000);
		assert_true(fake_fleet_size(fleet) <= 4);
	}
	assert_int_equal(fleet->low, 3);
	assert_true(fleet->driver.launches <= 3 + 61);
	fake_fleet_free(fleet);
}

/* At half of the fleet the brake is not on yet. */
static void half_is_replaced(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(4);
	unsigned n;

	(void)state;
	fleet->driver.connected = -1;
	for (n = 0; n < 2; n++)
		fake_fleet_at(fleet, n)->answer = REASON_STATUS;
	for (n = 0; n < 3; n++)
		to_next_sweep(fleet);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fake_fleet_events(fleet, "replaced"), 2);
	assert_int_equal(fake_fleet_events(fleet, "braked"), 0);
	fake_fleet_assert_serves(fleet, 4, 1);
	fake_fleet_free(fleet);
}

/* All dead at once is no mistake of the checker: all are back at once. */
static void all_die(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(10);
	unsigned n;

	(void)state;
	fleet->driver.connected = -1;
	for (n = 0; n < 10; n++)
		fake_instance_kill(fake_fleet_at(fleet, n));
	fake_fleet_run(fleet, 20);
	fake_fleet_assert_serves(fleet, 10, 1);
	fake_fleet_free(fleet);
}

/* A fleet of one has no others to compare with: replaced, and kept until the other is well. */
static void fleet_of_one(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(1);

	(void)state;
	fleet->driver.connected = -1;
	fleet->driver.listen_ms = 500;
	fake_fleet_at(fleet, 0)->answer = REASON_UNREACHABLE;
	to_next_sweep(fleet);
	to_next_sweep(fleet);
	to_next_sweep(fleet);
	assert_int_equal(last_action(fleet, 0), SWEEP_REPLACED);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(fleet->low, 1);
	fake_fleet_assert_serves(fleet, 1, 1);
	fake_fleet_free(fleet);
}

/* Of two that are unwell the younger goes first. */
static void scaled_down_with_two_unwell(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(4);

	(void)state;
	fake_fleet_at(fleet, 0)->answer = REASON_UNREACHABLE;
	fake_fleet_at(fleet, 1)->answer = REASON_UNREACHABLE;
	to_next_sweep(fleet);
	fake_fleet_scale(fleet, 3);
	fake_fleet_run(fleet, 200);
	assert_int_equal(fake_fleet_size(fleet), 3);
	assert_string_equal(fake_fleet_at(fleet, 0)->base.id, "web-00000001");
	assert_string_equal(fake_fleet_at(fleet, 1)->base.id, "web-00000003");
	fake_fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fails),
		cmocka_unit_test(recovers),
		cmocka_unit_test(wrong_for_a_while),
		cmocka_unit_test(replacement_fails),
		cmocka_unit_test(scaled_down_while_replacing),
		cmocka_unit_test(scaled_down_with_two_unwell),
		cmocka_unit_test(braked_when_not_known_to_be_connected),
		cmocka_unit_test(one_by_one_when_connected),
		cmocka_unit_test(wrong_everywhere),
		cmocka_unit_test(half_is_replaced),
		cmocka_unit_test(all_die),
		cmocka_unit_test(fleet_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
