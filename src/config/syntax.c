/* syntax.c: see syntax.h. */
#define _GNU_SOURCE
#include "config/syntax.h"

#include "config/findings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* The length of the character at p, 0 when it isn't UTF-8 (RFC 3629: shortest form, no surrogates). */
static size_t character_length(const unsigned char *p, size_t left)
{
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	size_t i;

	if (length == 0 || length > left)
		return 0;
	for (i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

/* What YAML's reader refuses: C0 and C1 controls (but for tab, newlines and NEL), U+FFFE and U+FFFF. */
static bool is_control(const unsigned char *p, size_t length)
{
	if (length == 1)
		return (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r') || p[0] == 0x7f;
	if (length == 2)
		return p[0] == 0xc2 && p[1] < 0xa0 && p[1] != 0x85;
	return length == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
}

bool syntax_check_text(const char **text, size_t *length, struct findings *findings)
{
	const unsigned char *p;
	const unsigned char *end;
	struct mark at = { .line = 1, .column = 1 };

	if (*length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*length -= 3;
	}
	p = (const unsigned char *)*text;
	end = p + *length;
	while (p < end) {
		size_t n = character_length(p, (size_t)(end - p));

		if (n == 0) {
			finding_error(findings, at, "byte 0x%02x is not UTF-8 text", p[0]);
			return false;
		}
		if (is_control(p, n)) {
			finding_error(findings, at, "a control character can't be here");
			return false;
		}
		if (*p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'))) {
			at.line++;
			at.column = 0;
		}
		at.column++;
		p += n;
	}
	return true;
}

/* Does line `line` (from 0) hold the needle?  For a hint about what was meant. */
static bool line_contains(const char *text, size_t length, size_t line, const char *needle)
{
	const char *p = text;
	const char *end = text + length;
	const char *newline;

	for (; line > 0; line--) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			return false;
		p = newline + 1;
	}
	newline = memchr(p, '\n', (size_t)(end - p));
	if (newline != NULL)
		end = newline;
	return memmem(p, (size_t)(end - p), needle, strlen(needle)) != NULL;
}

/* The character the parser stopped at; NUL at the end. */
static char character_at(const char *text, size_t length, const yaml_mark_t *mark)
{
	const char *p = text;
	const char *end = text + length;
	size_t i;

	/* libyaml's index counts characters, not bytes. */
	for (i = 0; i < mark->index && p < end; i++)
		p += character_length((const unsigned char *)p, (size_t)(end - p));
	return p < end ? *p : '\0';
}

struct explanation {
	const char *context;   /* within libyaml's context, "" any */
	const char *problem;   /* within its problem */
	bool where_opened;     /* the context's mark, where the unfinished thing starts, is the place to look at */
	const char *words;
};

static const struct explanation explanations[] = {
	{ "", "tab", false, "a tab can't indent YAML: use spaces" },
	{ "quoted scalar", "end of stream", true, "the quote that opens here is never closed" },
	{ "quoted scalar", "document indicator", true, "the quote that opens here is never closed" },
	{ "quoted scalar", "escape", false,
	  "an unknown escape inside double quotes: write \\\\ for a backslash, or use single quotes" },
	{ "quoted scalar", "hexdecimal", false, "this escape needs hexadecimal digits" },
	{ "flow sequence", "',' or ']'", true, "the list that opens here with \"[\" is never closed" },
	{ "flow mapping", "',' or '}'", true, "the mapping that opens here with \"{\" is never closed" },
	{ "alias", "alphabetic", true, "a value that starts with \"*\" needs quotes, as in \"*:8080\"" },
	{ "anchor", "alphabetic", true, "a value that starts with \"&\" needs quotes" },
	{ "", "mapping values are not allowed", false,
	  "\": \" can't be here: look at the line above and the indentation, and quote a value that holds a colon" },
	{ "", "sequence entries are not allowed", false,
	  "\"- \" can't be here: start a list on a line of its own, indented below its key" },
	{ "", "mapping keys are not allowed", false,
	  "\"? \" can't be here: a value that starts with \"?\" needs quotes" },
	{ "simple key", "could not find expected ':'", false, "a \":\" is missing after the key on the line above" },
	{ "block mapping", "did not find expected key", false,
	  "expected a key here: is this line indented as its neighbours, or does a value before it need quotes?" },
	{ "block collection", "did not find expected '-'", false, "expected \"- \" here, as the items above have it" },
	{ "", "expected node content", false,
	  "expected a value here: one that starts with this character needs quotes" },
	{ "", "expected <document start>", false, "text after the end (\"...\") of the configuration" },
	{ "", "incompatible YAML document", false, "only YAML 1.1 and 1.2 are understood" },
};

static const char *explain(const yaml_parser_t *parser, char stopped_at, bool *ret_where_opened)
{
	const char *context = parser->context != NULL ? parser->context : "";
	const char *problem = parser->problem != NULL ? parser->problem : "";
	size_t i;

	*ret_where_opened = false;
	if (strstr(problem, "cannot start any token") != NULL)
		return stopped_at == '\t' ? explanations[0].words : NULL;
	for (i = 0; i < sizeof explanations / sizeof explanations[0]; i++) {
		if (strstr(context, explanations[i].context) == NULL ||
		    strstr(problem, explanations[i].problem) == NULL)
			continue;
		*ret_where_opened = explanations[i].where_opened;
		return explanations[i].words;
	}
	return NULL;
}

void syntax_explain(const yaml_parser_t *parser, const char *text, size_t length, struct findings *findings)
{
	char stopped_at = character_at(text, length, &parser->problem_mark);
	bool where_opened;
	const char *words = explain(parser, stopped_at, &where_opened);
	const yaml_mark_t *mark = where_opened ? &parser->context_mark : &parser->problem_mark;
	struct mark at = { .line = mark->line + 1, .column = mark->column + 1 };
	const char *problem = parser->problem != NULL ? parser->problem : "it can't be read";

	if (parser->error == YAML_PARSER_ERROR && line_contains(text, length, mark->line, "]:"))
		words = "an IPv6 address needs quotes, as in \"[::1]:8080\"";
	if (words != NULL)
		finding_error(findings, at, "%s", words);
	else if (strstr(problem, "cannot start any token") != NULL && isprint((unsigned char)stopped_at))
		finding_error(findings, at, "a value that starts with \"%c\" needs quotes", stopped_at);
	else
		finding_error(findings, at, "this isn't YAML: %s", problem);
}
