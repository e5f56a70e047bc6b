/* node.h: YAML text as a tree in which everything knows its line and column. */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "config/findings.h"

#include <stdbool.h>
#include <stddef.h>

/* Far beyond what a configuration needs, and what stops a file made to exhaust memory. */
#define NODE_DEPTH_MAX 16
#define NODE_COUNT_MAX 200000

enum node_type {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAPPING,
	NODE_BROKEN,   /* already reported; says nothing more */
};

struct node {
	enum node_type type;
	struct mark at;
	bool plain;          /* a scalar without quotes */
	char *text;          /* a scalar's, NUL-terminated, without other NULs */
	struct node *first;  /* of a list its items, of a mapping key, value, key, value, ... */
	struct node *last;
	struct node *next;
	size_t count;        /* children, so twice the pairs of a mapping */
};

/*
 * Parse one YAML document.  What is no YAML, and what a configuration has no
 * use for (aliases, tags, several documents), goes to `findings`.
 * *ret_complete is false when the text after some error could not be read:
 * the tree then holds what stood before it.  An empty text gives NULL.
 * Returns 0 or -ENOMEM; free *ret_root with node_free.
 */
int node_parse(const char *text, size_t length, struct findings *findings, struct node **ret_root,
	       bool *ret_complete);

/* The tree below it too.  NULL is fine. */
void node_free(struct node *node);

/* YAML's null: nothing, "~" or "null", unquoted. */
bool node_is_null(const struct node *node);

/* How a message names what stands there: "a list", "nothing", or the text in quotes. */
struct quoted node_describe(const struct node *node);

#endif
