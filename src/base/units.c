/* units.c: see units.h. */
#define _GNU_SOURCE
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define DURATION_MAX_MS (36525 * DAY_MS)
#define SIZE_MAX_BYTES (INT64_C(1) << 60)

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = { { "d", DAY_MS }, { "h", HOUR_MS }, { "m", MINUTE_MS }, { "s", SECOND_MS }, { "ms", 1 } };

#define UNIT_COUNT (sizeof units / sizeof units[0])

/* A decimal number without sign or exponent; strtod would also take "inf", "0x1" and the locale's comma. */
static int parse_number(const char **text, double *ret_value)
{
	const char *p = *text;
	double value = 0;
	double place = 0.1;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		value = value * 10 + (*p - '0');
	if (*p == '.') {
		if (!isdigit((unsigned char)p[1]))
			return -EINVAL;
		for (p++; isdigit((unsigned char)*p); p++, place /= 10)
			value += (*p - '0') * place;
	}
	*text = p;
	*ret_value = value;
	return 0;
}

int units_parse_duration(const char *text, int64_t *ret_ms)
{
	const char *p = text;
	size_t smallest = 0;
	double total = 0;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	do {
		double value;
		size_t length;
		size_t i;

		if (parse_number(&p, &value) < 0)
			return -EINVAL;
		length = strspn(p, "abcdefghijklmnopqrstuvwxyz");
		for (i = smallest; i < UNIT_COUNT; i++)
			if (strlen(units[i].name) == length && strncmp(units[i].name, p, length) == 0)
				break;
		if (i == UNIT_COUNT)
			return -EINVAL;
		smallest = i + 1;
		total += value * (double)units[i].ms;
		if (total > (double)DURATION_MAX_MS)
			return -ERANGE;
		p += length;
		if (*p == ' ' && p[1] != '\0')
			p++;
	} while (*p != '\0');
	*ret_ms = (int64_t)(total + 0.5);
	return 0;
}

void units_format_duration(int64_t ms, char *ret_text, size_t size)
{
	size_t used = 0;
	size_t i;

	if (size == 0)
		return;
	ret_text[0] = '\0';
	if (ms <= 0) {
		snprintf(ret_text, size, "0s");
		return;
	}
	for (i = 0; i < UNIT_COUNT && used < size; i++) {
		int64_t count = ms / units[i].ms;

		if (count == 0)
			continue;
		used += (size_t)snprintf(ret_text + used, size - used, "%" PRId64 "%s", count, units[i].name);
		ms %= units[i].ms;
	}
}

