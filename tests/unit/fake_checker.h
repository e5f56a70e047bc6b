/* fake_checker.h: checks of a fake fleet: an instance's answer when it was asked, delivered after a while. */
#ifndef TESTS_FAKE_CHECKER_H
#define TESTS_FAKE_CHECKER_H

#include "watch/checker.h"

struct clock;
struct fake_driver;

/* Shared by all that are opened; owned by the test. */
struct fake_checker {
	struct clock *clock;
	struct fake_driver *fleet;
	uint64_t latency_ms;
	uint64_t timeout_ms; /* what an answer `timeout` takes */
	bool start_fails, open_fails;
	bool undecided;   /* checks find no descriptor */
	bool front_fails; /* nothing comes through the balancer */
	unsigned open;    /* checkers */
	unsigned running; /* rounds */
	unsigned rounds;  /* begun, of more or fewer than one target or not */
	unsigned fronts;  /* of those, through the balancer */
};

/* A checker_open_cb; `fake` is its argument. */
int fake_checker_open(void *fake, const struct config *config, struct checker **ret_checker,
		      struct failure *ret_failure);

#endif
