/*
 * http_check.h: many plain HTTP checks at close to the kernel's cost.
 *
 * One struct http_checker holds what is asked of every target (request,
 * expectations, deadline) and an epoll set of its own, nested into the loop,
 * with raw sockets: a check costs a connect, a send, a receive and a reset.
 * What a server sends is read into one bounded buffer a check and parsed
 * there; nothing it can send costs more than that.
 */
#ifndef WATCH_HTTP_CHECK_H
#define WATCH_HTTP_CHECK_H

#include "base/failure.h"
#include "watch/check_target.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define HTTP_CHECK_HEAD_MAX_BYTES 16384
#define HTTP_CHECK_BODY_MAX_BYTES (256 * 1024) /* how much of a body is looked at */
#define HTTP_CHECK_CONCURRENCY 64
#define HTTP_CHECK_UNDECIDED_US (-2)

struct config;
struct http_checker;
struct http_round;
struct uv_loop_s;

/*
 * From monitor.http and monitor.timeout (copied; regular expressions are
 * compiled here).  Returns 0 or a negative errno with the words: -ENOTSUP for
 * https, -EINVAL for what no request or expectation can be made of.
 */
int http_checker_new(struct uv_loop_s *loop, const struct config *config, struct http_checker **ret_checker,
		     struct failure *ret_failure);

/* No round may be running.  Frees after its handles closed, in the loop.  NULL is fine. */
void http_checker_free(struct http_checker *checker);

/*
 * Check `count` targets, at most HTTP_CHECK_CONCURRENCY at once, each within
 * monitor.timeout of its own start, redirects included.  `cb` runs once, from
 * the loop, never before this returns, with the checks in the targets' order
 * (valid during the call; at_ms and latency_us filled in); the round is dead
 * from then on.  Returns 0 or -ENOMEM.
 *
 * Rounds of one checker do not wait for each other: one target can be checked
 * while a sweep is under way.  An idle checker does not keep the loop alive.
 *
 * A dead host is a verdict, never an error: refused, reset (by the peer, or
 * closed without a byte), unreachable (no route, or the network says so),
 * timeout, and what http_response.h says of an answer.  `code` is the status
 * as soon as its line was seen, whatever the verdict.
 *
 * A redirect is followed, up to monitor.http.redirects of them, to plain http
 * on the same authority or a numeric address.  One that leads elsewhere, or is
 * one too many, is judged like any other answer: usually `status`, with its
 * code.
 *
 * Want of this machine's own (descriptors, memory, ports) waits for its end
 * within the deadline, then says nothing about the target: see
 * http_check_decided.  When for a whole timeout there was no descriptor for
 * any check, the rest of the round is left undecided too.
 */
int http_round_start(struct http_checker *checker, const struct check_target *targets, size_t count, check_round_cb *cb,
		     void *arg, struct http_round **ret_round);

/* Abandon a round that has not reported: its callback will not run. */
void http_round_cancel(struct http_round *round);

/*
 * False where the target could not be asked for want of this machine's own
 * (reason `timeout`, latency_us HTTP_CHECK_UNDECIDED_US): nobody should heal
 * on such a check.
 */
bool http_check_decided(const struct check *check);

#endif
