/* test_units.c: durations, sizes, percentages and instants as people write them. */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED (-77)
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct {
	const char *text;
	int r;
	int64_t ms;
} durations[] = {
	{ "0", 0, 0 },                       { "0s", 0, 0 },
	{ "250ms", 0, 250 },                 { "5s", 0, 5000 },
	{ "1m", 0, 60000 },                  { "2h", 0, 7200000 },
	{ "400d", 0, INT64_C(34560000000) }, { "1m30s", 0, 90000 },
	{ "1h 30m", 0, 5400000 },            { "0.5s", 0, 500 },
	{ "1.0005s", 0, 1001 },              { "0.1s", 0, 100 },
	{ "1d1h1m1s1ms", 0, 90061001 },      { "36525d", 0, INT64_C(3155760000000) },
	{ "", -EINVAL, 0 },                  { " ", -EINVAL, 0 },
	{ "60", -EINVAL, 0 },                { "00", -EINVAL, 0 },
	{ "1.s", -EINVAL, 0 },               { ".5s", -EINVAL, 0 },
	{ "-5s", -EINVAL, 0 },               { "+5s", -EINVAL, 0 },
	{ "5S", -EINVAL, 0 },                { "5M", -EINVAL, 0 },
	{ "5 s", -EINVAL, 0 },               { "5s ", -EINVAL, 0 },
	{ " 5s", -EINVAL, 0 },               { "30s1m", -EINVAL, 0 },
	{ "1m1m", -EINVAL, 0 },              { "1m 30", -EINVAL, 0 },
	{ "1m  30s", -EINVAL, 0 },           { "5min", -EINVAL, 0 },
	{ "infs", -EINVAL, 0 },              { "1e3s", -EINVAL, 0 },
	{ "36526d", -ERANGE, 0 },            { "99999999999999999999999999d", -ERANGE, 0 },
};

static void durations_are_read(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(durations); i++) {
		int64_t ms = UNTOUCHED;
		int r = units_parse_duration(durations[i].text, &ms);

		if (r != durations[i].r)
			print_error("\"%s\": %d\n", durations[i].text, r);
		assert_int_equal(r, durations[i].r);
		assert_int_equal(ms, r == 0 ? durations[i].ms : UNTOUCHED);
	}
}

static const struct {
	int64_t ms;
	const char *text;
} spellings[] = {
	{ -1, "0s" },          { 0, "0s" },         { 1, "1ms" },        { 1000, "1s" },     { 60000, "1m" },
	{ 90000, "1m30s" },    { 3600000, "1h" },   { 86400000, "1d" },  { 90061001, "1d1h1m1s1ms" },
	{ 1500, "1s500ms" },   { INT64_C(34560000000), "400d" },
};

static void durations_are_written_and_read_back(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(spellings); i++) {
		char text[64];
		int64_t ms;

		units_format_duration(spellings[i].ms, text, sizeof text);
		assert_string_equal(text, spellings[i].text);
		assert_int_equal(units_parse_duration(text, &ms), 0);
		assert_int_equal(ms, spellings[i].ms > 0 ? spellings[i].ms : 0);
	}
}

/* A buffer that is too small is filled, and never left behind. */
static void a_small_buffer_holds(void **state)
{
	char text[8];

	for (size_t size = 0; size <= sizeof text; size++) {
		memset(text, '#', sizeof text);
		units_format_duration(90061001, text, size);
		if (size > 0)
			assert_true(strlen(text) < size);
		if (size < sizeof text)
			assert_int_equal(text[size], '#');
	}
}

static const struct {
	int64_t ms;
	const char *text;
} elapsed[] = {
	{ -5, "0.0 s" },         { 400, "0.4 s" },          { 9949, "9.9 s" },        { 12000, "12 s" },
	{ 119999, "119 s" },     { 120000, "2 min" },       { 180000, "3 min" },      { 7500000, "2 h 5 min" },
	{ 86399999, "23 h 59 min" }, { 356400000, "4 d 3 h" },
};

static void elapsed_time_is_for_people(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(elapsed); i++) {
		char text[64];

		units_format_elapsed(elapsed[i].ms, text, sizeof text);
		assert_string_equal(text, elapsed[i].text);
	}
}

static const struct {
	const char *text;
	int r;
	int64_t bytes;
} sizes[] = {
	{ "0", 0, 0 },            { "512", 0, 512 },          { "512B", 0, 512 },       { "64K", 0, 65536 },
	{ "64k", 0, 65536 },      { "64KB", 0, 65536 },       { "64KiB", 0, 65536 },    { "1.5M", 0, 1572864 },
	{ "2G", 0, INT64_C(2) << 30 }, { "2 G", 0, INT64_C(2) << 30 }, { "1T", 0, INT64_C(1) << 40 },
	{ "1024P", 0, INT64_C(1) << 60 },
	{ "", -EINVAL, 0 },       { "G", -EINVAL, 0 },        { "-1", -EINVAL, 0 },     { "2X", -EINVAL, 0 },
	{ "2GG", -EINVAL, 0 },    { "2Gi", -EINVAL, 0 },      { "2iB", -EINVAL, 0 },    { "2 ", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },   { "1025P", -ERANGE, 0 },    { "9999999999999999999999", -ERANGE, 0 },
};

static void sizes_are_read(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		int64_t bytes = UNTOUCHED;
		int r = units_parse_size(sizes[i].text, &bytes);

		if (r != sizes[i].r)
			print_error("\"%s\": %d\n", sizes[i].text, r);
		assert_int_equal(r, sizes[i].r);
		assert_int_equal(bytes, r == 0 ? sizes[i].bytes : UNTOUCHED);
	}
}

