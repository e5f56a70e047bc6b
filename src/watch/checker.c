/* checker.c: http_check.h behind the port of checker.h. */
#include "watch/checker.h"

#include "watch/http_check.h"

#include <errno.h>
#include <stdlib.h>

struct over_http {
	struct checker base;
	struct http_checker *http;
};

static int start(struct checker *checker, const struct check_target *targets, size_t count, check_round_cb *cb,
		 void *arg, struct check_round **ret_round)
{
	return http_round_start(((struct over_http *)checker)->http, targets, count, cb, arg,
				(struct http_round **)ret_round);
}

static void cancel(struct checker *checker, struct check_round *round)
{
	(void)checker;
	http_round_cancel((struct http_round *)round);
}

static void free_over_http(struct checker *checker)
{
	http_checker_free(((struct over_http *)checker)->http);
	free(checker);
}

int http_checker_open(void *loop, const struct config *config, struct checker **ret_checker, struct failure *ret_failure)
{
	static const struct checker_ops ops = {
		.start = start, .cancel = cancel, .decided = http_check_decided, .free = free_over_http
	};
	struct over_http *checker = calloc(1, sizeof *checker);
	int r;

	if (checker == NULL)
		return failure_set(ret_failure, ENOMEM, "no memory");
	checker->base.ops = &ops;
	r = http_checker_new(loop, config, &checker->http, ret_failure);
	if (r < 0) {
		free(checker);
		return r;
	}
	*ret_checker = &checker->base;
	return 0;
}
