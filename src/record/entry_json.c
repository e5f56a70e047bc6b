/* entry_json.c: see entry_json.h. */
#define _GNU_SOURCE
#include "record/entry_json.h"

#include "base/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"    /* U+FFFD */

/* Bytes of the UTF-8 character at `p`, as jansson allows them: no surrogates, nothing overlong; 0: none. */
static size_t character_bytes(const unsigned char *p)
{
	size_t bytes = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : p[0] >= 0xe0 && p[0] <= 0xef ? 3 :
		       p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
	size_t i;

	for (i = 1; i < bytes; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return bytes;
}

json_t *entry_text_json(const char *text)
{
	json_t *json = json_string(text);
	char *clean;
	char *out;

	if (json != NULL)
		return json;
	clean = malloc(strlen(text) * strlen(REPLACEMENT) + 1);
	if (clean == NULL)
		return NULL;
	for (out = clean; *text != '\0';) {
		size_t bytes = character_bytes((const unsigned char *)text);

		out = bytes == 0 ? stpcpy(out, REPLACEMENT) : mempcpy(out, text, bytes);
		text += bytes == 0 ? 1 : bytes;
	}
	*out = '\0';
	json = json_string(clean);
	free(clean);
	return json;
}

json_t *entry_time_json(int64_t utc_ms)
{
	char text[32];

	if (utc_ms == 0)
		return json_null();
	units_format_utc_ms(utc_ms, text, sizeof text);
	return json_string(text);
}

static json_t *ssh_json(const struct check *check)
{
	if (!check->ssh_done)
		return json_null();
	return json_pack("{s:s, s:s}", "result", check_ssh_result(check), "reason", reason_name(check->ssh_reason));
}

static json_t *latency_json(const struct check *check)
{
	return check->latency_us < 0 ? json_null() : json_real((double)check->latency_us / 1000);
}

json_t *entry_result_json(const struct sweep_entry *entry)
{
	const struct check *check = &entry->check;
	char ip[ENTRY_ADDRESS_SIZE];

	address_split(entry->address, ip, sizeof ip, NULL);
	return json_pack("{s:o, s:o, s:i, s:s, s:s, s:o, s:o, s:s}", "id", entry_text_json(entry->id), "ip",
			 entry_text_json(ip), "code", check->code, "result", check_result(check), "reason",
			 reason_name(check_reason(check)), "ssh", ssh_json(check), "latency_ms", latency_json(check),
			 "action", sweep_action_name(entry->action));
}

json_t *entry_sweep_json(const struct sweep *sweep)
{
	json_t *response = json_array();
	size_t i;

	for (i = 0; i < sweep->count; i++) {
		if (json_array_append_new(response, entry_result_json(&sweep->entries[i])) < 0) {
			json_decref(response);
			return NULL;
		}
	}
	return json_pack("{s:i, s:s, s:o, s:s, s:f, s:o}", "schema", 1, "type", "sweep", "timestamp",
			 entry_time_json(sweep->at_ms), "market", sweep->open ? "open" : "closed", "duration_ms",
			 (double)sweep->duration_us / 1000, "response", response);
}

json_t *entry_event_json(const struct event *event)
{
	json_t *instance = event->instance[0] != '\0' ? entry_text_json(event->instance) : json_null();

	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "schema", 1, "type", "event", "at",
			 entry_time_json(event->at_ms), "event", entry_text_json(event->event), "instance", instance,
			 "detail", entry_text_json(event->detail));
}

static json_t *strings_json(char *const *strings, size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++) {
		if (json_array_append_new(list, entry_text_json(strings[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *entry_incident_json(const struct incident *incident)
{
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", 1, "type", "incident", "id",
			 entry_text_json(incident->id), "cause", entry_text_json(incident->cause), "instances",
			 strings_json(incident->instances, incident->instance_count), "opened",
			 entry_time_json(incident->opened_ms), "closed", entry_time_json(incident->closed_ms), "tried",
			 strings_json(incident->tried, incident->tried_count));
}

json_t *entry_json(const struct sweep *sweep, const struct event *event, const struct incident *incident)
{
	if (sweep != NULL)
		return entry_sweep_json(sweep);
	return event != NULL ? entry_event_json(event) : entry_incident_json(incident);
}

char *entry_strings_format(char *const *strings, size_t count)
{
	json_t *list = strings_json(strings, count);
	char *text = list != NULL ? json_dumps(list, JSON_COMPACT) : NULL;

	json_decref(list);
	return text;
}

static void free_list(char **strings)
{
	size_t i;

	for (i = 0; strings[i] != NULL; i++)
		free(strings[i]);
	free(strings);
}

int entry_strings_parse(const char *text, char ***ret_strings, size_t *ret_count)
{
	json_t *list = json_loads(text, 0, NULL);
	size_t count = json_array_size(list);
	char **strings = calloc(count + 1, sizeof *strings);
	int r = strings == NULL ? -ENOMEM : json_is_array(list) ? 0 : -EINVAL;
	size_t i;

	for (i = 0; r == 0 && i < count; i++) {
		const char *item = json_string_value(json_array_get(list, i));

		if (item == NULL)
			r = -EINVAL;
		else if ((strings[i] = strdup(item)) == NULL)
			r = -ENOMEM;
	}
	json_decref(list);
	if (r < 0) {
		if (strings != NULL)
			free_list(strings);
		return r;
	}
	*ret_strings = strings;
	*ret_count = count;
	return 0;
}
