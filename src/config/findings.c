/* findings.c: see findings.h. */
#define _GNU_SOURCE
#include "config/findings.h"

#include "base/path.h"
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED_MAX 60

void findings_start(struct findings *findings, const char *name)
{
	memset(findings, 0, sizeof *findings);
	findings->name = name;
}

bool findings_room(const struct findings *findings)
{
	return findings->count < FINDINGS_MAX;
}

static void add(struct findings *findings, struct mark at, bool warning, const char *format, va_list args)
{
	struct finding *finding = &findings->list[findings->count];
	char *text;

	if (!warning)
		findings->errors++;
	if (!findings_room(findings)) {
		findings->left_out += !warning;
		return;
	}
	if (vasprintf(&text, format, args) < 0) {
		findings->no_memory = true;
		return;
	}
	*finding = (struct finding){ .at = at, .sequence = findings->count, .warning = warning, .text = text };
	findings->count++;
}

void finding_error(struct findings *findings, struct mark at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, at, false, format, args);
	va_end(args);
}

void finding_warning(struct findings *findings, struct mark at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, at, true, format, args);
	va_end(args);
}

static int compare(const void *a, const void *b)
{
	const struct finding *x = a;
	const struct finding *y = b;

	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static char *line_of(const struct findings *findings, const struct finding *finding)
{
	if (finding->at.line == 0)
		return path_format("%s: %s", findings->name, finding->text);
	return path_format("%s:%zu:%zu: %s", findings->name, finding->at.line, finding->at.column, finding->text);
}

/* Move the text of one finding into the list it belongs to. */
static int hand_over(struct config_findings *ret, bool warning, char *line)
{
	if (line == NULL)
		return -ENOMEM;
	if (warning)
		ret->warnings[ret->warning_count++] = line;
	else
		ret->lines[ret->count++] = line;
	return 0;
}

int findings_finish(struct findings *findings, struct config_findings *ret)
{
	size_t i;
	int r = findings->no_memory ? -ENOMEM : 0;

	memset(ret, 0, sizeof *ret);
	ret->lines = calloc(FINDINGS_MAX + 1, sizeof *ret->lines);
	ret->warnings = calloc(FINDINGS_MAX, sizeof *ret->warnings);
	if (ret->lines == NULL || ret->warnings == NULL)
		r = -ENOMEM;
	qsort(findings->list, findings->count, sizeof findings->list[0], compare);
	for (i = 0; i < findings->count; i++) {
		if (r == 0)
			r = hand_over(ret, findings->list[i].warning, line_of(findings, &findings->list[i]));
		free(findings->list[i].text);
	}
	findings->count = 0;
	if (r == 0 && findings->left_out > 0)
		r = hand_over(ret, false, path_format("%s: and %zu more", findings->name, findings->left_out));
	if (r < 0)
		config_findings_free(ret);
	return r;
}

void config_findings_free(struct config_findings *findings)
{
	size_t i;

	if (findings == NULL)
		return;
	for (i = 0; i < findings->count; i++)
		free(findings->lines[i]);
	for (i = 0; i < findings->warning_count; i++)
		free(findings->warnings[i]);
	free(findings->lines);
	free(findings->warnings);
	memset(findings, 0, sizeof *findings);
}

struct quoted quote(const char *text)
{
	struct quoted out;
	size_t length = strlen(text);
	size_t used = 0;
	size_t i;

	if (length > QUOTED_MAX) {
		length = QUOTED_MAX;
		/* Not in the middle of a character. */
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	out.text[used++] = '"';
	for (i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		/* U+0080 to U+009F are controls too. */
		if (byte == 0xc2 && (unsigned char)text[i + 1] < 0xa0) {
			out.text[used++] = '?';
			i++;
		} else {
			out.text[used++] = byte < 0x20 || byte == 0x7f ? '?' : text[i];
		}
	}
	snprintf(out.text + used, sizeof out.text - used, "%s\"", text[length] != '\0' ? "..." : "");
	return out;
}
