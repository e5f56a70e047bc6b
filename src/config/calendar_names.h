/* calendar_names.h: the calendars that can be named, and what the checks need to know of them. */
#ifndef CONFIG_CALENDAR_NAMES_H
#define CONFIG_CALENDAR_NAMES_H

#include <stddef.h>

#define CALENDAR_NAMES_MAX 16

struct calendar_name {
	const char *name;
	const char *timezone;   /* an exchange's own; NULL: no exchange, no bell */
	int bell_minutes;       /* its opening bell, after midnight there */
};

/* NULL for what is no name, such as the path of an .ics file. */
const struct calendar_name *calendar_name_find(const char *name);

/* Fills the array, returns how many. */
size_t calendar_names(const char *ret_names[CALENDAR_NAMES_MAX]);

/* "always, weekdays, XLON, ..." */
const char *calendar_names_list(void);

#endif
