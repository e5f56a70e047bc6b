/* history_table.c: see history_table.h. */
#include "cmd/history_table.h"

#include "base/units.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#define WHAT_WIDTH 10

static struct tm local_time(int64_t utc_ms)
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	return tm;
}

static void format_time(const char *format, int64_t utc_ms, char *ret_text, size_t size)
{
	struct tm tm = local_time(utc_ms);

	strftime(ret_text, size, format, &tm);
}

static bool same_day(int64_t a_ms, int64_t b_ms)
{
	struct tm a = local_time(a_ms);
	struct tm b = local_time(b_ms);

	return a.tm_year == b.tm_year && a.tm_yday == b.tm_yday;
}

/* Date and time, padded to the width of a range. */
static void print_when(struct history_table *table, int64_t at_ms)
{
	char text[32];

	format_time("%Y-%m-%d  %H:%M:%S", at_ms, text, sizeof text);
	fprintf(table->out, "%s           ", text);
}

/* Text from outside: no line breaks and no terminal's control sequences. */
static void print_text(struct history_table *table, const char *text)
{
	for (; *text != '\0'; text++)
		putc(iscntrl((unsigned char)*text) ? ' ' : *text, table->out);
}

static void print_head(struct history_table *table, int64_t at_ms, const char *what, const char *instance)
{
	print_when(table, at_ms);
	fprintf(table->out, "%-*s  %-*s  ", WHAT_WIDTH, what, table->id_width, instance);
}

void history_table_end(struct history_table *table)
{
	char first[32];
	char last[32];
	size_t count = table->count;

	if (count == 0)
		return;
	table->count = 0;
	format_time("%H:%M:%S", table->last_ms, last, sizeof last);
	format_time("%Y-%m-%d  %H:%M:%S", table->first_ms, first, sizeof first);
	if (count == 1)
		print_when(table, table->first_ms);
	else
		fprintf(table->out, "%s\u2013%s  ", first, last);
	fprintf(table->out, "%zu %s, ", count, count == 1 ? "sweep" : "sweeps");
	if (!table->open)
		fprintf(table->out, "closed\n");
	else if (table->instances == 0)
		fprintf(table->out, "no instances\n");
	else
		fprintf(table->out, table->instances == 1 ? "the one instance passed\n" : "all of %zu passed\n",
			table->instances);
}

static bool is_quiet(const struct sweep *sweep)
{
	size_t i;

	for (i = 0; i < sweep->count; i++)
		if (!check_passed(&sweep->entries[i].check) || sweep->entries[i].action != SWEEP_NONE)
			return false;
	return true;
}

static void fold(struct history_table *table, const struct sweep *sweep)
{
	if (table->count > 0 && (table->open != sweep->open || table->instances != sweep->count ||
				 !same_day(table->first_ms, sweep->at_ms)))
		history_table_end(table);
	if (table->count == 0) {
		table->first_ms = sweep->at_ms;
		table->instances = sweep->count;
		table->open = sweep->open;
	}
	table->last_ms = sweep->at_ms;
	table->count++;
}

/* "status 503", "ssh-connect; HTTP: timeout". */
static void print_reason(struct history_table *table, const struct check *check)
{
	fprintf(table->out, "%s", reason_name(check_reason(check)));
	if (check_reason(check) != check->reason && check->reason != REASON_OK)
		fprintf(table->out, "; HTTP: %s", reason_name(check->reason));
	if (check->reason == REASON_STATUS)
		fprintf(table->out, " %d", check->code);
}

static void print_failed(struct history_table *table, const struct sweep *sweep)
{
	size_t printed = 0;
	size_t i;

	for (i = 0; i < sweep->count && printed < HISTORY_TABLE_FAILED_MAX; i++) {
		const struct sweep_entry *entry = &sweep->entries[i];
		bool passed = check_passed(&entry->check);

		if (passed && entry->action == SWEEP_NONE)
			continue;
		print_head(table, sweep->at_ms, passed ? "passed" : "failed", entry->id);
		print_reason(table, &entry->check);
		if (entry->action != SWEEP_NONE)
			fprintf(table->out, ", %s", sweep_action_name(entry->action));
		fprintf(table->out, " (%zu of %zu failed)\n", sweep->failed, sweep->count);
		printed += !passed;
	}
	if (sweep->failed > printed) {
		print_head(table, sweep->at_ms, "failed", "");
		fprintf(table->out, "and %zu more: --json lists them\n", sweep->failed - printed);
	}
}

void history_table_sweep(struct history_table *table, const struct sweep *sweep)
{
	if (is_quiet(sweep)) {
		fold(table, sweep);
		return;
	}
	history_table_end(table);
	print_failed(table, sweep);
}

void history_table_event(struct history_table *table, const struct event *event)
{
	history_table_end(table);
	print_head(table, event->at_ms, event->event, event->instance);
	print_text(table, event->detail);
	putc('\n', table->out);
}

void history_table_incident(struct history_table *table, const struct incident *incident)
{
	char text[32];
	size_t i;

	history_table_end(table);
	print_head(table, incident->opened_ms, "incident", incident->instance_count > 0 ? incident->instances[0] : "");
	print_text(table, incident->cause);
	if (incident->instance_count > 1)
		fprintf(table->out, ", and %zu more %s", incident->instance_count - 1,
			incident->instance_count == 2 ? "instance" : "instances");
	for (i = 0; i < incident->tried_count; i++) {
		fprintf(table->out, i == 0 ? "; tried: " : ", ");
		print_text(table, incident->tried[i]);
	}
	if (incident->closed_ms == 0) {
		fprintf(table->out, "; still open\n");
		return;
	}
	units_format_elapsed(incident->closed_ms - incident->opened_ms, text, sizeof text);
	fprintf(table->out, "; over after %s\n", text);
}
