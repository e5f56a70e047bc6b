/* test_clock.c: the manual clock and the real one; each real one ends with a closed loop. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <cmocka.h>

#define START INT64_C(1795423500000)
#define RINGS_MAX 16

/* What rang, and at what time the clock stood then. */
struct bench {
	struct clock *clock;
	struct alarm *alarms[4];
	struct bell {
		struct bench *bench;
		int number;
	} bells[4];
	int rung[RINGS_MAX];
	int64_t at_ms[RINGS_MAX];
	int count;
	int again;   /* how often alarm 0 sets itself anew */
};

static void ring(void *arg)
{
	struct bell *bell = arg;
	struct bench *b = bell->bench;

	assert_false(alarm_is_set(b->alarms[bell->number]));
	assert_true(b->count < RINGS_MAX);
	b->rung[b->count] = bell->number;
	b->at_ms[b->count++] = clock_utc_ms(b->clock);
	if (bell->number == 0 && b->again > 0) {
		b->again--;
		alarm_set(b->alarms[0], 10);
	}
}

static void start(struct bench *b, struct clock *clock)
{
	int i;

	assert_non_null(clock);
	*b = (struct bench){ .clock = clock };
	for (i = 0; i < 4; i++) {
		b->bells[i] = (struct bell){ b, i };
		b->alarms[i] = alarm_new(clock, ring, &b->bells[i]);
		assert_non_null(b->alarms[i]);
	}
}

static void end(struct bench *b)
{
	int i;

	for (i = 0; i < 4; i++)
		alarm_free(b->alarms[i]);
	clock_free(b->clock);
}

static void a_manual_clock_stands_still(void **state)
{
	struct clock *clock = clock_new_manual(START);

	assert_int_equal(clock_utc_ms(clock), START);
	assert_int_equal(clock_mono_ms(clock), 0);
	clock_advance(clock, 86400000);
	assert_int_equal(clock_utc_ms(clock), START + 86400000);
	assert_int_equal(clock_mono_ms(clock), 86400000);
	clock_jump(clock, -3600000);
	assert_int_equal(clock_utc_ms(clock), START + 82800000);
	assert_int_equal(clock_mono_ms(clock), 86400000);
	clock_free(clock);
}

static void alarms_ring_in_their_order(void **state)
{
	struct bench b;

	start(&b, clock_new_manual(START));
	alarm_set(b.alarms[0], 300);
	alarm_set(b.alarms[1], 100);
	alarm_set(b.alarms[2], 300);
	alarm_set(b.alarms[3], 301);
	assert_int_equal(b.count, 0);
	clock_advance(b.clock, 99);
	assert_int_equal(b.count, 0);
	clock_advance(b.clock, 201);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.rung[0], 1);
	assert_int_equal(b.at_ms[0], START + 100);
	assert_int_equal(b.rung[1], 0);
	assert_int_equal(b.rung[2], 2);
	assert_int_equal(b.at_ms[2], START + 300);
	assert_true(alarm_is_set(b.alarms[3]));
	end(&b);
}

static void an_alarm_may_set_itself_anew(void **state)
{
	struct bench b;

	start(&b, clock_new_manual(START));
	b.again = 3;
	alarm_set(b.alarms[0], 10);
	clock_advance(b.clock, 35);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.at_ms[2], START + 30);
	clock_advance(b.clock, 5);
	assert_int_equal(b.count, 4);
	assert_int_equal(clock_utc_ms(b.clock), START + 40);
	end(&b);
}

static void a_jump_moves_no_alarm(void **state)
{
	struct bench b;

	start(&b, clock_new_manual(START));
	alarm_set(b.alarms[0], 1000);
	clock_jump(b.clock, 5000);
	clock_advance(b.clock, 999);
	assert_int_equal(b.count, 0);
	clock_advance(b.clock, 1);
	assert_int_equal(b.count, 1);
	assert_int_equal(b.at_ms[0], START + 6000);
	end(&b);
}

static void setting_again_forgets(void **state)
{
	struct bench b;

	start(&b, clock_new_manual(START));
	alarm_set(b.alarms[0], 100);
	alarm_set(b.alarms[0], 200);
	alarm_set(b.alarms[1], 100);
	alarm_cancel(b.alarms[1]);
	alarm_cancel(b.alarms[1]);
	assert_false(alarm_is_set(b.alarms[1]));
	clock_advance(b.clock, 150);
	assert_int_equal(b.count, 0);
	clock_advance(b.clock, 50);
	assert_int_equal(b.count, 1);
	end(&b);
}

static void the_longest_delay_never_rings(void **state)
{
	struct bench b;

	start(&b, clock_new_manual(START));
	clock_advance(b.clock, 1000);
	alarm_set(b.alarms[0], UINT64_MAX);
	clock_advance(b.clock, 1000);
	assert_int_equal(b.count, 0);
	end(&b);
}

static void real_alarms_ring(void **state)
{
	struct bench b;
	uv_loop_t loop;
	uint64_t before_ms;

	assert_int_equal(uv_loop_init(&loop), 0);
	start(&b, clock_new_real(&loop));
	before_ms = clock_mono_ms(b.clock);
	alarm_set(b.alarms[1], 20);
	alarm_set(b.alarms[0], 5);
	alarm_set(b.alarms[2], 10);
	alarm_cancel(b.alarms[2]);
	assert_true(alarm_is_set(b.alarms[0]));
	assert_int_equal(b.count, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.rung[0], 0);
	assert_int_equal(b.rung[1], 1);
	assert_true(clock_mono_ms(b.clock) - before_ms >= 20);
	assert_true(clock_utc_ms(b.clock) > INT64_C(1700000000000));
	end(&b);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* The delay counts from alarm_set, not from when the loop last looked at the time. */
static void a_busy_loop_does_not_shorten(void **state)
{
	struct bench b;
	uv_loop_t loop;
	uint64_t set_ms;

	assert_int_equal(uv_loop_init(&loop), 0);
	start(&b, clock_new_real(&loop));
	uv_sleep(60);
	set_ms = clock_mono_ms(b.clock);
	alarm_set(b.alarms[0], 50);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(b.count, 1);
	assert_true(clock_mono_ms(b.clock) - set_ms >= 49);
	end(&b);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_freed_alarm_is_silent(void **state)
{
	struct bench b;
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	start(&b, clock_new_real(&loop));
	alarm_set(b.alarms[0], 0);
	end(&b);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(b.count, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	alarm_free(NULL);
	clock_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manual_clock_stands_still), cmocka_unit_test(alarms_ring_in_their_order),
		cmocka_unit_test(an_alarm_may_set_itself_anew), cmocka_unit_test(a_jump_moves_no_alarm),
		cmocka_unit_test(setting_again_forgets),        cmocka_unit_test(the_longest_delay_never_rings),
		cmocka_unit_test(real_alarms_ring),             cmocka_unit_test(a_busy_loop_does_not_shorten),
		cmocka_unit_test(a_freed_alarm_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
