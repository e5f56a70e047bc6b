/* calendar_names.c: see calendar_names.h. */
#include "config/calendar_names.h"

#include <string.h>

static const struct calendar_name calendars[] = {
	{ "always", NULL, 0 },
	{ "weekdays", NULL, 0 },
	{ "XLON", "Europe/London", 8 * 60 },
	{ "XNYS", "America/New_York", 9 * 60 + 30 },
	{ "XPAR", "Europe/Paris", 9 * 60 },
	{ "XETR", "Europe/Berlin", 9 * 60 },
	{ "XTKS", "Asia/Tokyo", 9 * 60 },
	{ "XHKG", "Asia/Hong_Kong", 9 * 60 + 30 },
};

#define CALENDAR_COUNT (sizeof calendars / sizeof calendars[0])

const struct calendar_name *calendar_name_find(const char *name)
{
	size_t i;

	for (i = 0; i < CALENDAR_COUNT; i++)
		if (strcmp(calendars[i].name, name) == 0)
			return &calendars[i];
	return NULL;
}

size_t calendar_names(const char *ret_names[CALENDAR_NAMES_MAX])
{
	size_t i;

	for (i = 0; i < CALENDAR_COUNT; i++)
		ret_names[i] = calendars[i].name;
	return CALENDAR_COUNT;
}

const char *calendar_names_list(void)
{
	return "always, weekdays, XLON, XNYS, XPAR, XETR, XTKS, XHKG";
}
