/* test_haproxy_stat.c: what HAProxy 2.6 answers to `show stat`. */
#include "fleet/local/haproxy_stat.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEADER                                                                                                        \
	"# "                                                                                                          \
	"pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight," \
	"act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,"      \
	"rate_max,check_status,check_code,check_duration,hrsp_1xx,\n"
#define ROW(name, queued, sessions, status, check, code)                      \
	"web," name "," queued ",0," sessions ",3,,9,1,2,,0,,0,0,0,0," status \
	",100,1,0,0,0,5,0,,1,3,1,,9,,2,0,,9," check "," code ",0,0,\n"

struct seen {
	struct haproxy_stat list[16];
	size_t count;
};

static void on_stat(void *arg, const struct haproxy_stat *stat)
{
	struct seen *seen = arg;

	assert_in_range(seen->count, 0, 15);
	seen->list[seen->count++] = *stat;
}

static void servers_as_they_come(void **state)
{
	static const char csv[] = HEADER ROW("web-00000001", "0", "0", "UP", "L7OK", "200")
		ROW("web-00000002", "7", "42", "DOWN", "L7STS", "403")
			ROW("web-00000003", "0", "1", "DRAIN", "L4TOUT", "") "\n";
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(haproxy_stat_parse(csv, on_stat, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.list[0].id, "web-00000001");
	assert_int_equal(seen.list[0].mode, HAPROXY_UP);
	assert_string_equal(seen.list[0].check, "L7OK 200");
	assert_string_equal(seen.list[1].id, "web-00000002");
	assert_int_equal(seen.list[1].mode, HAPROXY_DOWN);
	assert_int_equal(seen.list[1].sessions, 42);
	assert_int_equal(seen.list[1].queued, 7);
	assert_string_equal(seen.list[1].check, "L7STS 403");
	assert_int_equal(seen.list[2].mode, HAPROXY_DRAIN);
	assert_string_equal(seen.list[2].check, "L4TOUT");
}

static void each_status(void **state)
{
	static const struct {
		const char *status;
		enum haproxy_mode mode;
	} table[] = {
		{ "UP", HAPROXY_UP },
		{ "UP 1/3", HAPROXY_UP },
		{ "no check", HAPROXY_UP },
		{ "DOWN", HAPROXY_DOWN },
		{ "DOWN 1/2", HAPROXY_DOWN },
		{ "DOWN (agent)", HAPROXY_DOWN },
		{ "NOLB", HAPROXY_DOWN },
		{ "NOLB 1/3", HAPROXY_DOWN },
		{ "MAINT", HAPROXY_MAINT },
		{ "MAINT (via web/x)", HAPROXY_MAINT },
		{ "MAINT (resolution)", HAPROXY_MAINT },
		{ "DRAIN", HAPROXY_DRAIN },
		{ "DRAIN 1/3", HAPROXY_DRAIN },
		{ "DRAIN (agent)", HAPROXY_DRAIN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct seen seen = { 0 };
		char csv[1024];

		snprintf(csv, sizeof csv,
			 "# svname,qcur,scur,status,check_status,check_code,\nweb-1,0,0,%s,L7OK,200,\n\n",
			 table[i].status);
		assert_int_equal(haproxy_stat_parse(csv, on_stat, &seen), 0);
		assert_int_equal(seen.count, 1);
		if (seen.list[0].mode != table[i].mode)
			fail_msg("%s", table[i].status);
	}
}

/* Another version may have more columns, in another order. */
static void columns_go_by_their_names(void **state)
{
	static const char csv[] = "# check_code,new,status,svname,check_status,scur,qcur\n503,x,DOWN,web-1,L7STS,2,1\n";
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(haproxy_stat_parse(csv, on_stat, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.list[0].id, "web-1");
	assert_string_equal(seen.list[0].check, "L7STS 503");
	assert_int_equal(seen.list[0].sessions, 2);
	assert_int_equal(seen.list[0].queued, 1);
}

static void what_is_no_such_table(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"#",
		"# ",
		"Unknown command.\n",
		"pxname,svname\n",
		"# pxname,svname,qcur,scur,status,check_status\n",
		"# svname,qcur,scur,check_status,check_code,\nweb-1,0,0,L7OK,200,\n",
	};
	struct seen seen = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(haproxy_stat_parse(texts[i], on_stat, &seen), -EPROTO);
	assert_int_equal(seen.count, 0);
}

/* An answer that was cut short: no row is made up. */
static void cut_short_anywhere(void **state)
{
	static const char csv[] = HEADER ROW("web-00000001", "1", "2", "UP", "L7OK", "200")
		ROW("web-00000002", "3", "4", "MAINT", "", "") "\n";
	size_t length;

	(void)state;
	for (length = 0; length < sizeof csv; length++) {
		char *part = strndup(csv, length);
		struct seen seen = { 0 };
		size_t i;

		assert_non_null(part);
		if (haproxy_stat_parse(part, on_stat, &seen) == 0) {
			assert_in_range(seen.count, 0, 2);
			for (i = 0; i < seen.count; i++)
				assert_string_equal(seen.list[i].id, i == 0 ? "web-00000001" : "web-00000002");
		}
		free(part);
	}
}

static void names_that_are_too_long_are_not_ours(void **state)
{
	char csv[1024];
	char name[200];
	struct seen seen = { 0 };

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	snprintf(csv, sizeof csv,
		 "# svname,qcur,scur,status,check_status,check_code\n%s,0,0,UP,,\nweb-1,0,0,UP,%s,200\n", name, name);
	assert_int_equal(haproxy_stat_parse(csv, on_stat, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.list[0].id, "web-1");
	assert_in_range(strlen(seen.list[0].check), 10, sizeof seen.list[0].check - 1);
}

static void numbers_that_are_none(void **state)
{
	static const char csv[] = "# svname,qcur,scur,status,check_status,check_code,last\nweb-1,,x,UP,,,\n";
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(haproxy_stat_parse(csv, on_stat, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.list[0].sessions, 0);
	assert_int_equal(seen.list[0].queued, 0);
	assert_string_equal(seen.list[0].check, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_as_they_come),      cmocka_unit_test(each_status),
		cmocka_unit_test(columns_go_by_their_names), cmocka_unit_test(what_is_no_such_table),
		cmocka_unit_test(cut_short_anywhere),        cmocka_unit_test(names_that_are_too_long_are_not_ours),
		cmocka_unit_test(numbers_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
