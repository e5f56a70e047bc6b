/* clock.c: see clock.h. */
#define _GNU_SOURCE
#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

/*
 * Real clock:   loop set; each alarm owns a uv_timer that is freed by its
 *               close callback.
 * Manual clock: loop NULL; alarms that are set stand in `due`, soonest first.
 */
struct clock {
	uv_loop_t *loop;
	int64_t utc_ms;
	uint64_t mono_ms;
	struct alarm *due;
};

struct alarm {
	struct clock *clock;
	alarm_cb *cb;
	void *arg;
	bool set;
	uint64_t at_ms;
	struct alarm *next;
	uv_timer_t timer;
};

int64_t clock_utc_ms(const struct clock *clock)
{
	struct timespec now;

	if (clock->loop == NULL)
		return clock->utc_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_mono_ms(const struct clock *clock)
{
	if (clock->loop == NULL)
		return clock->mono_ms;
	return uv_hrtime() / 1000000;
}

uint64_t clock_mono_us(const struct clock *clock)
{
	if (clock->loop == NULL)
		return clock->mono_ms * 1000;
	return uv_hrtime() / 1000;
}

struct clock *clock_new_real(uv_loop_t *loop)
{
	struct clock *clock = calloc(1, sizeof *clock);

	if (clock != NULL)
		clock->loop = loop;
	return clock;
}

struct clock *clock_new_manual(int64_t utc_ms)
{
	struct clock *clock = calloc(1, sizeof *clock);

	if (clock != NULL)
		clock->utc_ms = utc_ms;
	return clock;
}

void clock_free(struct clock *clock)
{
	if (clock != NULL)
		assert(clock->due == NULL);
	free(clock);
}

static void manual_remove(struct alarm *alarm)
{
	struct alarm **link = &alarm->clock->due;

	while (*link != NULL && *link != alarm)
		link = &(*link)->next;
	if (*link != NULL)
		*link = alarm->next;
}

/* Behind the alarms of the same time: first set, first rung. */
static void manual_insert(struct alarm *alarm)
{
	struct alarm **link = &alarm->clock->due;

	while (*link != NULL && (*link)->at_ms <= alarm->at_ms)
		link = &(*link)->next;
	alarm->next = *link;
	*link = alarm;
}

void clock_advance(struct clock *clock, uint64_t ms)
{
	uint64_t end_ms = clock->mono_ms + ms;

	assert(clock->loop == NULL);
	while (clock->due != NULL && clock->due->at_ms <= end_ms) {
		struct alarm *alarm = clock->due;

		clock->due = alarm->next;
		clock->utc_ms += (int64_t)(alarm->at_ms - clock->mono_ms);
		clock->mono_ms = alarm->at_ms;
		alarm->set = false;
		alarm->cb(alarm->arg);
	}
	clock->utc_ms += (int64_t)(end_ms - clock->mono_ms);
	clock->mono_ms = end_ms;
}

void clock_jump(struct clock *clock, int64_t ms)
{
	assert(clock->loop == NULL);
	clock->utc_ms += ms;
}

struct alarm *alarm_new(struct clock *clock, alarm_cb *cb, void *arg)
{
	struct alarm *alarm = calloc(1, sizeof *alarm);

	if (alarm == NULL)
		return NULL;
	alarm->clock = clock;
	alarm->cb = cb;
	alarm->arg = arg;
	if (clock->loop != NULL) {
		uv_timer_init(clock->loop, &alarm->timer);
		alarm->timer.data = alarm;
	}
	return alarm;
}

static void on_timer(uv_timer_t *timer)
{
	struct alarm *alarm = timer->data;

	alarm->set = false;
	alarm->cb(alarm->arg);
}

void alarm_set(struct alarm *alarm, uint64_t delay_ms)
{
	struct clock *clock = alarm->clock;

	alarm_cancel(alarm);
	alarm->set = true;
	if (clock->loop != NULL) {
		/* The loop's idea of now is as old as its last turn; a delay counts from here. */
		uv_update_time(clock->loop);
		uv_timer_start(&alarm->timer, on_timer, delay_ms, 0);
		return;
	}
	alarm->at_ms = delay_ms > UINT64_MAX - clock->mono_ms ? UINT64_MAX : clock->mono_ms + delay_ms;
	manual_insert(alarm);
}

void alarm_cancel(struct alarm *alarm)
{
	if (!alarm->set)
		return;
	alarm->set = false;
	if (alarm->clock->loop != NULL)
		uv_timer_stop(&alarm->timer);
	else
		manual_remove(alarm);
}

bool alarm_is_set(const struct alarm *alarm)
{
	return alarm->set;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void alarm_free(struct alarm *alarm)
{
	if (alarm == NULL)
		return;
	alarm_cancel(alarm);
	if (alarm->clock->loop != NULL)
		uv_close((uv_handle_t *)&alarm->timer, on_closed);
	else
		free(alarm);
}
