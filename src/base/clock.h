/*
 * clock.h: time, so that a test can live a whole market year in a second.
 *
 * Whatever waits or looks at the time asks a struct clock.  The real one
 * stands on a libuv loop; the manual one (for tests) moves only when told to.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct alarm;
struct uv_loop_s;

typedef void alarm_cb(void *arg);

/* Milliseconds since 1970 UTC; may jump when somebody sets the machine's clock. */
int64_t clock_utc_ms(const struct clock *clock);

/* Milliseconds that only ever grow; for distances. */
uint64_t clock_mono_ms(const struct clock *clock);
uint64_t clock_mono_us(const struct clock *clock);

/* The real clock on `loop`, which must outlive it.  NULL: no memory. */
struct clock *clock_new_real(struct uv_loop_s *loop);

/* A clock that stands at utc_ms until it is moved. */
struct clock *clock_new_manual(int64_t utc_ms);

/*
 * Move a manual clock on by `ms`: alarms that come due run in order of their
 * time, each seeing its own time as now.
 */
void clock_advance(struct clock *clock, uint64_t ms);

/* What NTP or a person does to a clock: UTC jumps, the monotonic time does not. */
void clock_jump(struct clock *clock, int64_t ms);

/* Every alarm on it must have been freed. */
void clock_free(struct clock *clock);

/*
 * An alarm that rings once per alarm_set; `cb(arg)` runs from the loop (from
 * clock_advance on a manual clock), never from alarm_set.  NULL: no memory.
 */
struct alarm *alarm_new(struct clock *clock, alarm_cb *cb, void *arg);

/* Ring delay_ms from now; a time that was set before is forgotten. */
void alarm_set(struct alarm *alarm, uint64_t delay_ms);
void alarm_cancel(struct alarm *alarm);
bool alarm_is_set(const struct alarm *alarm);

/* The callback will not run any more.  NULL is fine. */
void alarm_free(struct alarm *alarm);

#endif
