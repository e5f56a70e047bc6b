/* http_check.c: see http_check.h. */
#define _GNU_SOURCE
#include "watch/http_check.h"

#include "config/config.h"
#include "watch/http_flight.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#define EVENTS_MAX 256
#define PASSES_MAX 16        /* looks at the epoll set before the loop gets its turn */
#define LAUNCHES_MAX 256     /* likewise, checks started: some fail at once */
#define RETRY_NS 50000000ull /* for want of a descriptor or a port */
#define LAG_NS 100000000ull  /* a timer this late means that the loop stood still */
#define MS_NS 1000000ull

/*
 * Running:   in the checker's `running`, `left` > 0.
 * Done:      in its `done`, `left` 0; its callback is due.
 */
struct http_round {
	struct http_checker *checker;
	check_round_cb *cb;
	void *arg;
	struct check_target *targets;
	struct check *checks;
	size_t count, next, left; /* next to start, left to report */
	struct http_flight_list free;
	TAILQ_ENTRY(http_round) link;
	size_t flight_count;
	struct http_flight flights[];
};

TAILQ_HEAD(round_list, http_round);

struct http_checker {
	uv_poll_t poll;
	uv_timer_t timer;
	int handles;     /* open; the last close callback frees */
	uint64_t due_ns; /* when the timer fires; 0: it is not set */
	struct round_list running, done;
	regex_t body, header; /* compiled where `flights.expect` points to them */
	struct http_flights flights;
};

bool http_check_decided(const struct check *check)
{
	return check->latency_us != HTTP_CHECK_UNDECIDED_US;
}

/* Start what there is room for.  True when there is room for more than one turn should start. */
static bool launch(struct http_checker *checker)
{
	struct http_round *round, *next;
	size_t launches = 0;

	http_flights_retry(&checker->flights);
	for (round = TAILQ_FIRST(&checker->running); round != NULL; round = next) {
		next = TAILQ_NEXT(round, link);
		while (!checker->flights.starved && round->next < round->count && !TAILQ_EMPTY(&round->free)) {
			struct http_flight *flight = TAILQ_FIRST(&round->free);
			size_t index = round->next++;

			TAILQ_REMOVE(&round->free, flight, link);
			http_flight_launch(flight, &round->targets[index].address, &round->checks[index]);
			if (++launches == LAUNCHES_MAX)
				return true;
		}
	}
	return false;
}

static void landed(struct http_flight *flight)
{
	struct http_round *round = flight->owner;
	struct http_checker *checker = round->checker;

	TAILQ_INSERT_HEAD(&round->free, flight, link);
	if (--round->left == 0) {
		TAILQ_REMOVE(&checker->running, round, link);
		TAILQ_INSERT_TAIL(&checker->done, round, link);
	}
}

static void round_free(struct http_round *round)
{
	if (round == NULL)
		return;
	for (size_t i = 0; i < round->flight_count; i++)
		http_flight_clear(&round->flights[i]);
	free(round->targets);
	free(round->checks);
	free(round);
}

/* The callbacks may start and cancel rounds, and free the checker. */
static void report(struct http_checker *checker)
{
	struct http_round *round;

	while ((round = TAILQ_FIRST(&checker->done)) != NULL) {
		TAILQ_REMOVE(&checker->done, round, link);
		round->cb(round->arg, round->checks, round->count);
		round_free(round);
	}
}

/* Only a round keeps the loop alive. */
static void stop_when_idle(struct http_checker *checker)
{
	if (!TAILQ_EMPTY(&checker->running) || !TAILQ_EMPTY(&checker->done))
		return;
	if (uv_is_closing((uv_handle_t *)&checker->poll))
		return;
	uv_poll_stop(&checker->poll);
	uv_timer_stop(&checker->timer);
	checker->due_ns = 0;
}

static void on_timer(uv_timer_t *timer);

static void arm_at(struct http_checker *checker, uint64_t now, uint64_t due)
{
	checker->due_ns = due;
	uv_timer_start(&checker->timer, on_timer, due > now ? (due - now + MS_NS - 1) / MS_NS : 0, 0);
}

