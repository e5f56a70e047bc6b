/* kind_number.c: values that are numbers in the end: counts, durations, sizes, percentages, times.  See kind.h. */
#define _GNU_SOURCE
#include "base/units.h"
#include "config/config.h"
#include "config/kind.h"
#include "config/node.h"
#include "config/reader.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 64
#define BELL_MAX_MINUTES (12 * 60)
#define MINUTE_MS 60000
#define MONTH_MS (INT64_C(30) * 24 * 60 * MINUTE_MS)

static bool bool_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	static const char *const yes[] = { "true", "yes", "on" };
	static const char *const no[] = { "false", "no", "off" };
	size_t i;

	for (i = 0; node->type == NODE_SCALAR && node->plain && i < 3; i++) {
		bool is_yes = strcasecmp(node->text, yes[i]) == 0;

		if (is_yes || strcasecmp(node->text, no[i]) == 0) {
			*(bool *)field = is_yes;
			return true;
		}
	}
	return reader_expected(reader, key, node);
}

static json_t *bool_show(const struct config *config, const struct schema_key *key, const void *field)
{
	return json_boolean(*(const bool *)field);
}

/* Digits are always decimal: 010 is ten.  What is far out of any range saturates. */
static bool integer_take(struct reader *reader, const struct schema_key *key, const struct node *node, int64_t *ret)
{
	int64_t max = reader->hosts && key->max_hosts != 0 ? key->max_hosts : key->max;
	const char *digits = node->text;
	int64_t value;

	if (node->type != NODE_SCALAR || !node->plain)
		return reader_expected(reader, key, node);
	digits += *digits == '-';
	if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return reader_expected(reader, key, node);
	value = strtoll(node->text, NULL, 10);
	if (value < key->min || value > max)
		return reader_wrong(reader, key, node, "%.24s is out of range, %" PRId64 " to %" PRId64, node->text,
				    key->min, max);
	*ret = value;
	return true;
}

static bool integer_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	int64_t value;

	if (!integer_take(reader, key, node, &value))
		return false;
	*(int *)field = (int)value;
	return true;
}

static json_t *integer_show(const struct config *config, const struct schema_key *key, const void *field)
{
	return json_integer(*(const int *)field);
}

static bool port_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	int64_t value;

	if (!integer_take(reader, key, node, &value))
		return false;
	*(uint16_t *)field = (uint16_t)value;
	return true;
}

static json_t *port_show(const struct config *config, const struct schema_key *key, const void *field)
{
	return json_integer(*(const uint16_t *)field);
}

static bool duration_out_of_range(struct reader *reader, const struct schema_key *key, const struct node *node)
{
	char least[TEXT_SIZE];
	char most[TEXT_SIZE];

	units_format_duration(key->min, least, sizeof least);
	units_format_duration(key->max, most, sizeof most);
	return reader_wrong(reader, key, node, "%s is out of range, %s to %s", quote(node->text).text, least, most);
}

static bool duration_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	static const char *const short_ones[] = { "s", "m", "30s, 5m or 1m30s" };
	static const char *const long_ones[] = { "d", "h", "12h, 30d or 400d" };
	const char *const *examples = key->max >= MONTH_MS ? long_ones : short_ones;
	int64_t value;
	int r;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	r = units_parse_duration(node->text, &value);
	if (r == -ERANGE || (r == 0 && (value < key->min || value > key->max)))
		return duration_out_of_range(reader, key, node);
	if (r < 0 && node->text[0] != '\0' && strlen(node->text) < 20 &&
	    node->text[strspn(node->text, "0123456789.")] == '\0')
		return reader_wrong(reader, key, node, "%s has no unit: write %s%s or %s%s", quote(node->text).text,
				    node->text, examples[0], node->text, examples[1]);
	if (r < 0)
		return reader_wrong(reader, key, node, "%s isn't a duration: write it as %s (units: ms, s, m, h, d)",
				    quote(node->text).text, examples[2]);
	*(int64_t *)field = value;
	return true;
}

static json_t *duration_show(const struct config *config, const struct schema_key *key, const void *field)
{
	char text[TEXT_SIZE];

	units_format_duration(*(const int64_t *)field, text, sizeof text);
	return json_string(text);
}

static bool size_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	char least[TEXT_SIZE];
	char most[TEXT_SIZE];
	int64_t value;
	int r;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	r = units_parse_size(node->text, &value);
	if (r == -EINVAL)
		return reader_wrong(reader, key, node, "%s isn't a size: write it as 512M or 2G (units: K, M, G, T, P)",
				    quote(node->text).text);
	if (r < 0 || value < key->min || value > key->max) {
		units_format_size(key->min, least, sizeof least);
		units_format_size(key->max, most, sizeof most);
		return reader_wrong(reader, key, node, "%s is out of range, %s to %s", quote(node->text).text, least,
				    most);
	}
	*(int64_t *)field = value;
	return true;
}

