/* test_history_table.c: what people read of the record, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/history_table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define START INT64_C(1795423500123)    /* 2026-11-23T08:45:00.123Z, 08:45 in London */
#define MINUTE INT64_C(60000)

struct page {
	struct history_table table;
	char *text;
	size_t size;
};

static void start(struct page *page)
{
	*page = (struct page){ .table = { .id_width = 12 } };
	page->table.out = open_memstream(&page->text, &page->size);
}

static void expect(struct page *page, const char *text)
{
	history_table_end(&page->table);
	fclose(page->table.out);
	assert_string_equal(page->text, text);
	free(page->text);
}

/* Of `count` instances, the first `failed` refused. */
static void add(struct page *page, int64_t at_ms, size_t count, size_t failed, enum sweep_action action)
{
	struct sweep *sweep = sweep_alloc(count);
	size_t i;

	sweep->at_ms = at_ms;
	sweep->open = true;
	sweep->failed = failed;
	for (i = 0; i < count; i++) {
		snprintf(sweep->entries[i].id, ENTRY_ID_SIZE, "web-%08zx", i);
		sweep->entries[i].check.reason = i < failed ? REASON_REFUSED : REASON_OK;
		sweep->entries[i].action = i == 0 ? action : SWEEP_NONE;
	}
	history_table_sweep(&page->table, sweep);
	free(sweep);
}

static void add_closed(struct page *page, int64_t at_ms)
{
	struct sweep sweep = { .at_ms = at_ms };

	history_table_sweep(&page->table, &sweep);
}

static void passed_sweeps_are_one_line(void **state)
{
	struct page page;
	int i;

	(void)state;
	start(&page);
	for (i = 0; i < 28; i++)
		add(&page, START + i * MINUTE, 2, 0, SWEEP_NONE);
	add(&page, START + 28 * MINUTE, 2, 1, SWEEP_RESTARTED);
	add(&page, START + 29 * MINUTE, 2, 0, SWEEP_NONE);
	add(&page, START + 30 * MINUTE, 1, 0, SWEEP_NONE);
	add(&page, START + 31 * MINUTE, 1, 0, SWEEP_NONE);
	add(&page, START + 32 * MINUTE, 0, 0, SWEEP_NONE);
	add_closed(&page, START + 33 * MINUTE);
	add_closed(&page, START + 34 * MINUTE);
	expect(&page,
	       "2026-11-23  08:45:00–09:12:00  28 sweeps, all of 2 passed\n"
	       "2026-11-23  09:13:00           failed      web-00000000  refused, restarted (1 of 2 failed)\n"
	       "2026-11-23  09:14:00           1 sweep, all of 2 passed\n"
	       "2026-11-23  09:15:00–09:16:00  2 sweeps, the one instance passed\n"
	       "2026-11-23  09:17:00           1 sweep, no instances\n"
	       "2026-11-23  09:18:00–09:19:00  2 sweeps, closed\n");
}

static void a_day_ends_a_line(void **state)
{
	struct page page;

	(void)state;
	start(&page);
	add_closed(&page, START + 15 * 60 * MINUTE);
	add_closed(&page, START + 15 * 60 * MINUTE + 14 * MINUTE);
	add_closed(&page, START + 15 * 60 * MINUTE + 15 * MINUTE);
	expect(&page,
	       "2026-11-23  23:45:00–23:59:00  2 sweeps, closed\n"
	       "2026-11-24  00:00:00           1 sweep, closed\n");
}

static void times_are_the_markets(void **state)
{
	struct page page;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	start(&page);
	add(&page, START, 2, 0, SWEEP_NONE);
	expect(&page, "2026-11-23  17:45:00           1 sweep, all of 2 passed\n");
	setenv("TZ", "Europe/London", 1);
	tzset();
}

static void many_failures_are_counted(void **state)
{
	struct page page;
	const char *end;

	(void)state;
	start(&page);
	add(&page, START, 100, 50, SWEEP_NONE);
	fflush(page.table.out);
	end = strstr(page.text, "and ");
	assert_non_null(end);
	assert_string_equal(end, "and 30 more: --json lists them\n");
	fclose(page.table.out);
	free(page.text);
}

static void both_reasons_are_told(void **state)
{
	struct sweep *sweep = sweep_alloc(2);
	struct page page;

	(void)state;
	sweep->at_ms = START;
	sweep->open = true;
	sweep->failed = 2;
	sweep->entries[0] = (struct sweep_entry){ .id = "a", .check = { .code = 503, .reason = REASON_STATUS } };
	sweep->entries[1] = (struct sweep_entry){ .id = "b", .check = { .reason = REASON_TIMEOUT, .ssh_done = true,
									.ssh_reason = REASON_SSH_CONNECT } };
	start(&page);
	history_table_sweep(&page.table, sweep);
	expect(&page,
	       "2026-11-23  08:45:00           failed      a             status 503 (2 of 2 failed)\n"
	       "2026-11-23  08:45:00           failed      b             ssh-connect; HTTP: timeout (2 of 2 failed)\n");
	free(sweep);
}

static void events_and_incidents(void **state)
{
	char *names[] = { (char *)"web-a", (char *)"web-b" };
	struct event event = { START, "died", "web-a", "signal 9\n\033[2Jhttpd" };
	struct incident incident = {
		.id = "i1", .cause = "refused", .opened_ms = START, .instances = names, .instance_count = 2,
	};
	struct page page;

	(void)state;
	start(&page);
	history_table_event(&page.table, &event);
	history_table_incident(&page.table, &incident);
	incident.closed_ms = START + 7 * MINUTE;
	incident.tried = names;
	incident.tried_count = 2;
	incident.instance_count = 1;
	history_table_incident(&page.table, &incident);
	expect(&page,
	       "2026-11-23  08:45:00           died        web-a         signal 9  [2Jhttpd\n"
	       "2026-11-23  08:45:00           incident    web-a         refused, and 1 more instance; still open\n"
	       "2026-11-23  08:45:00           incident    web-a         refused; tried: web-a, web-b; over after 7 min\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passed_sweeps_are_one_line),
		cmocka_unit_test(a_day_ends_a_line),
		cmocka_unit_test(times_are_the_markets),
		cmocka_unit_test(many_failures_are_counted),
		cmocka_unit_test(both_reasons_are_told),
		cmocka_unit_test(events_and_incidents),
	};

	setenv("TZ", "Europe/London", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