/* The timer stands at or before the first thing due: that it may fire early is cheaper than moving it. */
static void arm(struct http_checker *checker, bool more)
{
	struct http_flight *first = TAILQ_FIRST(&checker->flights.list);
	uint64_t now, due;

	if (!more && first == NULL)
		return;
	if (!more && checker->flights.waiting == 0 && checker->due_ns != 0 && checker->due_ns <= first->deadline_ns)
		return;
	now = http_flight_now_ns();
	due = more ? now : first->deadline_ns;
	if (checker->flights.waiting > 0 && due > now + RETRY_NS)
		due = now + RETRY_NS;
	if (checker->due_ns == 0 || checker->due_ns > due)
		arm_at(checker, now, due);
}

static int take_events(struct http_checker *checker)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(checker->flights.epoll, events, EVENTS_MAX, 0);

	/* No flight is in a batch twice, and none is launched before its end. */
	for (int i = 0; i < count; i++)
		http_flight_event(events[i].data.ptr, events[i].events);
	return count;
}

/* What has happened, and what there is room for now; the callbacks come last. */
static void pump(struct http_checker *checker)
{
	bool more = launch(checker);

	for (int pass = 0; pass < PASSES_MAX && take_events(checker) > 0; pass++)
		more = launch(checker);
	arm(checker, more);
	report(checker);
	stop_when_idle(checker);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	pump(poll->data);
}

/* No descriptor for a whole timeout: there will be none for the rest of the round either. */
static void give_up(struct http_round *round)
{
	for (; round->next < round->count; round->next++, round->left--)
		round->checks[round->next] = (struct check){
			.at_ms = http_flight_utc_ms(),
			.reason = REASON_TIMEOUT,
			.latency_us = HTTP_CHECK_UNDECIDED_US,
		};
}

static void expire(struct http_checker *checker)
{
	struct http_flights *flights = &checker->flights;
	uint64_t now = http_flight_now_ns();
	struct http_flight *flight;

	while ((flight = TAILQ_FIRST(&flights->list)) != NULL && flight->deadline_ns <= now) {
		if (flight->fd < 0 && flights->starved)
			give_up(flight->owner);
		http_flight_expire(flight);
	}
}

/*
 * A loop that stood still (a stopped process, blocking work) must not make
 * timeouts of answers that could have come: the time is given back.
 */
