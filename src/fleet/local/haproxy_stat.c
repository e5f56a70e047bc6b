/* haproxy_stat.c: see haproxy_stat.h. */
#define _GNU_SOURCE
#include "fleet/local/haproxy_stat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column { COLUMN_NAME, COLUMN_QUEUED, COLUMN_SESSIONS, COLUMN_STATUS, COLUMN_CHECK, COLUMN_CODE, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = { "svname", "qcur", "scur", "status", "check_status", "check_code" };

struct field {
	const char *text;
	size_t length;
};

/* Fields never hold a quoted comma in the columns we read, which stand before the free text. */
static const char *next_field(const char *p, struct field *ret_field)
{
	ret_field->text = p;
	ret_field->length = strcspn(p, ",\n");
	p += ret_field->length;
	return *p == ',' ? p + 1 : p;
}

static int find_columns(const char *header, int columns[COLUMN_COUNT])
{
	struct field field;
	int number = 0;
	int found = 0;
	int i;

	if (strncmp(header, "# ", 2) != 0)
		return -EPROTO;
	header += 2;
	while (*header != '\n' && *header != '\0') {
		header = next_field(header, &field);
		for (i = 0; i < COLUMN_COUNT; i++) {
			if (strlen(column_names[i]) == field.length &&
			    strncmp(column_names[i], field.text, field.length) == 0) {
				columns[i] = number;
				found++;
			}
		}
		number++;
	}
	return found == COLUMN_COUNT ? 0 : -EPROTO;
}

/* "UP", "UP 1/3" (going down), "DOWN", "DOWN 1/2" (going up), "DRAIN", "MAINT", "MAINT (via ...)", "NOLB", "no check" */
static enum haproxy_mode mode_of(const struct field *status)
{
	if (strncmp(status->text, "MAINT", 5) == 0)
		return HAPROXY_MAINT;
	if (strncmp(status->text, "DRAIN", 5) == 0)
		return HAPROXY_DRAIN;
	if (strncmp(status->text, "DOWN", 4) == 0 || strncmp(status->text, "NOLB", 4) == 0)
		return HAPROXY_DOWN;
	return HAPROXY_UP;
}

static void parse_row(const char *row, const int columns[COLUMN_COUNT], haproxy_stat_cb *cb, void *arg)
{
	struct field fields[COLUMN_COUNT] = { 0 };
	struct haproxy_stat stat = { 0 };
	struct field field;
	int number;
	int i;

	for (number = 0; *row != '\n' && *row != '\0'; number++) {
		row = next_field(row, &field);
		for (i = 0; i < COLUMN_COUNT; i++)
			if (columns[i] == number)
				fields[i] = field;
	}
	for (i = 0; i < COLUMN_COUNT; i++)
		if (fields[i].text == NULL)
			return;
	if (fields[COLUMN_NAME].length >= sizeof stat.id)
		return;
	memcpy(stat.id, fields[COLUMN_NAME].text, fields[COLUMN_NAME].length);
	stat.mode = mode_of(&fields[COLUMN_STATUS]);
	stat.sessions = (unsigned)strtoul(fields[COLUMN_SESSIONS].text, NULL, 10);
	stat.queued = (unsigned)strtoul(fields[COLUMN_QUEUED].text, NULL, 10);
	snprintf(stat.check, sizeof stat.check, "%.*s%s%.*s", (int)fields[COLUMN_CHECK].length, fields[COLUMN_CHECK].text,
		 fields[COLUMN_CODE].length > 0 ? " " : "", (int)fields[COLUMN_CODE].length, fields[COLUMN_CODE].text);
	cb(arg, &stat);
}

int haproxy_stat_parse(const char *csv, haproxy_stat_cb *cb, void *arg)
{
	int columns[COLUMN_COUNT];
	const char *line = csv;
	int r = find_columns(csv, columns);

	if (r < 0)
		return r;
	while ((line = strchr(line, '\n')) != NULL) {
		line++;
		if (*line != '\n' && *line != '\0')
			parse_row(line, columns, cb, arg);
	}
	return 0;
}
