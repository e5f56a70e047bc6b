/* schema.h: every key of openbell.yaml, in one table that reading, printing and freeing all follow. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEMA_KEYS_MAX 128

/* A word of the file and what it stands for; of several words for one value the first is printed. */
struct schema_word {
	const char *word;
	int value;
};

struct schema_key {
	const char *path;               /* "monitor.http.status" */
	const struct kind *kind;        /* NULL: a section, whose keys follow with its path before theirs */
	size_t offset;                  /* where the value lands in struct config */
	const char *fallback;           /* the default, as it would stand in the file; NULL: zero, or derived */
	int64_t min, max;               /* of numbers, durations (ms) and sizes (bytes); of lists: how many */
	int64_t max_hosts;              /* instead of max with `provider: hosts`, unless 0 */
	const struct schema_word *words;
	bool nullable;                  /* null is a value too */
	size_t count_offset;            /* of lists: where their length lands */
	const char *(*check)(const char *text);   /* of strings: NULL, or what is wrong, as "has a space in it" */
};

extern const struct schema_key schema[];
extern const size_t schema_count;

/* The key at `path`, or NULL. */
const struct schema_key *schema_find(const char *path);

/* The key called `name` in `section` ("" at the top), or NULL. */
const struct schema_key *schema_child(const char *section, const char *name);

/* The last part of a key's path. */
const char *schema_name(const struct schema_key *key);

/* True when `key` stands directly in `section`. */
bool schema_is_in(const struct schema_key *key, const char *section);

#endif
