/* fake_record.c: see fake_record.h. */
#include "fake_record.h"

#include <stdlib.h>
#include <string.h>

static void *grow(void *list, size_t count, size_t size)
{
	/* At every power of two. */
	if ((count & (count - 1)) != 0)
		return list;
	list = realloc(list, (count == 0 ? 1 : count * 2) * size);
	if (list == NULL)
		abort();
	return list;
}

void record_add_event(struct record *record, const struct event *event)
{
	record->events = grow(record->events, record->event_count, sizeof *record->events);
	record->events[record->event_count++] = *event;
}

void record_add_sweep(struct record *record, const struct sweep *sweep)
{
	struct sweep *copy = sweep_alloc(sweep->count);

	if (copy == NULL)
		abort();
	memcpy(copy, sweep, sizeof *sweep + sweep->count * sizeof sweep->entries[0]);
	record->sweeps = grow(record->sweeps, record->sweep_count, sizeof *record->sweeps);
	record->sweeps[record->sweep_count++] = copy;
}

void record_add_incident(struct record *record, const struct incident *incident)
{
	(void)record;
	(void)incident;
}

const struct record_state *record_state(const struct record *record)
{
	return &record->state;
}

unsigned fake_record_count(const struct record *record, const char *event, const char *instance)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < record->event_count; i++)
		count += strcmp(record->events[i].event, event) == 0 &&
			 (instance == NULL || strcmp(record->events[i].instance, instance) == 0);
	return count;
}

const struct event *fake_record_last(const struct record *record, const char *event)
{
	size_t i = record->event_count;

	while (i-- > 0)
		if (strcmp(record->events[i].event, event) == 0)
			return &record->events[i];
	return NULL;
}

void fake_record_free(struct record *record)
{
	size_t i;

	for (i = 0; i < record->sweep_count; i++)
		free(record->sweeps[i]);
	free(record->sweeps);
	free(record->events);
}
