/* test_controller_told.c: who waits is told once, whatever those do who are told before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_fleet.h"

#include <string.h>

/* Somebody who gives an order when told. */
struct actor {
	struct fake_fleet *fleet;
	struct told *forgets;
	struct told *waits;
	struct told *downs;
	unsigned calls;
};

static void act(struct actor *actor)
{
	actor->calls++;
	if (actor->forgets != NULL)
		controller_forget(actor->fleet->controller, actor->forgets);
	if (actor->waits != NULL)
		fake_fleet_wait(actor->fleet, actor->waits);
	if (actor->downs != NULL)
		fake_fleet_down(actor->fleet, actor->downs);
}

static void on_done(void *arg, const struct failure *failure)
{
	(void)failure;
	act(arg);
}

static void on_swept(void *arg, const struct sweep *sweep)
{
	(void)sweep;
	act(arg);
}

static void forgotten_are_not_told(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told[4];

	(void)state;
	fake_fleet_wait(fleet, &told[0]);
	fake_fleet_sweep(fleet, &told[1]);
	fake_fleet_deploy(fleet, &told[2]);
	fake_fleet_deploy(fleet, &told[3]);
	controller_forget(fleet->controller, &told[0]);
	controller_forget(fleet->controller, &told[1]);
	controller_forget(fleet->controller, &told[2]);
	controller_forget(fleet->controller, &told[3]);
	fake_fleet_run(fleet, 1000);
	assert_int_equal(told[0].calls + told[1].calls + told[2].calls + told[3].calls, 0);
	assert_int_equal(told[0].progress + told[2].progress, 0);
	fake_fleet_assert_serves(fleet, 2, 2);
	fake_fleet_free(fleet);
}

/* By the one who is told just before. */
static void forgotten_at_the_last_moment(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told settled;
	struct told swept;
	struct actor waits = { .fleet = fleet, .forgets = &settled };
	struct actor sweeps = { .fleet = fleet, .forgets = &swept };

	(void)state;
	controller_wait(fleet->controller, NULL, on_done, &waits);
	fake_fleet_wait(fleet, &settled);
	controller_sweep(fleet->controller, on_swept, &sweeps);
	fake_fleet_sweep(fleet, &swept);
	fake_fleet_run(fleet, 100);
	assert_int_equal(waits.calls, 1);
	assert_int_equal(sweeps.calls, 1);
	assert_int_equal(settled.calls, 0);
	assert_int_equal(swept.calls, 0);
	fake_fleet_free(fleet);
}

/* Who asks again when told of a failure is not told of the same one. */
static void asks_again(void **state)
{
	struct fake_fleet *fleet = fake_fleet_new(2);
	struct told again;
	struct actor actor = { .fleet = fleet, .waits = &again };

	(void)state;
	fleet->driver.die_at_start = true;
	fake_fleet_start(fleet);
	controller_wait(fleet->controller, NULL, on_done, &actor);
	while (actor.calls == 0)
		fake_fleet_run(fleet, 1);
	fleet->driver.die_at_start = false;
	fake_fleet_run(fleet, 2000);
	assert_int_equal(again.calls, 1);
	assert_false(again.failed);
	fake_fleet_free(fleet);
}

/* Down, ordered by who is told of anything. */
static void goes_down_when_told(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct fake_fleet *fleet = fake_fleet_new(2);
		struct told down;
		struct told other;
		struct actor actor = { .fleet = fleet, .downs = &down };

		fleet->driver.launch_fails = i == 1;
		fleet->driver.die_at_start = i == 2;
		fleet->driver.publish_fails = i == 4;
		fake_fleet_start(fleet);
		if (i < 3) {
			controller_wait(fleet->controller, NULL, on_done, &actor);
			fake_fleet_wait(fleet, &other);
		} else if (i == 3) {
			controller_sweep(fleet->controller, on_swept, &actor);
			fake_fleet_sweep(fleet, &other);
		} else {
			fake_fleet_run(fleet, 100);
			controller_deploy(fleet->controller, "/new", NULL, on_done, &actor);
			fake_fleet_deploy(fleet, &other);
		}
		fake_fleet_run(fleet, 2000);
		assert_int_equal(actor.calls, 1);
		assert_int_equal(other.calls, 1);
		assert_int_equal(down.calls, 1);
		assert_int_equal(fake_fleet_size(fleet), 0);
		fake_fleet_free(fleet);
	}
}

static void on_down(void *arg, const struct failure *failure)
{
	struct fake_fleet *fleet = arg;

	(void)failure;
	controller_close(fleet->controller);
	fleet->controller = NULL;
}

/* As the program does it. */
static void closes_when_told_of_the_end(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told swept;

	(void)state;
	fake_fleet_sweep(fleet, &swept);
	controller_down(fleet->controller, on_down, fleet);
	fake_fleet_run(fleet, 100);
	assert_true(fleet->driver.closed);
	assert_int_equal(swept.calls, 1);
	fake_fleet_free(fleet);
}

/* Closing is no end of the fleet, and frees those who wait in silence. */
static void closing_is_silent(void **state)
{
	struct fake_fleet *fleet = fake_fleet_up(2);
	struct told told[4];
	unsigned i;

	(void)state;
	fake_instance_kill(fake_fleet_at(fleet, 0));
	fake_fleet_wait(fleet, &told[0]);
	fake_fleet_sweep(fleet, &told[1]);
	fake_fleet_deploy(fleet, &told[2]);
	fake_fleet_deploy(fleet, &told[3]);
	controller_close(fleet->controller);
	fleet->controller = NULL;
	fake_fleet_run(fleet, 1000);
	for (i = 0; i < 4; i++)
		assert_int_equal(told[i].calls, 0);
	assert_int_equal(fleet->driver.terminates, 0);
	fake_fleet_free(fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgotten_are_not_told),
		cmocka_unit_test(forgotten_at_the_last_moment),
		cmocka_unit_test(asks_again),
		cmocka_unit_test(goes_down_when_told),
		cmocka_unit_test(closes_when_told_of_the_end),
		cmocka_unit_test(closing_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
