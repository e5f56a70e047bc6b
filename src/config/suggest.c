/* suggest.c: see suggest.h. */
#define _GNU_SOURCE
#include "config/suggest.h"

#include "base/path.h"
#include "config/schema.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 40

/* What other programs call the same thing. */
static const struct {
	const char *other;
	const char *ours;
} synonyms[] = {
	{ "interval", "every" },      { "period", "every" },       { "frequency", "every" },
	{ "tz", "timezone" },         { "retention", "keep" },     { "password", "password_file" },
	{ "token", "token_file" },    { "minimum", "min" },        { "maximum", "max" },
	{ "desired", "open" },        { "name", "fleet" },         { "root", "site" },
	{ "threshold", "replace_after" }, { "code", "status" },    { "recipients", "to" },
	{ "email", "mail" },          { "bind", "listen" },        { "address", "listen" },
};

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

size_t suggest_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0];
	size_t *above = rows[1];
	size_t *row = rows[2];
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);
	size_t i;
	size_t j;

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return SIZE_MAX;
	for (j = 0; j <= b_length; j++)
		row[j] = before[j] = above[j] = j;
	for (i = 1; i <= a_length; i++) {
		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (j = 1; j <= b_length; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);

			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				row[j] = least(row[j], before[j - 2] + 1, row[j]);
		}
	}
	return row[b_length];
}

size_t suggest_reach(const char *word)
{
	size_t length = strlen(word);

	return length < 3 ? 1 : length < 8 ? 2 : 3;
}

const char *suggest_word(const char *word, const char *const *words, size_t count)
{
	size_t best = suggest_reach(word) + 1;
	const char *found = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		size_t distance = suggest_distance(word, words[i]);

		/* A word that shares nothing is no suggestion, however short both are. */
		if (distance < best && distance < strlen(words[i]) && distance < strlen(word)) {
			best = distance;
			found = words[i];
		}
	}
	return found;
}

/* The names of a section's keys; returns how many. */
static size_t names_in(const char *section, const char *names[SCHEMA_KEYS_MAX])
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < schema_count; i++)
		if (schema_is_in(&schema[i], section))
			names[count++] = schema_name(&schema[i]);
	return count;
}

static const char *nearest_in(const char *section, const char *name)
{
	const char *names[SCHEMA_KEYS_MAX];
	size_t count = names_in(section, names);
	const char *found = suggest_word(name, names, count);
	size_t i;

	for (i = 0; found == NULL && i < sizeof synonyms / sizeof synonyms[0]; i++)
		if (suggest_distance(name, synonyms[i].other) <= 1 && schema_child(section, synonyms[i].ours) != NULL)
			found = synonyms[i].ours;
	return found;
}

/* `, did you mean "monitor.every" or "health.every"?`, or NULL where no section has such a key. */
static int elsewhere(const char *section, const char *name, char **ret_text)
{
	char list[256] = "";
	size_t used = 0;
	size_t i;

	*ret_text = NULL;
	for (i = 0; i < schema_count && used < sizeof list; i++) {
		if (schema_is_in(&schema[i], section) || strcasecmp(schema_name(&schema[i]), name) != 0)
			continue;
		used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", used > 0 ? " or " : "",
					 schema[i].path);
	}
	if (used > 0 && used < sizeof list) {
		*ret_text = path_format(", did you mean %s?", list);
		return *ret_text == NULL ? -1 : 0;
	}
	return 0;
}

char *suggest_key(const char *section, const char *name)
{
	const char *names[SCHEMA_KEYS_MAX];
	size_t count = names_in(section, names);
	const char *near = nearest_in(section, name);
	char list[512] = "";
	size_t used = 0;
	char *text;
	size_t i;

	/* An exact name of another section beats a name that is only near. */
	if (near == NULL || suggest_distance(near, name) > 1) {
		if (elsewhere(section, name, &text) < 0)
			return NULL;
		if (text != NULL)
			return text;
	}
	if (near != NULL)
		return path_format(", did you mean \"%s\"?", near);
	for (i = 0; i < count && used < sizeof list; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", names[i]);
	return path_format(": %s%s%s", section, section[0] != '\0' ? " has " : "the keys here are ", list);
}
