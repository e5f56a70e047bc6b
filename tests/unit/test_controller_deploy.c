/*
 * test_controller_deploy.c: new content, instance by instance: never two out
 * of service at once, never fewer than one less than wanted, and back again
 * when it is not good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include <string.h>

#define NEW_RELEASE 2

/* --- It goes well. */

static void one_after_the_other(void **state)
{
	static const struct {
		unsigned count;
		unsigned low;
	} fleets[] = { { 2, 1 }, { 3, 2 }, { 10, 9 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof fleets / sizeof fleets[0]; i++) {
		struct fake_fleet *fleet = fake_fleet_up((int)fleets[i].count);
		struct told told;

		fake_fleet_deploy(fleet, &told);
		fake_fleet_run(fleet, 2000);
		assert_int_equal(told.calls, 1);
		assert_false(told.failed);
		fake_fleet_assert_serves(fleet, fleets[i].count, NEW_RELEASE);
		assert_int_equal(fleet->low, fleets[i].low);
		assert_int_equal(fleet->most_draining, 1);
		assert_int_equal(fleet->driver.drains, fleets[i].count);
		assert_int_equal(fleet->driver.launches, fleets[i].count);
		/* One for each, and one for the whole. */
		assert_int_equal(fake_fleet_events(fleet, "deployed"), fleets[i].count + 1);
		assert_int_equal(told.progress, 2 * fleets[i].count + 1);
		fake_fleet_free(fleet);
	}
}

/* Alone it can't be drained: another one comes first. */
static void fleet_of_one(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(1);
	struct told told;

	(void)state;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	fake_fleet_assert_serves(fleet, 1, NEW_RELEASE);
	assert_int_equal(fleet->low, 1);
	assert_string_equal(fake_fleet_at(fleet, 0)->base.id, "web-00000002");
	fake_fleet_free(fleet);
}

static void fleet_of_none(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(0);
	struct told told;

	(void)state;
	fake_fleet_start(fleet);
	fake_fleet_run(fleet, 10);
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 100);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	fake_fleet_free(fleet);
}

/* The configuration's own site, when it changed; also when that is seen in the middle of a deployment. */
static void site_of_the_configuration(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fake_fleet_scale(fleet, 2);
	fake_fleet_run(fleet, 500);
	fake_fleet_assert_serves(fleet, 2, 1);
	fleet->driver.site_has_changed = true;
	fake_fleet_scale(fleet, 2);
	fake_fleet_run(fleet, 500);
	fake_fleet_assert_serves(fleet, 2, NEW_RELEASE);
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 50);
	fleet->driver.site_has_changed = true;
	fake_fleet_scale(fleet, 2);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	fake_fleet_assert_serves(fleet, 2, 4);
	fake_fleet_free(fleet);
}

/* --- It does not. */

static void publishing_fails(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fleet->driver.publish_fails = true;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 100);
	assert_int_equal(told.calls, 1);
	assert_string_equal(told.failure.message, "no such folder");
	assert_int_equal(fleet->driver.drains, 0);
	fleet->driver.publish_fails = false;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 500);
	assert_false(told.failed);
	fake_fleet_assert_serves(fleet, 2, NEW_RELEASE);
	fake_fleet_free(fleet);
}

/* The first one shows that it is bad; the others are left alone. */
static void bad_content_is_taken_back(void **state)
{
	unsigned count;

	(void)state;
	for (count = 1; count <= 3; count++) {
		struct fake_fleet *fleet = fake_fleet_up((int)count);
		struct told told;

		fleet->driver.bad_release = NEW_RELEASE;
		fake_fleet_deploy(fleet, &told);
		fake_fleet_run(fleet, 1000);
		assert_int_equal(told.calls, 1);
		assert_true(told.failed);
		assert_non_null(strstr(told.failure.message, "status (500)"));
		fake_fleet_assert_serves(fleet, count, 1);
		assert_int_equal(fleet->driver.reverts, 1);
		assert_int_equal(fleet->low, count == 1 ? 1 : count - 1);
		assert_int_equal(fake_fleet_events(fleet, "deploy-failed"), 1);
		assert_int_equal(fake_fleet_events(fleet, "reverted"), count > 1);
		assert_int_equal(fleet->driver.refreshes, count > 1 ? 2 : 0);
		fake_fleet_free(fleet);
	}
}

static void bad_content_that_can_not_be_taken_back(void **state)
{
	unsigned count;

	(void)state;
	for (count = 1; count <= 3; count++) {
		struct fake_fleet *fleet = fake_fleet_up((int)count);
		struct told told;
		unsigned i;

		fleet->driver.bad_release = NEW_RELEASE;
		fleet->driver.revert_fails = true;
		fake_fleet_deploy(fleet, &told);
		fake_fleet_run(fleet, 10000);
		assert_int_equal(told.calls, 1);
		assert_true(told.failed);
		/* Nobody is forgotten out of service: the next good release reaches all. */
		fake_fleet_deploy(fleet, &told);
		for (i = 0; i < 60 && told.calls == 0; i++)
			fake_fleet_run(fleet, 1000);
		assert_int_equal(told.calls, 1);
		assert_false(told.failed);
		fake_fleet_run(fleet, 100);
		fake_fleet_assert_serves(fleet, count, 3);
		fake_fleet_free(fleet);
	}
}

static void refreshing_fails(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fleet->driver.refresh_fails = true;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	assert_string_equal(told.failure.message, "no space");
	/* Nor could the one before be brought back: started again. */
	assert_int_equal(fleet->driver.starts, 3);
	fake_fleet_assert_serves(fleet, 2, 1);
	fake_fleet_free(fleet);
}

static void launching_fails_for_one(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(1);
	struct told told;

	(void)state;
	fleet->driver.launch_fails = true;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	assert_string_equal(told.failure.message, "no space for one more");
	fake_fleet_assert_serves(fleet, 1, 1);
	fake_fleet_free(fleet);
}

static void replacement_dies_for_one(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(1);
	struct told told;

	(void)state;
	fleet->driver.die_at_start = true;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told.calls, 1);
	assert_true(told.failed);
	assert_int_equal(fleet->low, 1);
	fleet->driver.die_at_start = false;
	fake_fleet_run(fleet, 1000);
	fake_fleet_assert_serves(fleet, 1, 1);
	fake_fleet_free(fleet);
}

/* The one that was to go dies while the other comes up with bad content. */
static void alone_and_dies(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(1);
	struct told told;

	(void)state;
	fleet->driver.bad_release = NEW_RELEASE;
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 10);
	assert_int_equal(fake_fleet_size(fleet), 2);
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_run(fleet, 2000);
	assert_int_equal(told.calls, 1);
	assert_true(told.failed);
	fake_fleet_assert_serves(fleet, 1, 1);
	fake_fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(fleet_of_one),
		cmocka_unit_test(fleet_of_none),
		cmocka_unit_test(site_of_the_configuration),
		cmocka_unit_test(publishing_fails),
		cmocka_unit_test(bad_content_is_taken_back),
		cmocka_unit_test(bad_content_that_can_not_be_taken_back),
		cmocka_unit_test(refreshing_fails),
		cmocka_unit_test(launching_fails_for_one),
		cmocka_unit_test(replacement_dies_for_one),
		cmocka_unit_test(alone_and_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
