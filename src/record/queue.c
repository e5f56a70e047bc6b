/* queue.c: see queue.h. */
#include "record/queue.h"

#include <stdlib.h>
#include <string.h>

/* What malloc adds to a block, about. */
#define BLOCK_BYTES 16

static void free_item(struct queue_item *item)
{
	if (item == NULL)
		return;
	free(item->sweep);
	free(item->event);
	incident_free(item->incident);
	free(item);
}

static struct queue_item *new_item(enum queue_class class, size_t payload_bytes)
{
	struct queue_item *item = calloc(1, sizeof *item);

	if (item == NULL)
		return NULL;
	item->class = class;
	item->bytes = sizeof *item + payload_bytes + 2 * BLOCK_BYTES;
	return item;
}

struct queue_item *queue_item_sweep(const struct sweep *sweep)
{
	size_t bytes = sizeof *sweep + sweep->count * sizeof sweep->entries[0];
	struct queue_item *item = new_item(sweep->failed == 0 ? QUEUE_PASSED : QUEUE_FAILED, bytes);

	if (item == NULL)
		return NULL;
	item->sweep = sweep_alloc(sweep->count);
	if (item->sweep == NULL) {
		free_item(item);
		return NULL;
	}
	memcpy(item->sweep, sweep, bytes);
	return item;
}

struct queue_item *queue_item_event(const struct event *event)
{
	struct queue_item *item = new_item(QUEUE_TOLD, sizeof *event);

	if (item == NULL)
		return NULL;
	item->event = malloc(sizeof *event);
	if (item->event == NULL) {
		free_item(item);
		return NULL;
	}
	*item->event = *event;
	return item;
}

static size_t strings_bytes(char *const *strings, size_t count)
{
	size_t bytes = BLOCK_BYTES + sizeof *strings;
	size_t i;

	for (i = 0; i < count; i++)
		bytes += sizeof strings[i] + strlen(strings[i]) + 1 + BLOCK_BYTES;
	return bytes;
}

struct queue_item *queue_item_incident(const struct incident *incident)
{
	size_t bytes = sizeof *incident + strings_bytes(incident->instances, incident->instance_count) +
		       strings_bytes(incident->tried, incident->tried_count);
	struct queue_item *item = new_item(QUEUE_TOLD, bytes);

	if (item == NULL)
		return NULL;
	item->incident = incident_copy(incident);
	if (item->incident == NULL) {
		free_item(item);
		return NULL;
	}
	return item;
}

static void list_append(struct queue_list *list, struct queue_item *item)
{
	item->next = NULL;
	if (list->first == NULL)
		list->first = item;
	else
		list->last->next = item;
	list->last = item;
}

static struct queue_item *list_pop(struct queue_list *list)
{
	struct queue_item *item = list->first;

	list->first = item->next;
	item->next = NULL;
	return item;
}

static void forget(struct queue *queue, struct queue_item *item)
{
	queue->bytes -= item->bytes;
	queue->count--;
	free_item(item);
}

/* The first class, in the order of dropping, that has an entry. */
static struct queue_list *droppable(struct queue *queue)
{
	int class;

	for (class = 0; class < QUEUE_CLASS_COUNT; class++)
		if (queue->lists[class].first != NULL)
			return &queue->lists[class];
	return NULL;
}

static struct queue_list *oldest(struct queue *queue)
{
	struct queue_list *found = NULL;
	int class;

	for (class = 0; class < QUEUE_CLASS_COUNT; class++) {
		struct queue_list *list = &queue->lists[class];

		if (list->first != NULL && (found == NULL || list->first->order < found->first->order))
			found = list;
	}
	return found;
}

size_t queue_add(struct queue *queue, struct queue_item *item)
{
	struct queue_list *list;
	size_t dropped = 0;

	item->order = queue->next_order++;
	queue->bytes += item->bytes;
	queue->count++;
	list_append(&queue->lists[item->class], item);
	while (queue->bytes > queue->bytes_max && (list = droppable(queue)) != NULL) {
		forget(queue, list_pop(list));
		dropped++;
	}
	return dropped;
}

bool queue_is_empty(const struct queue *queue)
{
	int class;

	for (class = 0; class < QUEUE_CLASS_COUNT; class++)
		if (queue->lists[class].first != NULL)
			return false;
	return true;
}

struct queue_item *queue_take(struct queue *queue, size_t bytes_max)
{
	struct queue_list taken = { 0 };
	struct queue_list *list;
	size_t bytes = 0;

	while ((list = oldest(queue)) != NULL) {
		if (taken.first != NULL && bytes + list->first->bytes > bytes_max)
			break;
		bytes += list->first->bytes;
		list_append(&taken, list_pop(list));
	}
	return taken.first;
}

void queue_done(struct queue *queue, struct queue_item *items)
{
	while (items != NULL) {
		struct queue_item *next = items->next;

		forget(queue, items);
		items = next;
	}
}

void queue_put_back(struct queue *queue, struct queue_item *items)
{
	struct queue_list back[QUEUE_CLASS_COUNT] = { 0 };
	int class;

	while (items != NULL) {
		struct queue_item *next = items->next;

		list_append(&back[items->class], items);
		items = next;
	}
	for (class = 0; class < QUEUE_CLASS_COUNT; class++) {
		struct queue_list *list = &queue->lists[class];

		if (back[class].first == NULL)
			continue;
		back[class].last->next = list->first;
		if (list->first == NULL)
			list->last = back[class].last;
		list->first = back[class].first;
	}
}

void queue_clear(struct queue *queue)
{
	struct queue_list *list;

	while ((list = droppable(queue)) != NULL)
		forget(queue, list_pop(list));
}