static void forgive_lag(struct http_checker *checker)
{
	uint64_t now = http_flight_now_ns(), latest = now + checker->flights.timeout_ns;
	struct http_flight *flight;

	if (now < checker->due_ns + LAG_NS)
		return;
	for (flight = TAILQ_FIRST(&checker->flights.list); flight != NULL; flight = TAILQ_NEXT(flight, link)) {
		flight->deadline_ns += now - checker->due_ns;
		if (flight->deadline_ns > latest)
			flight->deadline_ns = latest;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct http_checker *checker = timer->data;

	forgive_lag(checker);
	checker->due_ns = 0;
	take_events(checker);
	expire(checker);
	pump(checker);
}

static int compile(regex_t *regex, const char *text, const char *key, struct failure *ret_failure)
{
	int error = regcomp(regex, text, HTTP_EXPECT_REGEX_FLAGS);
	char words[128];

	if (error == 0)
		return 0;
	regerror(error, regex, words, sizeof words);
	return failure_set(ret_failure, EINVAL, "monitor.http.%s: %s: %s", key, text, words);
}

/* Everything but the handles. */
static int prepare(struct http_checker *checker, const struct config *config, struct failure *ret_failure)
{
	struct http_flights *flights = &checker->flights;
	int error;

	if (config->monitor.http.https)
		return failure_set(ret_failure, ENOTSUP,
				   "monitor.http.scheme: https checks are not built yet: use http");
	if (http_request_prepare(&flights->request, config->monitor.http.method, config->monitor.http.path,
				 config->monitor.http.host) != 0)
		return failure_set(ret_failure, EINVAL,
				   "monitor.http: no request can be made of this method, path and host: "
				   "one word each, and the path starts with /");
	flights->head = strcmp(config->monitor.http.method, "HEAD") == 0;
	flights->redirects = config->monitor.http.redirects;
	flights->timeout_ns = (uint64_t)config->monitor.timeout_ms * MS_NS;
	flights->expect.statuses = config->monitor.http.status;
	flights->landed = landed;
	TAILQ_INIT(&flights->list);
	TAILQ_INIT(&checker->running);
	TAILQ_INIT(&checker->done);
	if (config->monitor.http.body != NULL) {
		error = compile(&checker->body, config->monitor.http.body, "body", ret_failure);
		if (error != 0)
			return error;
		flights->expect.body = &checker->body;
	}
	if (config->monitor.http.header != NULL) {
		error = compile(&checker->header, config->monitor.http.header, "header", ret_failure);
		if (error != 0)
			return error;
		flights->expect.header = &checker->header;
	}
	flights->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (flights->epoll < 0)
		return failure_set(ret_failure, errno, "no epoll set for the checks: %s", strerror(errno));
	return 0;
}

static void destroy(struct http_checker *checker)
{
	if (checker->flights.expect.body != NULL)
		regfree(&checker->body);
	if (checker->flights.expect.header != NULL)
		regfree(&checker->header);
	if (checker->flights.epoll >= 0)
		close(checker->flights.epoll);
	free(checker);
}

int http_checker_new(struct uv_loop_s *loop, const struct config *config, struct http_checker **ret_checker,
		     struct failure *ret_failure)
{
	struct http_checker *checker = calloc(1, sizeof *checker);
	int error;

	if (checker == NULL)
		return failure_set(ret_failure, ENOMEM, "no memory for the checks");
	checker->flights.epoll = -1;
	error = prepare(checker, config, ret_failure);
	if (error == 0) {
		error = uv_poll_init(loop, &checker->poll, checker->flights.epoll);
		if (error != 0)
			failure_set(ret_failure, -error, "the checks' epoll set: %s", uv_strerror(error));
	}
	if (error != 0) {
		destroy(checker);
		return error;
	}
	uv_timer_init(loop, &checker->timer);
	checker->handles = 2;
	checker->poll.data = checker->timer.data = checker;
	*ret_checker = checker;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct http_checker *checker = handle->data;

	if (--checker->handles == 0)
		destroy(checker);
}

void http_checker_free(struct http_checker *checker)
{
	if (checker == NULL)
		return;
	assert(TAILQ_EMPTY(&checker->running) && TAILQ_EMPTY(&checker->done));
	uv_close((uv_handle_t *)&checker->poll, on_closed);
	uv_close((uv_handle_t *)&checker->timer, on_closed);
}

/* With room for as many flights as it can use. */
static struct http_round *round_new(struct http_checker *checker, const struct check_target *targets, size_t count)
{
	size_t flights = count < HTTP_CHECK_CONCURRENCY ? count : HTTP_CHECK_CONCURRENCY;
	struct http_round *round = calloc(1, sizeof *round + flights * sizeof round->flights[0]);

	if (round == NULL)
		return NULL;
	round->checker = checker;
	round->count = round->left = count;
	round->targets = calloc(count + 1, sizeof round->targets[0]);
	round->checks = calloc(count + 1, sizeof round->checks[0]);
	if (round->targets == NULL || round->checks == NULL) {
		round_free(round);
		return NULL;
	}
	if (count > 0)
		memcpy(round->targets, targets, count * sizeof targets[0]);
	TAILQ_INIT(&round->free);
	round->flight_count = flights;
	for (size_t i = 0; i < flights; i++) {
		round->flights[i].all = &checker->flights;
		round->flights[i].owner = round;
		TAILQ_INSERT_TAIL(&round->free, &round->flights[i], link);
	}
	return round;
}

int http_round_start(struct http_checker *checker, const struct check_target *targets, size_t count, check_round_cb *cb,
		     void *arg, struct http_round **ret_round)
{
	struct http_round *round = round_new(checker, targets, count);
	uint64_t now;

	if (round == NULL)
		return -ENOMEM;
	round->cb = cb;
	round->arg = arg;
	if (count > 0)
		TAILQ_INSERT_TAIL(&checker->running, round, link);
	else
		TAILQ_INSERT_TAIL(&checker->done, round, link);
	/* All the rest happens in the loop. */
	if (!uv_is_active((uv_handle_t *)&checker->poll))
		uv_poll_start(&checker->poll, UV_READABLE, on_readable);
	now = http_flight_now_ns();
	arm_at(checker, now, now);
	*ret_round = round;
	return 0;
}

void http_round_cancel(struct http_round *round)
{
	struct http_checker *checker = round->checker;

	for (size_t i = 0; i < round->flight_count; i++)
		http_flight_cancel(&round->flights[i]);
	if (round->left > 0)
		TAILQ_REMOVE(&checker->running, round, link);
	else
		TAILQ_REMOVE(&checker->done, round, link);
	round_free(round);
	stop_when_idle(checker);
}