static json_t *size_show(const struct config *config, const struct schema_key *key, const void *field)
{
	char text[TEXT_SIZE];

	units_format_size(*(const int64_t *)field, text, sizeof text);
	return json_string(text);
}

static bool percent_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	int permille;
	int r;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	r = units_parse_percent(node->text, &permille);
	if (r == -ERANGE && strchr(node->text, '%') == NULL)
		return reader_wrong(reader, key, node, "%s is out of range, 0 to 1: did you mean %.20s%%?",
				    quote(node->text).text, node->text);
	if (r == -ERANGE)
		return reader_wrong(reader, key, node, "%s is out of range, 0%% to 100%%", quote(node->text).text);
	if (r < 0)
		return reader_wrong(reader, key, node, "%s isn't a percentage: write it as 50%%",
				    quote(node->text).text);
	*(int *)field = permille;
	return true;
}

static json_t *percent_show(const struct config *config, const struct schema_key *key, const void *field)
{
	int permille = *(const int *)field;

	if (permille % 10 != 0)
		return json_sprintf("%d.%d%%", permille / 10, permille % 10);
	return json_sprintf("%d%%", permille / 10);
}

/* "08:45" or "8:45".  False: not that. */
static bool parse_clock(const char *text, int *ret_minutes)
{
	size_t digits = strspn(text, "0123456789");
	int hour = atoi(text);
	const char *minute = text + digits + 1;

	if (digits < 1 || digits > 2 || text[digits] != ':' || strlen(minute) != 2)
		return false;
	if (!isdigit((unsigned char)minute[0]) || !isdigit((unsigned char)minute[1]) || hour > 23 || atoi(minute) > 59)
		return false;
	*ret_minutes = hour * 60 + atoi(minute);
	return true;
}

static bool time_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	if (!parse_clock(node->text, field))
		return reader_wrong(reader, key, node, "%s isn't a time of day: write it as 08:45, 00:00 to 23:59",
				    quote(node->text).text);
	return true;
}

static json_t *time_show(const struct config *config, const struct schema_key *key, const void *field)
{
	int minutes = *(const int *)field;

	return json_sprintf("%02d:%02d", minutes / 60, minutes % 60);
}

/* Behind "bell": nothing, or + or - and whole minutes.  Returns 0, -EINVAL or -ERANGE. */
static int parse_distance(const char *text, int *ret_minutes)
{
	int64_t ms;
	int r;

	if (text[0] == '\0') {
		*ret_minutes = 0;
		return 0;
	}
	if (text[0] != '+' && text[0] != '-')
		return -EINVAL;
	r = units_parse_duration(text + 1, &ms);
	if (r < 0)
		return r;
	if (ms % MINUTE_MS != 0)
		return -EINVAL;
	if (ms > (int64_t)BELL_MAX_MINUTES * MINUTE_MS)
		return -ERANGE;
	*ret_minutes = (int)(ms / MINUTE_MS) * (text[0] == '-' ? -1 : 1);
	return 0;
}

static bool bell_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	struct config_bell_time *bell = field;
	struct config_bell_time value = { 0 };
	int r;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	if (strncmp(node->text, "bell", 4) == 0) {
		value.from_bell = true;
		r = parse_distance(node->text + 4, &value.minutes);
	} else {
		r = parse_clock(node->text, &value.minutes) ? 0 : -EINVAL;
	}
	if (r == -ERANGE)
		return reader_wrong(reader, key, node, "%s is out of range, bell-12h to bell+12h",
				    quote(node->text).text);
	if (r < 0)
		return reader_wrong(reader, key, node,
				    "%s is no time: write 08:45, or whole minutes from the bell as in bell-15m",
				    quote(node->text).text);
	*bell = value;
	return true;
}

static json_t *bell_show(const struct config *config, const struct schema_key *key, const void *field)
{
	const struct config_bell_time *bell = field;
	char text[TEXT_SIZE];

	if (!bell->from_bell)
		return time_show(config, key, &bell->minutes);
	if (bell->minutes == 0)
		return json_string("bell");
	units_format_duration((int64_t)abs(bell->minutes) * MINUTE_MS, text, sizeof text);
	return json_sprintf("bell%c%s", bell->minutes < 0 ? '-' : '+', text);
}

const struct kind kind_bool = { "true or false", bool_read, bool_show, NULL };
const struct kind kind_integer = { "a whole number", integer_read, integer_show, NULL };
const struct kind kind_port = { "a port number", port_read, port_show, NULL };
const struct kind kind_duration = { "a duration such as 30s", duration_read, duration_show, NULL };
const struct kind kind_size = { "a size such as 2G", size_read, size_show, NULL };
const struct kind kind_percent = { "a percentage such as 50%", percent_read, percent_show, NULL };
const struct kind kind_time = { "a time of day such as 23:30", time_read, time_show, NULL };
const struct kind kind_bell = { "a time such as 08:45 or bell-15m", bell_read, bell_show, NULL };
