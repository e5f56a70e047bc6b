/* fake_record.h: the record's port, in memory: what was recorded, to be looked at. */
#ifndef TESTS_FAKE_RECORD_H
#define TESTS_FAKE_RECORD_H

#include "record/record.h"

struct record {
	struct event *events;
	size_t event_count;
	struct sweep **sweeps;
	size_t sweep_count;
	struct record_state state;
};

void fake_record_free(struct record *record);

/* How many events of this name, to this instance (NULL: to any). */
unsigned fake_record_count(const struct record *record, const char *event, const char *instance);

/* The last one of this name, or NULL. */
const struct event *fake_record_last(const struct record *record, const char *event);

#endif
