/* regex_check.c: see regex_check.h. */
#include "config/regex_check.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The C library writes a{1,200} out as 200 copies, and nested ones multiply: a
 * short pattern can take all memory there is.  The product of all counts
 * bounds what it will do.
 */
static bool repeats_too_much(const char *pattern)
{
	long copies = 1;
	const char *p;

	for (p = strchr(pattern, '{'); p != NULL; p = strchr(p + 1, '{')) {
		const char *end = p + 1 + strspn(p + 1, "0123456789,");
		const char *comma = memchr(p, ',', (size_t)(end - p));
		long least = strtol(p + 1, NULL, 10);
		long most = comma != NULL && isdigit((unsigned char)comma[1]) ? strtol(comma + 1, NULL, 10) : least;

		if (least > most)
			most = least;
		if (most > REGEX_COPIES_MAX)
			return true;
		if (most > 1)
			copies *= most;
		if (copies > REGEX_COPIES_MAX)
			return true;
	}
	return false;
}

bool regex_check(const char *pattern, char ret_wrong[REGEX_WRONG_SIZE])
{
	regex_t compiled;
	int r;

	if (strlen(pattern) > REGEX_LENGTH_MAX) {
		snprintf(ret_wrong, REGEX_WRONG_SIZE, "longer than %d characters", REGEX_LENGTH_MAX);
		return false;
	}
	if (repeats_too_much(pattern)) {
		snprintf(ret_wrong, REGEX_WRONG_SIZE, "its {counts} multiply to more than %d", REGEX_COPIES_MAX);
		return false;
	}
	r = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
	if (r != 0) {
		regerror(r, &compiled, ret_wrong, REGEX_WRONG_SIZE);
		return false;
	}
	regfree(&compiled);
	return true;
}
