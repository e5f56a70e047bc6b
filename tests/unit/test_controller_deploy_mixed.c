/* test_controller_deploy_mixed.c: new content while other things happen: deaths, scaling, another order, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#define NEW_RELEASE 2

static void second_is_refused(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told first;
	struct told second;

	(void)state;
	fake_fleet_deploy(fleet, &first);
	fake_fleet_deploy(fleet, &second);
	fake_fleet_run(fleet, 1);
	assert_int_equal(second.calls, 1);
	assert_true(second.failed);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(second.calls, 1);
	assert_int_equal(first.calls, 1);
	assert_false(first.failed);
	fake_fleet_assert_serves(fleet, 2, NEW_RELEASE);
	fake_fleet_free(fleet);
}

/* Down at every moment of it; ordered too late it is refused. */
static void goes_down_in_the_middle(void **state)
{
	uint64_t ms;

	(void)state;
	for (ms = 0; ms < 105; ms += 3) {
		struct fake_fleet *fleet = fake_fleet_up(2);
		struct told told;
		struct told late;
		struct told down[2];

		fake_fleet_deploy(fleet, &told);
		fake_fleet_run(fleet, ms);
		fake_fleet_down(fleet, &down[0]);
		fake_fleet_deploy(fleet, &late);
		fake_fleet_down(fleet, &down[1]);
		fake_fleet_run(fleet, 100);
		assert_int_equal(told.calls, 1);
		assert_int_equal(told.failed, 1);
		assert_int_equal(late.calls, 1);
		assert_true(late.failed);
		assert_int_equal(down[0].calls, 1);
		assert_int_equal(down[1].calls, 1);
		assert_int_equal(fake_fleet_size(fleet), 0);
		/* Once more, and somebody who comes too late. */
		fake_fleet_down(fleet, &down[0]);
		fake_fleet_wait(fleet, &told);
		fake_fleet_run(fleet, 10);
		assert_int_equal(down[0].calls, 1);
		assert_int_equal(told.calls, 1);
		assert_true(told.failed);
		fake_fleet_free(fleet);
	}
}

/* Scaled at every moment of it. */
static void scaled_in_the_middle(void **state)
{
	static const int sizes[] = { 1, 2, 5 };
	uint64_t ms;
	size_t i;

	(void)state;
	for (ms = 0; ms < 240; ms += 7) {
		for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			struct fake_fleet *fleet = fake_fleet_up(3);
			struct told told;

			fake_fleet_deploy(fleet, &told);
			fake_fleet_run(fleet, ms);
			fake_fleet_scale(fleet, sizes[i]);
			fake_fleet_run(fleet, 3000);
			assert_int_equal(told.calls, 1);
			assert_false(told.failed);
			fake_fleet_assert_serves(fleet, (unsigned)sizes[i], NEW_RELEASE);
			assert_true(fleet->low >= (sizes[i] < 3 ? 1 : 2));
			assert_int_equal(fleet->most_draining, 1);
			fake_fleet_free(fleet);
		}
	}
}

/* One of three dies at any moment of it: never more than one less than that in service. */
static void death_in_the_middle(void **state)
{
	uint64_t ms;
	unsigned n;

	(void)state;
	for (ms = 0; ms < 240; ms += 5) {
		for (n = 0; n < 3; n++) {
			struct fake_fleet *fleet = fake_fleet_up(3);
			struct told told;

			fleet->driver.listen_ms = 100;
			fake_fleet_deploy(fleet, &told);
			fake_fleet_run(fleet, ms);
			fake_instance_kill(fake_fleet_at(fleet, n));
			fake_fleet_run(fleet, 3000);
			assert_int_equal(told.calls, 1);
			assert_false(told.failed);
			fake_fleet_assert_serves(fleet, 3, NEW_RELEASE);
			/* One drains already when another one dies. */
			assert_true(fleet->low >= 1);
			assert_int_equal(fleet->driver.launches, 3);
			fake_fleet_free(fleet);
		}
	}
}

/* One of three keeps dying: the deployment waits a little for it, and then brings one more for each. */
static void crash_loop_beside_it(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);
	struct told told;
	unsigned i;

	(void)state;
	fake_fleet_next(fleet)->monitor.replace_after = 1000;
	assert_int_equal(fake_fleet_reconfigure(fleet), 0);
	fake_fleet_run(fleet, 10);
	for (i = 0; i < 8; i++) {
		while (fake_fleet_in_service(fleet) < 3)
			fake_fleet_run(fleet, 10);
		fake_instance_kill(fake_fleet_at(fleet, 0));
	}
	assert_int_equal(fake_fleet_in_service(fleet), 2);
	fake_fleet_watch(fleet);
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 5000);
	assert_int_equal(fleet->driver.drains, 0);
	fleet->driver.listen_ms = 20;
	fake_fleet_run(fleet, 90000);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	assert_int_equal(fleet->low, 2);
	fake_fleet_assert_serves(fleet, 3, NEW_RELEASE);
	fake_fleet_free(fleet);
}

/* The first one has the new content and fails for a reason that no restart mends: the others do not wait for ever. */
static void unwell_beside_it(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(3);
	struct told told;

	(void)state;
	fake_fleet_deploy(fleet, &told);
	while (fake_fleet_at(fleet, 0)->base.state != INSTANCE_IN_SERVICE || fake_fleet_at(fleet, 0)->release == 1)
		fake_fleet_run(fleet, 1);
	fake_instance_judge(fake_fleet_at(fleet, 0), false, "L7STS/503");
	fake_fleet_run(fleet, 9000);
	assert_int_equal(told.calls, 0);
	fake_fleet_run(fleet, 3000);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	fake_fleet_free(fleet);
}

/* One to come can't start with the content of before: it is launched with the new. */
static void crash_loop_of_old_content(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told;

	(void)state;
	fleet->driver.deadly_release = 1;
	fake_fleet_scale(fleet, 3);
	fake_fleet_run(fleet, 5000);
	fake_fleet_deploy(fleet, &told);
	fake_fleet_run(fleet, 15000);
	assert_int_equal(told.calls, 1);
	assert_false(told.failed);
	fake_fleet_assert_serves(fleet, 3, NEW_RELEASE);
	fake_fleet_free(fleet);
}

/* Everybody answers wrongly, and new content is what mends it. */
static void mends_bad_content(void **state)
{
	unsigned count;

	(void)state;
	for (count = 1; count <= 3; count++) {
		struct fake_fleet *fleet = fake_fleet_up((int)count);
		struct told told;

		fleet->driver.bad_release = 1;
		fake_fleet_run(fleet, 61000);
		/* One of them was restarted for its own reasons, and now waits for its proof. */
		fake_instance_kill(fake_fleet_at(fleet, 0));
		fake_fleet_run(fleet, 100);
		fake_fleet_deploy(fleet, &told);
		fake_fleet_run(fleet, 3000);
		assert_int_equal(told.calls, 1);
		assert_false(told.failed);
		fake_fleet_assert_serves(fleet, count, NEW_RELEASE);
		fake_fleet_free(fleet);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_is_refused),    cmocka_unit_test(goes_down_in_the_middle),
		cmocka_unit_test(scaled_in_the_middle), cmocka_unit_test(death_in_the_middle),
		cmocka_unit_test(crash_loop_beside_it), cmocka_unit_test(mends_bad_content),
		cmocka_unit_test(unwell_beside_it),     cmocka_unit_test(crash_loop_of_old_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
