/*
 * history_table.h: the record for people: one line for a run of sweeps that
 * all passed, one for each failure, event and incident.
 *
 *   2026-11-23  08:45:00–09:12:00  28 sweeps, all of 2 passed
 *   2026-11-23  09:13:00           failed      web-5f0c1b2d  refused, restarted (1 of 2)
 *   2026-11-23  09:13:01           restarted   web-5f0c1b2d  httpd was down
 *
 * Times are in the process's zone (TZ).
 */
#ifndef CMD_HISTORY_TABLE_H
#define CMD_HISTORY_TABLE_H

#include "record/entry.h"

#include <stdint.h>
#include <stdio.h>

#define HISTORY_TABLE_FAILED_MAX 20    /* lines for one sweep; of more, only how many */

/* The sweeps that passed and wait for their line: `count` 0, none. */
struct history_table {
	FILE *out;
	int id_width;            /* of the column of instances */
	size_t count;
	int64_t first_ms;
	int64_t last_ms;
	size_t instances;
	bool open;
};

/* The rows in order of time. */
void history_table_sweep(struct history_table *table, const struct sweep *sweep);
void history_table_event(struct history_table *table, const struct event *event);
void history_table_incident(struct history_table *table, const struct incident *incident);

/* Print what still waits. */
void history_table_end(struct history_table *table);

#endif
