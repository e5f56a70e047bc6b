/* units.h: durations, sizes and instants as people write them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * "250ms", "5s", "1m", "2h", "400d", and sums of falling units ("1m30s",
 * "1h 30m"); a decimal fraction is allowed ("0.5s").  No unit is an error,
 * except for "0".  Returns 0, or -EINVAL (not a duration) or -ERANGE (more
 * than 100 years), with *ret_ms untouched.
 */
int units_parse_duration(const char *text, int64_t *ret_ms);

/* The shortest exact spelling: 90000 is "1m30s", 60000 "1m", 0 "0s". */
void units_format_duration(int64_t ms, char *ret_text, size_t size);

/* About, for people: "0.4 s", "12 s", "3 min", "2 h 5 min", "4 d 3 h". */
void units_format_elapsed(int64_t ms, char *ret_text, size_t size);

/*
 * "512", "64K", "2G", "1.5M" (powers of 1,024; an optional "B" or "iB"
 * behind the letter).  Returns 0, -EINVAL or -ERANGE.
 */
int units_parse_size(const char *text, int64_t *ret_bytes);
void units_format_size(int64_t bytes, char *ret_text, size_t size);

/* "50%", "12.5 %" or "0.5": per mille in *ret_permille, 0 to 1000. */
int units_parse_percent(const char *text, int *ret_permille);

/*
 * RFC 3339 in UTC: "2026-11-23T08:45:00Z", or with milliseconds
 * "2026-11-23T08:45:00.123Z".  `size` of 32 is always enough.
 */
void units_format_utc(int64_t utc_ms, char *ret_text, size_t size);
void units_format_utc_ms(int64_t utc_ms, char *ret_text, size_t size);

/*
 * An RFC 3339 instant with Z or a numeric offset, a date alone (its midnight
 * UTC).  Returns 0 or -EINVAL.
 */
int units_parse_utc(const char *text, int64_t *ret_utc_ms);

#endif
