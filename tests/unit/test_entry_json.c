/* test_entry_json.c: the documents of the contract, to the letter; addresses; text that is not UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/entry_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define START INT64_C(1795423500123)

static void expect(json_t *json, const char *text)
{
	char *dumped = json_dumps(json, ENTRY_JSON_FLAGS);

	assert_non_null(dumped);
	assert_string_equal(dumped, text);
	free(dumped);
	json_decref(json);
}

static void sweep_of(const struct sweep_entry *entry, const char *response)
{
	struct sweep *sweep = sweep_alloc(1);
	char text[512];

	sweep->at_ms = START;
	sweep->open = true;
	sweep->duration_us = 3125;
	sweep->entries[0] = *entry;
	snprintf(text, sizeof text, "{\"schema\":1,\"type\":\"sweep\",\"timestamp\":\"2026-11-23T08:45:00.123Z\","
		 "\"market\":\"open\",\"duration_ms\":3.125,\"response\":[%s]}", response);
	expect(entry_json(sweep, NULL, NULL), text);
	free(sweep);
}

static void sweeps(void **state)
{
	static const struct {
		struct sweep_entry entry;
		const char *response;
	} cases[] = {
		{ { "web-5f0c1b2d", "127.0.1.1:8090", { .code = 200, .latency_us = 612 }, SWEEP_NONE },
		  "{\"id\":\"web-5f0c1b2d\",\"ip\":\"127.0.1.1\",\"code\":200,\"result\":\"success\",\"reason\":\"ok\","
		  "\"ssh\":null,\"latency_ms\":0.612,\"action\":\"none\"}" },
		{ { "a", "[2001:db8::1]:80", { .reason = REASON_REFUSED, .latency_us = -1 }, SWEEP_RESTARTED },
		  "{\"id\":\"a\",\"ip\":\"2001:db8::1\",\"code\":0,\"result\":\"Failed to get web content\","
		  "\"reason\":\"refused\",\"ssh\":null,\"latency_ms\":null,\"action\":\"restarted\"}" },
		{ { "a", "10.0.0.1:80", { .code = 503, .reason = REASON_STATUS, .ssh_done = true,
					  .ssh_reason = REASON_SSH_AUTH, .latency_us = 5000000 }, SWEEP_REPLACED },
		  "{\"id\":\"a\",\"ip\":\"10.0.0.1\",\"code\":503,\"result\":\"Failed to SSH\",\"reason\":\"ssh-auth\","
		  "\"ssh\":{\"result\":\"Failed to SSH\",\"reason\":\"ssh-auth\"},\"latency_ms\":5000.0,"
		  "\"action\":\"replaced\"}" },
		{ { "a", "10.0.0.1:80", { .code = 503, .reason = REASON_STATUS, .ssh_done = true, .latency_us = 1 },
		    SWEEP_BRAKED },
		  "{\"id\":\"a\",\"ip\":\"10.0.0.1\",\"code\":503,\"result\":\"Failed to get web content\","
		  "\"reason\":\"status\",\"ssh\":{\"result\":\"success\",\"reason\":\"ok\"},\"latency_ms\":0.001,"
		  "\"action\":\"braked\"}" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		sweep_of(&cases[i].entry, cases[i].response);
}

static void closed_sweep(void **state)
{
	struct sweep sweep = { .at_ms = START };

	(void)state;
	expect(entry_json(&sweep, NULL, NULL),
	       "{\"schema\":1,\"type\":\"sweep\",\"timestamp\":\"2026-11-23T08:45:00.123Z\",\"market\":\"closed\","
	       "\"duration_ms\":0.0,\"response\":[]}");
}

static void events(void **state)
{
	struct event event = { START, "died", "web-1", "signal 9" };
	struct event of_the_fleet = { START, "ready", "", "" };

	(void)state;
	expect(entry_json(NULL, &event, NULL),
	       "{\"schema\":1,\"type\":\"event\",\"at\":\"2026-11-23T08:45:00.123Z\",\"event\":\"died\","
	       "\"instance\":\"web-1\",\"detail\":\"signal 9\"}");
	expect(entry_json(NULL, &of_the_fleet, NULL),
	       "{\"schema\":1,\"type\":\"event\",\"at\":\"2026-11-23T08:45:00.123Z\",\"event\":\"ready\","
	       "\"instance\":null,\"detail\":\"\"}");
}

static void incidents(void **state)
{
	char *instances[] = { (char *)"web-1", (char *)"web-2" };
	struct incident incident = {
		.id = "i1", .cause = "refused", .opened_ms = START, .instances = instances, .instance_count = 2,
	};

	(void)state;
	expect(entry_json(NULL, NULL, &incident),
	       "{\"schema\":1,\"type\":\"incident\",\"id\":\"i1\",\"cause\":\"refused\",\"instances\":[\"web-1\",\"web-2\"],"
	       "\"opened\":\"2026-11-23T08:45:00.123Z\",\"closed\":null,\"tried\":[]}");
	incident.closed_ms = START + 877;
	incident.tried = instances;
	incident.tried_count = 1;
	expect(entry_json(NULL, NULL, &incident),
	       "{\"schema\":1,\"type\":\"incident\",\"id\":\"i1\",\"cause\":\"refused\",\"instances\":[\"web-1\",\"web-2\"],"
	       "\"opened\":\"2026-11-23T08:45:00.123Z\",\"closed\":\"2026-11-23T08:45:01.000Z\",\"tried\":[\"web-1\"]}");
}

static void text_that_is_not_utf8(void **state)
{
	static const char *const cases[][2] = {
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "caf\xc3", "caf\xef\xbf\xbd" },                               /* cut in a character */
		{ "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },                     /* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },     /* a surrogate */
		{ "\xf0\x9f\x98\x80\xf4\x90\x80\x80", "\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct event event = { .at_ms = START };
		json_t *json;

		strcpy(event.detail, cases[i][0]);
		json = entry_event_json(&event);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "detail")), cases[i][1]);
		json_decref(json);
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *address;
		const char *ip;
		int port;
	} cases[] = {
		{ "127.0.1.1:8090", "127.0.1.1", 8090 }, { "[2001:db8::1]:80", "2001:db8::1", 80 },
		{ "10.0.0.1", "10.0.0.1", -1 }, { "2001:db8::1", "2001:db8::1", -1 },
		{ "web.example:443", "web.example", 443 }, { "", "", -1 },
	};
	char text[ENTRY_ADDRESS_SIZE];
	size_t i;
	int port;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		address_split(cases[i].address, text, sizeof text, &port);
		assert_string_equal(text, cases[i].ip);
		assert_int_equal(port, cases[i].port);
		address_join(cases[i].ip, cases[i].port, text, sizeof text);
		assert_string_equal(text, cases[i].address);
	}
	address_split("[2001:db8::1]", text, sizeof text, &port);
	assert_string_equal(text, "2001:db8::1");
	assert_int_equal(port, -1);
}

static void lists_of_strings(void **state)
{
	static const char *const bad[] = { "", "{}", "[1]", "[\"a\"", "null" };
	char *strings[] = { (char *)"a", (char *)"b \"c\"" };
	char *text = entry_strings_format(strings, 2);
	char **back = NULL;
	size_t count;
	size_t i;

	(void)state;
	assert_string_equal(text, "[\"a\",\"b \\\"c\\\"\"]");
	assert_int_equal(entry_strings_parse(text, &back, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(back[1], strings[1]);
	assert_null(back[2]);
	free(back[0]);
	free(back[1]);
	free(back);
	free(text);
	back = NULL;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(entry_strings_parse(bad[i], &back, &count), -EINVAL);
	assert_null(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sweeps),
		cmocka_unit_test(closed_sweep),
		cmocka_unit_test(events),
		cmocka_unit_test(incidents),
		cmocka_unit_test(text_that_is_not_utf8),
		cmocka_unit_test(addresses),
		cmocka_unit_test(lists_of_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
