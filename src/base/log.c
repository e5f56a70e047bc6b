/* log.c: see log.h. */
#define _GNU_SOURCE
#include "base/log.h"

#include "base/units.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static enum log_level log_level = LOG_NORMAL;
static bool log_stamped;
static bool log_coloured;

void log_start(enum log_level level, bool stamped)
{
	const char *no_colour = getenv("NO_COLOR");

	log_level = level;
	log_stamped = stamped;
	log_coloured = isatty(STDERR_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
}

/* One write a line, so that lines of several threads or processes never mix. */
static void write_line(const char *mark, const char *colour, const char *format, va_list args)
{
	char stamp[40] = "";
	char text[LINE_MAX_BYTES];
	char line[LINE_MAX_BYTES + 96];
	int length;

	if (log_stamped) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		units_format_utc_ms((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, stamp, sizeof stamp - 1);
		snprintf(stamp + 24, sizeof stamp - 24, " ");
	}
	vsnprintf(text, sizeof text, format, args);
	length = snprintf(line, sizeof line, "%s%s%s%s%s\n", stamp, log_coloured ? colour : "", mark,
			  log_coloured && colour[0] != '\0' ? "\033[0m" : "", text);
	if (length > (int)sizeof line - 1) {
		length = (int)sizeof line - 1;
		line[length - 1] = '\n';
	}
	/* A log that can't be written has nobody to tell. */
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}

void log_info(const char *format, ...)
{
	va_list args;

	if (log_level < LOG_NORMAL)
		return;
	va_start(args, format);
	write_line("", "", format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	if (log_level < LOG_WARNINGS)
		return;
	va_start(args, format);
	write_line("warning: ", "\033[33m", format, args);
	va_end(args);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("error: ", "\033[31m", format, args);
	va_end(args);
}
