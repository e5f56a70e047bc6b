/* failure.c: see failure.h. */
#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, int error, const char *format, ...)
{
	va_list args;

	if (failure != NULL) {
		failure->service[0] = '\0';
		failure->code[0] = '\0';
		va_start(args, format);
		vsnprintf(failure->message, sizeof failure->message, format, args);
		va_end(args);
	}
	return -error;
}
