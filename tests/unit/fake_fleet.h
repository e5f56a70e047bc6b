/* fake_fleet.h: a controller with a fake driver, checker and record on a manual clock. */
#ifndef TESTS_FAKE_FLEET_H
#define TESTS_FAKE_FLEET_H

#include "config/config.h"
#include "fake_checker.h"
#include "fake_driver.h"
#include "fake_record.h"
#include "watch/controller.h"

enum fake_order { FAKE_NOTHING, FAKE_DOWN, FAKE_CLOSE };

struct fake_fleet {
	struct clock *clock;
	struct config configs[2]; /* the one in use, and the one to come */
	unsigned config;
	struct fake_driver driver;
	struct fake_checker checker;
	struct record record;
	struct controller *controller;
	unsigned opened, open_failures;
	enum fake_order on_opened; /* given when told of the opening */
	unsigned low;              /* fewest admitted at once since fake_fleet_watch */
	unsigned most_draining;    /* likewise */
	bool print;                /* each event, with its time */
};

/* Somebody who waits: how it ended. */
struct told {
	unsigned calls;
	unsigned progress;
	bool failed;
	struct failure failure;
	size_t swept; /* entries of the sweep; 0 for none */
};

/* With `open` instances wanted; change what you like, then start. */
struct fake_fleet *fake_fleet_new(int open);

/* The controller, up to its opening. */
void fake_fleet_start(struct fake_fleet *fleet);

/* A fleet of so many in service, two seconds and more ago, its first sweep over. */
struct fake_fleet *fake_fleet_up(int open);

/* Time passes, millisecond by millisecond; fails the test when an order broke a rule. */
void fake_fleet_run(struct fake_fleet *fleet, uint64_t ms);

/* `capacity.open` and what else was changed in fake_fleet_next. */
struct config *fake_fleet_next(struct fake_fleet *fleet);
int fake_fleet_reconfigure(struct fake_fleet *fleet);
void fake_fleet_scale(struct fake_fleet *fleet, int open);

void fake_fleet_wait(struct fake_fleet *fleet, struct told *told);
void fake_fleet_sweep(struct fake_fleet *fleet, struct told *told);
void fake_fleet_deploy(struct fake_fleet *fleet, struct told *told);
void fake_fleet_down(struct fake_fleet *fleet, struct told *told);

/* Count anew. */
void fake_fleet_watch(struct fake_fleet *fleet);

unsigned fake_fleet_in_service(const struct fake_fleet *fleet);
unsigned fake_fleet_size(const struct fake_fleet *fleet);
unsigned fake_fleet_events(const struct fake_fleet *fleet, const char *event);

/* So many instances and no more, all of them in service with that release; the test fails otherwise. */
void fake_fleet_assert_serves(const struct fake_fleet *fleet, unsigned count, unsigned release);

/* The n-th instance, oldest first; the test fails when there is none. */
struct fake_instance *fake_fleet_at(const struct fake_fleet *fleet, unsigned n);

/* Closes the controller when that was not done, and checks that nothing was left. */
void fake_fleet_free(struct fake_fleet *fleet);

#endif
