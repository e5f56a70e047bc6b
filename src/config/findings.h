/* findings.h: what is wrong with a file, gathered in one pass and told in the order of its lines. */
#ifndef CONFIG_FINDINGS_H
#define CONFIG_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

struct config_findings;

/* More than this many lines help nobody; what is beyond is counted only. */
#define FINDINGS_MAX 100

/* Where a token starts, both from 1 (columns count characters).  Line 0: the file as a whole. */
struct mark {
	size_t line;
	size_t column;
};

struct finding {
	struct mark at;
	size_t sequence;   /* keeps findings of one place in the order they were made */
	bool warning;
	char *text;
};

/* `name` is the file as the user knows it, not copied. */
struct findings {
	const char *name;
	struct finding list[FINDINGS_MAX];
	size_t count;
	size_t errors;     /* all of them, kept or not */
	size_t left_out;
	bool no_memory;
};

void findings_start(struct findings *findings, const char *name);

/* One line about `at`, without the file's name. */
void finding_error(struct findings *findings, struct mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_warning(struct findings *findings, struct mark at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* False when another error would be counted only, so that its words need not be found. */
bool findings_room(const struct findings *findings);

/* Hand the lines over, sorted, and free the rest.  Returns 0, or -ENOMEM with *ret empty. */
int findings_finish(struct findings *findings, struct config_findings *ret);

/*
 * A value of the file as it may stand in a message: at most 60 bytes, without
 * what could steer a terminal.  Use as quote(text).text inside one call.
 */
struct quoted {
	char text[80];
};
struct quoted quote(const char *text);

#endif