void units_format_elapsed(int64_t ms, char *ret_text, size_t size)
{
	if (ms < 0)
		ms = 0;
	if (ms < 10 * SECOND_MS)
		snprintf(ret_text, size, "%.1f s", (double)ms / 1000);
	else if (ms < 2 * MINUTE_MS)
		snprintf(ret_text, size, "%" PRId64 " s", ms / SECOND_MS);
	else if (ms < HOUR_MS)
		snprintf(ret_text, size, "%" PRId64 " min", ms / MINUTE_MS);
	else if (ms < DAY_MS)
		snprintf(ret_text, size, "%" PRId64 " h %" PRId64 " min", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
	else
		snprintf(ret_text, size, "%" PRId64 " d %" PRId64 " h", ms / DAY_MS, ms % DAY_MS / HOUR_MS);
}

int units_parse_size(const char *text, int64_t *ret_bytes)
{
	static const char letters[] = "KMGTP";
	const char *p = text;
	double value;

	if (parse_number(&p, &value) < 0)
		return -EINVAL;
	if (*p == ' ' && p[1] != '\0')
		p++;
	if (*p != '\0' && *p != 'B') {
		const char *letter = strchr(letters, toupper((unsigned char)*p));

		if (letter == NULL)
			return -EINVAL;
		value *= (double)(INT64_C(1) << ((letter - letters + 1) * 10));
		p++;
		if (*p == 'i' && p[1] == 'B')
			p++;
	}
	if (*p == 'B')
		p++;
	if (*p != '\0')
		return -EINVAL;
	if (value > (double)SIZE_MAX_BYTES)
		return -ERANGE;
	*ret_bytes = (int64_t)(value + 0.5);
	return 0;
}

void units_format_size(int64_t bytes, char *ret_text, size_t size)
{
	static const char letters[] = "KMGTP";
	int step = 0;

	while (step < 5 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		step++;
	}
	if (step == 0)
		snprintf(ret_text, size, "%" PRId64, bytes);
	else
		snprintf(ret_text, size, "%" PRId64 "%c", bytes, letters[step - 1]);
}

int units_parse_percent(const char *text, int *ret_permille)
{
	const char *p = text;
	double value;

	if (parse_number(&p, &value) < 0)
		return -EINVAL;
	if (*p == ' ' && p[1] != '\0')
		p++;
	if (*p == '%') {
		value /= 100;
		p++;
	}
	if (*p != '\0')
		return -EINVAL;
	if (value > 1)
		return -ERANGE;
	*ret_permille = (int)(value * 1000 + 0.5);
	return 0;
}

static void format_utc(int64_t utc_ms, int with_ms, char *ret_text, size_t size)
{
	int64_t ms = ((utc_ms % 1000) + 1000) % 1000;
	/* Rounded down, also before 1970. */
	time_t seconds = (time_t)(utc_ms / 1000 - (utc_ms % 1000 < 0));
	struct tm tm;
	char date[24];

	if (gmtime_r(&seconds, &tm) == NULL || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		snprintf(ret_text, size, "-");
	else if (with_ms)
		snprintf(ret_text, size, "%s.%03dZ", date, (int)ms);
	else
		snprintf(ret_text, size, "%sZ", date);
}

void units_format_utc(int64_t utc_ms, char *ret_text, size_t size)
{
	format_utc(utc_ms, 0, ret_text, size);
}

void units_format_utc_ms(int64_t utc_ms, char *ret_text, size_t size)
{
	format_utc(utc_ms, 1, ret_text, size);
}

static const char *parse_digits(const char *p, int count, int *ret_value)
{
	int value = 0;

	for (; count > 0; count--, p++) {
		if (!isdigit((unsigned char)*p))
			return NULL;
		value = value * 10 + (*p - '0');
	}
	*ret_value = value;
	return p;
}

/* The offset behind the time: "Z" or "+01:00"; NULL where there is none. */
static const char *parse_offset(const char *p, int *ret_minutes)
{
	int sign = *p == '-' ? -1 : 1;
	int hours;
	int minutes;

	if (*p == 'Z' || *p == 'z') {
		*ret_minutes = 0;
		return p + 1;
	}
	if (*p != '+' && *p != '-')
		return NULL;
	p = parse_digits(p + 1, 2, &hours);
	if (p == NULL || *p != ':')
		return NULL;
	p = parse_digits(p + 1, 2, &minutes);
	if (p == NULL || hours > 23 || minutes > 59)
		return NULL;
	*ret_minutes = sign * (hours * 60 + minutes);
	return p;
}

static const char *parse_date(const char *p, struct tm *tm)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year;
	int month;

	p = parse_digits(p, 4, &year);
	if (p == NULL || *p != '-')
		return NULL;
	p = parse_digits(p + 1, 2, &month);
	if (p == NULL || *p != '-' || month < 1 || month > 12)
		return NULL;
	p = parse_digits(p + 1, 2, &tm->tm_mday);
	if (p == NULL || tm->tm_mday < 1 || tm->tm_mday > days[month - 1])
		return NULL;
	if (month == 2 && tm->tm_mday == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return NULL;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	return p;
}

static const char *parse_time(const char *p, struct tm *tm, int *ret_ms)
{
	int place = 100;

	*ret_ms = 0;
	p = parse_digits(p, 2, &tm->tm_hour);
	if (p == NULL || *p != ':')
		return NULL;
	p = parse_digits(p + 1, 2, &tm->tm_min);
	if (p == NULL)
		return NULL;
	if (*p == ':')
		p = parse_digits(p + 1, 2, &tm->tm_sec);
	if (p == NULL || tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
		return NULL;
	if (*p == '.') {
		if (!isdigit((unsigned char)p[1]))
			return NULL;
		for (p++; isdigit((unsigned char)*p); p++, place /= 10)
			*ret_ms += (*p - '0') * place;
	}
	return p;
}

int units_parse_utc(const char *text, int64_t *ret_utc_ms)
{
	struct tm tm = { 0 };
	int offset_min = 0;
	int ms = 0;
	const char *p = parse_date(text, &tm);

	if (p == NULL)
		return -EINVAL;
	if (*p == 'T' || *p == 't' || *p == ' ') {
		p = parse_time(p + 1, &tm, &ms);
		if (p == NULL)
			return -EINVAL;
		p = parse_offset(p, &offset_min);
		if (p == NULL)
			return -EINVAL;
	}
	if (*p != '\0')
		return -EINVAL;
	*ret_utc_ms = ((int64_t)timegm(&tm) - offset_min * INT64_C(60)) * 1000 + ms;
	return 0;
}
