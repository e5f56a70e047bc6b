/* reader.h: from the tree of a file to struct config, by the schema. */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/findings.h"
#include "config/schema.h"

struct config;
struct node;

/* What became of a key. */
enum reader_state {
	READER_UNSET,   /* not in the file */
	READER_SET,
	READER_BAD,     /* in the file, and wrong: nothing more is said about it */
};

struct reader {
	struct config *config;
	struct findings *findings;
	bool no_memory;
	bool hosts;      /* the file says `provider: hosts`, known before any value is taken */
	struct {
		enum reader_state state;
		struct mark key_at;
		struct mark value_at;
	} keys[SCHEMA_KEYS_MAX];   /* as in schema */
};

/* Fill the config that was zeroed, with `file` and `folder` set, from the tree (NULL: an empty file). */
void reader_take_tree(struct reader *reader, const struct node *root);

/* Take the table's default for every key that the file does not set. */
void reader_take_defaults(struct reader *reader);

enum reader_state reader_state(const struct reader *reader, const char *path);

/* Where the value of a key stands; where it isn't set, its section's key, or the file as a whole. */
struct mark reader_at(const struct reader *reader, const char *path);

/* For kinds: "capacity.open: expected a whole number, got a list", and false. */
bool reader_expected(struct reader *reader, const struct schema_key *key, const struct node *node);

/* For kinds: "capacity.open: " and the words, and false. */
bool reader_wrong(struct reader *reader, const struct schema_key *key, const struct node *node,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For kinds: replace *field by `text`, which may be NULL for no memory; always true. */
bool reader_own(struct reader *reader, char **field, char *text);

#endif
