/* regex_check.c: see regex_check.h. */
#include "config/regex_check.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The C library writes repetitions out: x{1,200} as 200 copies of x, x+ as
 * two.  Nested they multiply, so that a short pattern (even a+++++...) can take
 * all memory there is.  What it would grow to is counted before it may try:
 * `parts` of the group so far, and how many of them are its last atom's, which
 * a repetition multiplies.
 */
struct group {
	long parts;
	long last;
};

static void add_atom(struct group *group, long parts)
{
	group->parts += parts;
	group->last = parts;
}

static void repeat(struct group *group, long times)
{
	group->parts += group->last * (times - 1);
	group->last *= times;
}

/*
 * p at "{": how often the atom before it is written out, with *ret_end at the
 * "}"; 0 where it is no repetition but a plain brace.
 */
static long count_of(const char *p, const char **ret_end)
{
	char *end;
	long least = strtol(p + 1, &end, 10);
	long most = least;

	if (*end == ',' && isdigit((unsigned char)end[1])) {
		most = strtol(end + 1, &end, 10);
	} else if (*end == ',') {
		most = least < REGEX_PARTS_MAX ? least + 1 : least;
		end++;
	}
	if (*end != '}' || end == p + 1)
		return 0;
	*ret_end = end;
	if (most < least)
		most = least;
	if (most < 1)
		return 1;
	/* So that products of two never overflow. */
	return most < REGEX_PARTS_MAX ? most : REGEX_PARTS_MAX + 1;
}

/* p at "[": the "]" that ends the set, or the pattern's last character. */
static const char *skip_set(const char *p)
{
	p++;
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p != '\0' && *p != ']') {
		if (*p == '[' && p[1] != '\0' && strchr(":.=", p[1]) != NULL) {
			const char kind = p[1];

			for (p += 2; *p != '\0' && (*p != kind || p[1] != ']'); p++)
				;
			p += *p != '\0';
		}
		p += *p != '\0';
	}
	return *p == '\0' ? p - 1 : p;
}

/* Returns false when the pattern would grow beyond the bounds. */
static bool is_bounded(const char *pattern)
{
	struct group groups[REGEX_DEPTH_MAX + 1] = { { 0 } };
	size_t depth = 0;
	const char *p;
	long times;

	for (p = pattern; *p != '\0'; p++) {
		struct group *group = &groups[depth];

		switch (*p) {
		case '(':
			if (depth == REGEX_DEPTH_MAX)
				return false;
			groups[++depth] = (struct group){ 0 };
			break;
		case ')':
			if (depth > 0)
				add_atom(&groups[--depth], group->parts + 1);
			else
				add_atom(group, 1);
			break;
		case '+':
			repeat(group, 2);
			break;
		case '{':
			times = count_of(p, &p);
			if (times > 0)
				repeat(group, times);
			else
				add_atom(group, 1);
			break;
		case '[':
			p = skip_set(p);
			add_atom(group, 1);
			break;
		case '*':
		case '?':
			break;
		default:
			p += *p == '\\' && p[1] != '\0';
			add_atom(group, 1);
		}
		if (groups[depth].parts > REGEX_PARTS_MAX)
			return false;
	}
	return true;
}

bool regex_check(const char *pattern, char ret_wrong[REGEX_WRONG_SIZE])
{
	regex_t compiled;
	int r;

	if (strlen(pattern) > REGEX_LENGTH_MAX) {
		snprintf(ret_wrong, REGEX_WRONG_SIZE, "longer than %d characters", REGEX_LENGTH_MAX);
		return false;
	}
	if (!is_bounded(pattern)) {
		snprintf(ret_wrong, REGEX_WRONG_SIZE, "its repetitions multiply to more than %d parts",
			 REGEX_PARTS_MAX);
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