static void sizes_are_written_exactly(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} table[] = { { 0, "0" },        { 1023, "1023" },  { 1024, "1K" },  { 1536, "1536" }, { 1572864, "1536K" },
		      { INT64_C(2) << 30, "2G" }, { INT64_C(1) << 60, "1024P" } };
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		char text[32];
		int64_t bytes;

		units_format_size(table[i].bytes, text, sizeof text);
		assert_string_equal(text, table[i].text);
		assert_int_equal(units_parse_size(text, &bytes), 0);
		assert_int_equal(bytes, table[i].bytes);
	}
}

static void percentages_are_read(void **state)
{
	static const struct {
		const char *text;
		int r;
		int permille;
	} table[] = { { "50%", 0, 500 },   { "12.5 %", 0, 125 }, { "0.5", 0, 500 },      { "0", 0, 0 },
		      { "100%", 0, 1000 }, { "1", 0, 1000 },     { "0%", 0, 0 },         { "33.3%", 0, 333 },
		      { "101%", -ERANGE, 0 }, { "50", -ERANGE, 0 }, { "half", -EINVAL, 0 }, { "", -EINVAL, 0 },
		      { "5 ", -EINVAL, 0 },
		      { "5% ", -EINVAL, 0 },  { "5%%", -EINVAL, 0 },  { "-1%", -EINVAL, 0 }, { "%", -EINVAL, 0 } };
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		int permille = UNTOUCHED;

		assert_int_equal(units_parse_percent(table[i].text, &permille), table[i].r);
		assert_int_equal(permille, table[i].r == 0 ? table[i].permille : UNTOUCHED);
	}
}

static const struct {
	const char *text;
	int r;
	int64_t utc_ms;
} instants[] = {
	{ "1970-01-01T00:00:00Z", 0, 0 },
	{ "2026-11-23T08:45:00Z", 0, INT64_C(1795423500000) },
	{ "2026-11-23t08:45:00z", 0, INT64_C(1795423500000) },
	{ "2026-11-23 08:45:00Z", 0, INT64_C(1795423500000) },
	{ "2026-11-23T08:45Z", 0, INT64_C(1795423500000) },
	{ "2026-11-23T08:45:00.123Z", 0, INT64_C(1795423500123) },
	{ "2026-11-23T08:45:00.1239999Z", 0, INT64_C(1795423500123) },
	{ "2026-11-23T09:45:00+01:00", 0, INT64_C(1795423500000) },
	{ "2026-11-23T03:45:00-05:00", 0, INT64_C(1795423500000) },
	{ "2026-11-23", 0, INT64_C(1795392000000) },
	{ "2024-02-29", 0, INT64_C(1709164800000) },
	{ "1969-12-31T23:59:59.999Z", 0, -1 },
	{ "2023-02-29", -EINVAL, 0 },
	{ "2100-02-29", -EINVAL, 0 },
	{ "2026-04-31", -EINVAL, 0 },
	{ "2026-13-01", -EINVAL, 0 },
	{ "2026-00-01", -EINVAL, 0 },
	{ "2026-11-23T24:00:00Z", -EINVAL, 0 },
	{ "2026-11-23T08:60:00Z", -EINVAL, 0 },
	{ "2026-11-23T08:45:00", -EINVAL, 0 },
	{ "2026-11-23T08:45:00.Z", -EINVAL, 0 },
	{ "2026-11-23T08:45:00+0100", -EINVAL, 0 },
	{ "2026-11-23T08:45:00+24:00", -EINVAL, 0 },
	{ "2026-11-23T08:45:00Zx", -EINVAL, 0 },
	{ "2026-11-23x", -EINVAL, 0 },
	{ "26-11-23", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
};

static void instants_are_read(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(instants); i++) {
		int64_t utc_ms = UNTOUCHED;
		int r = units_parse_utc(instants[i].text, &utc_ms);

		if (r != instants[i].r || (r == 0 && utc_ms != instants[i].utc_ms))
			print_error("\"%s\": %d, %" PRId64 "\n", instants[i].text, r, utc_ms);
		assert_int_equal(r, instants[i].r);
		assert_int_equal(utc_ms, r == 0 ? instants[i].utc_ms : UNTOUCHED);
	}
}

static void instants_are_written(void **state)
{
	char text[32];

	units_format_utc(INT64_C(1795423500123), text, sizeof text);
	assert_string_equal(text, "2026-11-23T08:45:00Z");
	units_format_utc_ms(INT64_C(1795423500123), text, sizeof text);
	assert_string_equal(text, "2026-11-23T08:45:00.123Z");
	units_format_utc_ms(-1, text, sizeof text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	units_format_utc_ms(INT64_MAX, text, sizeof text);
	assert_true(strlen(text) < sizeof text);
	units_format_utc_ms(INT64_MIN, text, sizeof text);
	assert_true(strlen(text) < sizeof text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read),   cmocka_unit_test(durations_are_written_and_read_back),
		cmocka_unit_test(a_small_buffer_holds), cmocka_unit_test(elapsed_time_is_for_people),
		cmocka_unit_test(sizes_are_read),       cmocka_unit_test(sizes_are_written_exactly),
		cmocka_unit_test(percentages_are_read), cmocka_unit_test(instants_are_read),
		cmocka_unit_test(instants_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
