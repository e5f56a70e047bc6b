/* log.h: the program's own log, on standard error.  Library code does not log; programs do. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_QUIET, LOG_WARNINGS, LOG_NORMAL };

/*
 * `stamped` puts the time (RFC 3339, UTC) before each line: for a controller
 * whose log is kept.  Colour is used when standard error is a terminal and
 * NO_COLOR is not set.
 */
void log_start(enum log_level level, bool stamped);

/* One line each; a newline is added.  log_error shows in every level. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
