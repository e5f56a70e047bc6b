/* test_ladder.c: what to do about an instance that fails; the whole table. */
#include "watch/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define YES true
#define NO false

/* The first failure in a row of a fleet of four whose others are well, unless a row says otherwise. */
static void each_row(void **state)
{
	static const struct {
		const char *name;
		struct ladder_facts facts;
		enum ladder_action action;
	} table[] = {
		/* kind, failures, restarts, may_restart, replace_after, fleet, failing, replacing, brake, connected */
		{ "well", { LADDER_WELL, 0, 0, YES, 3, 4, 0, 0, 500, 1 }, LADDER_NONE },
		{ "well, whatever was", { LADDER_WELL, 9, 9, YES, 3, 4, 4, 1, 500, 0 }, LADDER_NONE },

		{ "dead", { LADDER_DEAD, 1, 0, YES, 3, 4, 1, 0, 500, 1 }, LADDER_RESTART },
		{ "dead again", { LADDER_DEAD, 2, 1, YES, 3, 4, 1, 0, 500, 1 }, LADDER_RESTART },
		{ "dead too often", { LADDER_DEAD, 3, 2, YES, 3, 4, 1, 0, 500, 1 }, LADDER_REPLACE },
		{ "dead, not to be restarted", { LADDER_DEAD, 1, 0, NO, 3, 4, 1, 0, 500, 1 }, LADDER_REPLACE },
		{ "dead, replaced at once", { LADDER_DEAD, 1, 0, YES, 1, 4, 1, 0, 500, 1 }, LADDER_REPLACE },
		{ "all dead", { LADDER_DEAD, 1, 0, YES, 3, 4, 4, 0, 500, -1 }, LADDER_RESTART },
		{ "all dead too often: seen, no checker's mistake",
		  { LADDER_DEAD, 3, 2, YES, 3, 4, 4, 2, 500, 0 },
		  LADDER_REPLACE },

		{ "silent", { LADDER_SILENT, 1, 0, YES, 3, 4, 1, 0, 500, -1 }, LADDER_RESTART },
		{ "silent again", { LADDER_SILENT, 2, 1, YES, 3, 4, 1, 0, 500, -1 }, LADDER_RESTART },
		{ "silent, not to be restarted", { LADDER_SILENT, 1, 0, NO, 3, 4, 1, 0, 500, -1 }, LADDER_RECHECK },
		{ "silent too often", { LADDER_SILENT, 3, 2, YES, 3, 4, 1, 0, 500, -1 }, LADDER_REPLACE },
		{ "silent too often, never restarted",
		  { LADDER_SILENT, 3, 0, NO, 3, 4, 1, 0, 500, -1 },
		  LADDER_REPLACE },
		{ "half silent", { LADDER_SILENT, 3, 2, YES, 3, 4, 2, 0, 500, -1 }, LADDER_REPLACE },
		{ "more than half silent", { LADDER_SILENT, 3, 2, YES, 3, 4, 3, 0, 500, -1 }, LADDER_BRAKE },
		{ "more than half, cut off", { LADDER_SILENT, 3, 2, YES, 3, 4, 3, 0, 500, 0 }, LADDER_BRAKE },
		{ "more than half, known connected", { LADDER_SILENT, 3, 2, YES, 3, 4, 3, 0, 500, 1 }, LADDER_REPLACE },
		{ "more than half, one by one", { LADDER_SILENT, 3, 2, YES, 3, 4, 3, 1, 500, 1 }, LADDER_BRAKE },

		{ "wrong", { LADDER_WRONG, 1, 0, YES, 3, 4, 1, 0, 500, 1 }, LADDER_RECHECK },
		{ "wrong again", { LADDER_WRONG, 2, 0, YES, 3, 4, 1, 0, 500, 1 }, LADDER_RESTART },
		{ "wrong after a restart", { LADDER_WRONG, 2, 1, YES, 3, 4, 1, 0, 500, 1 }, LADDER_RECHECK },
		{ "wrong again, not to be restarted", { LADDER_WRONG, 2, 0, NO, 3, 4, 1, 0, 500, 1 }, LADDER_RECHECK },
		{ "all wrong: the content, which no restart mends",
		  { LADDER_WRONG, 2, 0, YES, 3, 4, 4, 0, 500, 1 },
		  LADDER_RECHECK },
		{ "wrong too often", { LADDER_WRONG, 3, 1, YES, 3, 4, 1, 0, 500, 1 }, LADDER_REPLACE },
		{ "all wrong too often", { LADDER_WRONG, 3, 0, YES, 3, 4, 4, 0, 500, -1 }, LADDER_BRAKE },

		{ "cut off", { LADDER_CUT_OFF, 1, 0, YES, 3, 4, 1, 0, 500, -1 }, LADDER_RECHECK },
		{ "cut off, no restart helps", { LADDER_CUT_OFF, 2, 0, YES, 3, 4, 1, 0, 500, -1 }, LADDER_RECHECK },
		{ "cut off too often", { LADDER_CUT_OFF, 3, 0, YES, 3, 4, 1, 0, 500, -1 }, LADDER_REPLACE },
		{ "all cut off", { LADDER_CUT_OFF, 3, 0, YES, 3, 4, 4, 0, 500, 0 }, LADDER_BRAKE },

		{ "a fleet of one is not braked", { LADDER_SILENT, 3, 2, YES, 3, 1, 1, 0, 500, 0 }, LADDER_REPLACE },
		{ "one of two is half", { LADDER_SILENT, 3, 2, YES, 3, 2, 1, 0, 500, 0 }, LADDER_REPLACE },
		{ "two of two", { LADDER_SILENT, 3, 2, YES, 3, 2, 2, 0, 500, 0 }, LADDER_BRAKE },
		{ "brake: 0%", { LADDER_SILENT, 3, 2, YES, 3, 4, 1, 0, 0, 0 }, LADDER_BRAKE },
		{ "brake: 100%", { LADDER_SILENT, 3, 2, YES, 3, 4, 4, 0, 1000, 0 }, LADDER_REPLACE },
		{ "brake: 33.3% of 3", { LADDER_SILENT, 3, 2, YES, 3, 3, 1, 0, 333, 0 }, LADDER_BRAKE },
		{ "brake: 33.4% of 3", { LADDER_SILENT, 3, 2, YES, 3, 3, 1, 0, 334, 0 }, LADDER_REPLACE },
		{ "a large fleet", { LADDER_SILENT, 3, 2, YES, 3, 4000000, 2000001, 0, 500, 0 }, LADDER_BRAKE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		enum ladder_action action = ladder_step(&table[i].facts);

		if (action != table[i].action)
			fail_msg("%s: action %d, not %d", table[i].name, (int)action, (int)table[i].action);
	}
}

static void check_rules(const struct ladder_facts *facts)
{
	enum ladder_action action = ladder_step(facts);
	bool braked = facts->fleet >= 2 && facts->failing * 1000 > facts->fleet * facts->brake_permille;

	if (facts->kind == LADDER_WELL)
		assert_int_equal(action, LADDER_NONE);
	else
		assert_int_not_equal(action, LADDER_NONE);
	if (!facts->may_restart)
		assert_int_not_equal(action, LADDER_RESTART);
	if (facts->failures >= facts->replace_after)
		assert_true(action == LADDER_NONE || action == LADDER_REPLACE || action == LADDER_BRAKE);
	if (!braked || facts->failures < facts->replace_after)
		assert_int_not_equal(action, LADDER_BRAKE);
	/* Nothing that may be the checker's own fault is replaced in a hurry. */
	if (action == LADDER_REPLACE && braked && facts->kind != LADDER_DEAD)
		assert_true(facts->connected == 1 && facts->replacing == 0);
	if (facts->kind == LADDER_CUT_OFF)
		assert_int_not_equal(action, LADDER_RESTART);
	/* Waiting for the next sweep must not be for ever. */
	if (action == LADDER_RECHECK)
		assert_true(facts->failures < facts->replace_after);
}

static void rules_hold_for_everything(void **state)
{
	struct ladder_facts facts;
	unsigned count = 0;

	(void)state;
	for (int kind = 0; kind < LADDER_KIND_COUNT; kind++)
		for (unsigned failures = 1; failures <= 4; failures++)
			for (unsigned restarts = 0; restarts <= 2; restarts++)
				for (unsigned rest = 0; rest < 2 * 3 * 3 * 2 * 3; rest++)
					for (unsigned fleet = 1; fleet <= 4; fleet++)
						for (unsigned failing = 1; failing <= fleet; failing++) {
							facts = (struct ladder_facts){
								.kind = (enum ladder_kind)kind,
								.failures = failures,
								.restarts = restarts,
								.may_restart = rest % 2 == 0,
								.replace_after = 1 + rest / 2 % 3,
								.connected = (int)(rest / 6 % 3) - 1,
								.replacing = rest / 18 % 2,
								.brake_permille = rest / 36 % 3 * 500,
								.fleet = fleet,
								.failing = failing,
							};
							check_rules(&facts);
							count++;
						}
	assert_int_equal(count, LADDER_KIND_COUNT * 4 * 3 * 108 * 10);
}

static void each_reason_has_its_kind(void **state)
{
	static const enum ladder_kind kinds[REASON_COUNT] = {
		[REASON_OK] = LADDER_WELL,
		[REASON_REFUSED] = LADDER_SILENT,
		[REASON_TIMEOUT] = LADDER_SILENT,
		[REASON_RESET] = LADDER_SILENT,
		[REASON_UNREACHABLE] = LADDER_CUT_OFF,
		[REASON_TLS] = LADDER_WRONG,
		[REASON_CERTIFICATE] = LADDER_WRONG,
		[REASON_PROTOCOL] = LADDER_SILENT,
		[REASON_STATUS] = LADDER_WRONG,
		[REASON_BODY] = LADDER_WRONG,
		[REASON_HEADER] = LADDER_WRONG,
		[REASON_TOO_LARGE] = LADDER_WRONG,
		[REASON_DNS] = LADDER_CUT_OFF,
		[REASON_GONE] = LADDER_WRONG,
		[REASON_SSH_CONNECT] = LADDER_CUT_OFF,
		[REASON_SSH_HOSTKEY] = LADDER_CUT_OFF,
		[REASON_SSH_AUTH] = LADDER_CUT_OFF,
		[REASON_SSH_COMMAND] = LADDER_CUT_OFF,
		[REASON_SSH_TIMEOUT] = LADDER_CUT_OFF,
		[REASON_SERVICE_DOWN] = LADDER_SILENT,
	};

	(void)state;
	for (int reason = 0; reason < REASON_COUNT; reason++)
		if (ladder_kind_of((enum reason)reason) != kinds[reason])
			fail_msg("%s", reason_name((enum reason)reason));
}

static void pauses_grow_to_half_a_minute(void **state)
{
	static const unsigned pauses_ms[] = { 0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	unsigned deaths;

	(void)state;
	for (deaths = 0; deaths < sizeof pauses_ms / sizeof pauses_ms[0]; deaths++)
		assert_int_equal(ladder_backoff_ms(deaths), pauses_ms[deaths]);
	assert_int_equal(ladder_backoff_ms(1000), 30000);
	assert_int_equal(ladder_backoff_ms(UINT32_MAX), 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(rules_hold_for_everything),
		cmocka_unit_test(each_reason_has_its_kind),
		cmocka_unit_test(pauses_grow_to_half_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
