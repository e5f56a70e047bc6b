/*
 * checker.h: the port of the checks: what the controller asks of instances.
 *
 * checker.c has the one over HTTP; a test brings its own.
 */
#ifndef WATCH_CHECKER_H
#define WATCH_CHECKER_H

#include "base/failure.h"
#include "watch/check_target.h"

#include <stdbool.h>

struct check_round;
struct checker;
struct config;

struct checker_ops {
	/* `cb` runs once, from the loop, never before this returns.  Returns 0 or a negative errno. */
	int (*start)(struct checker *checker, const struct check_target *targets, size_t count, check_round_cb *cb,
		     void *arg, struct check_round **ret_round);
	/* Abandon a round that has not reported: its callback will not run. */
	void (*cancel)(struct checker *checker, struct check_round *round);
	/* False where the target could not be asked: nobody should heal on such a check. */
	bool (*decided)(const struct check *check);
	/* No round may be under way. */
	void (*free)(struct checker *checker);
};

struct checker {
	const struct checker_ops *ops;
};

/* Makes one that asks what the configuration says.  Returns 0, or a negative errno with the words. */
typedef int checker_open_cb(void *arg, const struct config *config, struct checker **ret_checker,
			    struct failure *ret_failure);

/* The checker over HTTP; `loop` is a checker_open_cb's argument. */
int http_checker_open(void *loop, const struct config *config, struct checker **ret_checker,
		      struct failure *ret_failure);

#endif
