/* entry_json.h: entries as the JSON documents of `sweep --json` and `history --json`. */
#ifndef RECORD_ENTRY_JSON_H
#define RECORD_ENTRY_JSON_H

#include "record/entry.h"

#include <jansson.h>

/* For json_dumps and its kin: one line, milliseconds to the microsecond. */
#define ENTRY_JSON_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

/*
 * New references; NULL: no memory.  Times are RFC 3339 UTC with
 * milliseconds; what is not known is null.  Text that is not UTF-8 (cut in
 * the middle of a character, or from outside) has U+FFFD in its place.
 */
json_t *entry_sweep_json(const struct sweep *sweep);
json_t *entry_event_json(const struct event *event);
json_t *entry_incident_json(const struct incident *incident);

/* The same, of whichever of the three is not NULL. */
json_t *entry_json(const struct sweep *sweep, const struct event *event, const struct incident *incident);

/* One instance of a sweep's `response`. */
json_t *entry_result_json(const struct sweep_entry *entry);

/* Any text as a string: U+FFFD for what is not UTF-8. */
json_t *entry_text_json(const char *text);

/* An instant as a string, null for 0. */
json_t *entry_time_json(int64_t utc_ms);

/* ["web-5f0c1b2d","web-a0b1c2d3"]; free the text.  NULL: no memory. */
char *entry_strings_format(char *const *strings, size_t count);

/*
 * The way back, into a NULL-terminated list to be freed with its strings.
 * Returns 0, -EINVAL (not a list of strings) or -ENOMEM.
 */
int entry_strings_parse(const char *text, char ***ret_strings, size_t *ret_count);

#endif
