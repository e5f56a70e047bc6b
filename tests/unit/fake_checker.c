/* fake_checker.c: see fake_checker.h. */
#include "fake_checker.h"

#include "base/clock.h"
#include "fake_driver.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define FRONT_PORT 8080
#define UNDECIDED_US (-2)

struct opened {
	struct checker base;
	struct fake_checker *fake;
	unsigned running;
};

struct asked {
	struct sockaddr_storage address;
	unsigned starts; /* of the instance then: another process answers for itself */
	unsigned release;
	struct check check;
};

struct check_round {
	struct opened *checker;
	struct alarm *alarm;
	check_round_cb *cb;
	void *arg;
	size_t count;
	struct asked asked[];
};

static void end_round(struct check_round *round)
{
	round->checker->running--;
	round->checker->fake->running--;
	alarm_free(round->alarm);
	free(round);
}

/* The fleet knows who was proved: it lets nobody else be admitted. */
static void prove(struct fake_checker *fake, const struct asked *asked)
{
	struct fake_instance *instance = fake_driver_by_address(fake->fleet, &asked->address);

	if (instance == NULL || instance->starts != asked->starts || instance->release != asked->release)
		return;
	instance->answered |= asked->check.code != 0;
	instance->proved |= check_passed(&asked->check);
}

static void on_round_over(void *arg)
{
	struct check_round *round = arg;
	check_round_cb *cb = round->cb;
	void *cb_arg = round->arg;
	size_t count = round->count;
	struct check *checks = calloc(count, sizeof *checks);
	size_t i;

	if (checks == NULL)
		abort();
	for (i = 0; i < count; i++) {
		checks[i] = round->asked[i].check;
		prove(round->checker->fake, &round->asked[i]);
	}
	end_round(round);
	cb(cb_arg, checks, count);
	free(checks);
}

static bool has_code(enum reason reason)
{
	return reason == REASON_OK || reason == REASON_STATUS || reason == REASON_BODY || reason == REASON_HEADER;
}

/* Through the balancer the best answer comes. */
static enum reason answer_front(struct fake_checker *fake)
{
	struct fake_instance *instance;
	unsigned i;

	fake->fronts++;
	for (i = 0; !fake->front_fails && (instance = fake_driver_at(fake->fleet, i)) != NULL; i++)
		if (instance->admitted && fake_instance_answer(instance) == REASON_OK)
			return REASON_OK;
	return REASON_STATUS;
}

static void ask(struct fake_checker *fake, const struct check_target *target, struct asked *asked)
{
	const struct fake_instance *instance = fake_driver_by_address(fake->fleet, &target->address);
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)&target->address;
	enum reason reason = REASON_REFUSED;

	if (in4->sin_port == htons(FRONT_PORT))
		reason = answer_front(fake);
	else if (instance != NULL)
		reason = fake_instance_answer(instance);
	asked->address = target->address;
	if (instance != NULL) {
		asked->starts = instance->starts;
		asked->release = instance->release;
	}
	asked->check.at_ms = clock_utc_ms(fake->clock);
	asked->check.reason = reason;
	asked->check.code = !has_code(reason) ? 0 : reason == REASON_STATUS ? 500 : 200;
	asked->check.latency_us = asked->check.code != 0 ? (int64_t)fake->latency_ms * 1000 : -1;
	if (fake->undecided) {
		asked->check.reason = REASON_TIMEOUT;
		asked->check.code = 0;
		asked->check.latency_us = UNDECIDED_US;
	}
}

static int start(struct checker *base, const struct check_target *targets, size_t count, check_round_cb *cb, void *arg,
		 struct check_round **ret_round)
{
	struct opened *checker = (struct opened *)base;
	struct fake_checker *fake = checker->fake;
	uint64_t took_ms = fake->latency_ms;
	struct check_round *round;
	size_t i;

	if (fake->start_fails)
		return -ENOMEM;
	round = calloc(1, sizeof *round + count * sizeof *round->asked);
	if (round == NULL)
		abort();
	round->checker = checker;
	round->cb = cb;
	round->arg = arg;
	round->count = count;
	for (i = 0; i < count; i++) {
		ask(fake, &targets[i], &round->asked[i]);
		if (round->asked[i].check.reason == REASON_TIMEOUT)
			took_ms = fake->timeout_ms;
	}
	round->alarm = alarm_new(fake->clock, on_round_over, round);
	alarm_set(round->alarm, took_ms);
	checker->running++;
	fake->running++;
	fake->rounds++;
	*ret_round = round;
	return 0;
}

static void cancel(struct checker *base, struct check_round *round)
{
	(void)base;
	end_round(round);
}

static bool decided(const struct check *check)
{
	return check->latency_us != UNDECIDED_US;
}

static void free_checker(struct checker *base)
{
	struct opened *checker = (struct opened *)base;

	if (checker->running != 0)
		fake_driver_wrong(checker->fake->fleet, "a checker freed with a round under way");
	checker->fake->open--;
	free(checker);
}

int fake_checker_open(void *arg, const struct config *config, struct checker **ret_checker, struct failure *ret_failure)
{
	static const struct checker_ops ops = {
		.start = start, .cancel = cancel, .decided = decided, .free = free_checker
	};
	struct fake_checker *fake = arg;
	struct opened *checker;

	(void)config;
	if (fake->open_fails)
		return failure_set(ret_failure, EINVAL, "nobody can ask this");
	checker = calloc(1, sizeof *checker);
	if (checker == NULL)
		abort();
	checker->base.ops = &ops;
	checker->fake = fake;
	fake->open++;
	*ret_checker = &checker->base;
	return 0;
}
