/* kind.h: what a value can be: a number, a duration, a path, ...; each reads, shows and frees its own. */
#ifndef CONFIG_KIND_H
#define CONFIG_KIND_H

#include <jansson.h>
#include <stdbool.h>

struct config;
struct node;
struct reader;
struct schema_key;

struct kind {
	const char *expected;   /* "a whole number", for messages */

	/*
	 * Take the value of `node` (never null, never broken) into `field`, which
	 * holds zeroes.  False: said in the reader's findings, field untouched.
	 */
	bool (*read)(struct reader *reader, const struct schema_key *key, const struct node *node, void *field);

	/* What the file would say; read() takes it back.  NULL: no memory. */
	json_t *(*show)(const struct config *config, const struct schema_key *key, const void *field);

	/* Free what the field owns, to zeroes.  NULL: nothing to free. */
	void (*clear)(struct config *config, const struct schema_key *key, void *field);
};

extern const struct kind kind_bool;
extern const struct kind kind_integer;
extern const struct kind kind_port;        /* uint16_t */
extern const struct kind kind_duration;    /* int64_t, ms */
extern const struct kind kind_size;        /* int64_t, bytes */
extern const struct kind kind_percent;     /* int, per mille */
extern const struct kind kind_time;        /* int, minutes after midnight */
extern const struct kind kind_bell;        /* struct config_bell_time */
extern const struct kind kind_word;        /* int, one of key->words */
extern const struct kind kind_word_bool;   /* bool, likewise */
extern const struct kind kind_word_text;   /* char *, the word itself */
extern const struct kind kind_text;        /* char *, passing key->check */
extern const struct kind kind_texts;       /* char **, a list of them or one alone */
extern const struct kind kind_regex;       /* char *, compiles */
extern const struct kind kind_path;        /* char *, made absolute */
extern const struct kind kind_calendar;    /* char *, a known name or an .ics file's path */
extern const struct kind kind_store;       /* char *, a folder's path or s3://bucket/prefix/ */
extern const struct kind kind_secret_url;  /* char *, shown with its secrets masked */
extern const struct kind kind_endpoint;    /* struct config_endpoint */
extern const struct kind kind_statuses;    /* struct config_statuses */
extern const struct kind kind_hosts;       /* struct config.hosts */

#endif
