/* waiters.c: those who wait for something, each told once; nobody within the order that decided it. */
#include "watch/controller_internal.h"

#include <stdlib.h>

struct waiter *waiter_add(struct waiter **list, void *arg)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);

	if (waiter == NULL)
		abort();
	waiter->arg = arg;
	while (*list != NULL)
		list = &(*list)->next;
	*list = waiter;
	return waiter;
}

void waiters_tell(struct controller *controller, struct waiter **list, const struct failure *failure,
		  const struct sweep *sweep)
{
	struct telling telling = { .outer = controller->telling, .list = *list };

	*list = NULL;
	/* Where controller_forget finds those who are not told yet. */
	controller->telling = &telling;
	while (telling.list != NULL) {
		struct waiter *waiter = telling.list;

		telling.list = waiter->next;
		if (waiter->done != NULL)
			waiter->done(waiter->arg, waiter->failure.message[0] != '\0' ? &waiter->failure : failure);
		if (waiter->swept != NULL)
			waiter->swept(waiter->arg, sweep);
		free(waiter);
	}
	controller->telling = telling.outer;
}

void waiters_free(struct waiter *waiter)
{
	while (waiter != NULL) {
		struct waiter *next = waiter->next;

		free(waiter);
		waiter = next;
	}
}

void waiter_end(struct controller *controller, const struct waiter *waiter, const struct failure *failure)
{
	struct waiter *ended;

	if (waiter->done == NULL)
		return;
	ended = waiter_add(&controller->ended_waiters, waiter->arg);
	ended->done = waiter->done;
	if (failure != NULL)
		ended->failure = *failure;
	controller_reconcile_soon(controller);
}

void waiters_end(struct controller *controller, struct waiter **list, const struct failure *failure)
{
	struct waiter *waiter;

	for (waiter = *list; waiter != NULL; waiter = waiter->next)
		waiter_end(controller, waiter, failure);
	waiters_free(*list);
	*list = NULL;
}

static void forget_in(struct waiter *waiter, const void *arg)
{
	for (; waiter != NULL; waiter = waiter->next) {
		if (waiter->arg == arg) {
			waiter->done = NULL;
			waiter->swept = NULL;
			waiter->progress = NULL;
		}
	}
}

void controller_forget(struct controller *controller, const void *arg)
{
	const struct telling *telling;

	for (telling = controller->telling; telling != NULL; telling = telling->outer)
		forget_in(telling->list, arg);
	forget_in(controller->settle_waiters, arg);
	forget_in(controller->sweep_waiters, arg);
	forget_in(controller->ended_waiters, arg);
	forget_in(controller->down_waiters, arg);
	forget_in(&controller->roll.waiter, arg);
}
