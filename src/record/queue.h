/*
 * queue.h: what waits to be written, bounded.
 *
 * Three lists, one a class, each in the order of arrival; `order` puts them
 * back into one sequence.  At the bound the oldest of the first class that
 * has any goes: sweeps that passed, then sweeps with a failure, and only
 * then events and incidents.
 */
#ifndef RECORD_QUEUE_H
#define RECORD_QUEUE_H

#include "record/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum queue_class { QUEUE_PASSED, QUEUE_FAILED, QUEUE_TOLD, QUEUE_CLASS_COUNT };

/* Exactly one of the three pointers is set and owned. */
struct queue_item {
	struct queue_item *next;
	uint64_t order;
	size_t bytes;
	enum queue_class class;
	struct sweep *sweep;
	struct event *event;
	struct incident *incident;
};

struct queue_list {
	struct queue_item *first;
	struct queue_item *last;
};

/* All zero but bytes_max is an empty queue. */
struct queue {
	size_t bytes_max;
	size_t bytes;            /* of all, also of what was taken */
	size_t count;            /* likewise */
	uint64_t next_order;
	struct queue_list lists[QUEUE_CLASS_COUNT];
};

/* Copies.  NULL: no memory. */
struct queue_item *queue_item_sweep(const struct sweep *sweep);
struct queue_item *queue_item_event(const struct event *event);
struct queue_item *queue_item_incident(const struct incident *incident);

/*
 * Put `item` (the queue's from now on) at the end.  Returns how many entries
 * were dropped for the bound; `item` may be among them.
 */
size_t queue_add(struct queue *queue, struct queue_item *item);

/* Nothing to take: empty, or all of it taken. */
bool queue_is_empty(const struct queue *queue);

/*
 * Take the oldest entries, linked by `next` in the order of arrival: about
 * bytes_max, at least one; NULL when there is none.  They count towards the
 * bound, but can't be dropped, until queue_done or queue_put_back.
 */
struct queue_item *queue_take(struct queue *queue, size_t bytes_max);

/* Free what was taken: it is written. */
void queue_done(struct queue *queue, struct queue_item *items);

/* What was taken is the oldest again: it was not written. */
void queue_put_back(struct queue *queue, struct queue_item *items);

/* Drop all that is not taken. */
void queue_clear(struct queue *queue);

#endif
