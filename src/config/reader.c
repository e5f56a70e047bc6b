/* reader.c: see reader.h. */
#define _GNU_SOURCE
#include "config/reader.h"

#include "base/path.h"
#include "config/config.h"
#include "config/node.h"
#include "config/suggest.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t index_of(const struct schema_key *key)
{
	return (size_t)(key - schema);
}

static void *field_of(struct reader *reader, const struct schema_key *key)
{
	return (char *)reader->config + key->offset;
}

static size_t find(const char *path)
{
	const struct schema_key *key = schema_find(path);

	assert(key != NULL);
	return index_of(key);
}

enum reader_state reader_state(const struct reader *reader, const char *path)
{
	return reader->keys[find(path)].state;
}

struct mark reader_at(const struct reader *reader, const char *path)
{
	char section[64];
	char *dot;
	struct mark at = reader->keys[find(path)].value_at;

	snprintf(section, sizeof section, "%s", path);
	while (at.line == 0 && (dot = strrchr(section, '.')) != NULL) {
		*dot = '\0';
		at = reader->keys[find(section)].key_at;
	}
	return at;
}

bool reader_wrong(struct reader *reader, const struct schema_key *key, const struct node *node,
		  const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text == NULL) {
		reader->no_memory = true;
		return false;
	}
	finding_error(reader->findings, node->at, "%s: %s", key->path, text);
	free(text);
	return false;
}

bool reader_expected(struct reader *reader, const struct schema_key *key, const struct node *node)
{
	const char *expected = key->kind != NULL ? key->kind->expected : "a mapping";
	const char *hint = "";

	if (node->type == NODE_SCALAR && !node->plain && (key->kind == &kind_integer || key->kind == &kind_port ||
							  key->kind == &kind_bool))
		hint = " in quotes";
	return reader_wrong(reader, key, node, "expected %s%s, got %s%s", expected, key->nullable ? " or null" : "",
			    node_describe(node).text, hint);
}

bool reader_own(struct reader *reader, char **field, char *text)
{
	if (text == NULL) {
		reader->no_memory = true;
		return true;
	}
	free(*field);
	*field = text;
	return true;
}

/* "unknown key ...", with the nearest that is known. */
static void refuse_key(struct reader *reader, const char *section, const struct node *name)
{
	char *hint;

	if (!findings_room(reader->findings)) {
		finding_error(reader->findings, name->at, "-");
		return;
	}
	if (name->plain && strcmp(name->text, "<<") == 0) {
		finding_error(reader->findings, name->at,
			      "merge keys (<<) can't be used here: write the keys themselves");
		return;
	}
	hint = suggest_key(section, name->text);
	if (hint == NULL)
		reader->no_memory = true;
	else
		finding_error(reader->findings, name->at, "unknown key %s%s", quote(name->text).text, hint);
	free(hint);
}

static void take_mapping(struct reader *reader, const char *section, const struct node *mapping);

/* `ssh: none` stands where a mapping would. */
static bool take_none(struct reader *reader, const struct schema_key *key, const struct node *value)
{
	if (strcmp(key->path, "monitor.ssh") != 0)
		return false;
	if (value->type == NODE_SCALAR && strcmp(value->text, "none") == 0) {
		reader->config->monitor.ssh.enabled = false;
		reader->keys[index_of(key)].state = READER_SET;
	} else {
		reader_wrong(reader, key, value, "expected a mapping or none, got %s", node_describe(value).text);
	}
	return true;
}

static void take_section(struct reader *reader, const struct schema_key *key, const struct node *value)
{
	reader->keys[index_of(key)].state = READER_BAD;
	if (value->type == NODE_MAPPING) {
		reader->keys[index_of(key)].state = READER_SET;
		take_mapping(reader, key->path, value);
	} else if (!take_none(reader, key, value)) {
		/* A section whose keys are all commented out reads as null: nothing is set in it. */
		if (node_is_null(value))
			reader->keys[index_of(key)].state = READER_UNSET;
		else
			reader_expected(reader, key, value);
	}
}

static void take_value(struct reader *reader, const struct schema_key *key, const struct node *value)
{
	enum reader_state *state = &reader->keys[index_of(key)].state;

	*state = READER_BAD;
	if (value->type == NODE_BROKEN)
		return;
	if (key->kind == NULL) {
		take_section(reader, key, value);
		return;
	}
	if (node_is_null(value)) {
		if (key->nullable)
			*state = READER_SET;
		else
			reader_expected(reader, key, value);
		return;
	}
	if (key->kind->read(reader, key, value, field_of(reader, key)))
		*state = READER_SET;
}

static void take_pair(struct reader *reader, const char *section, const struct node *name, const struct node *value)
{
	const struct schema_key *key;
	size_t i;

	if (name->type == NODE_BROKEN)
		return;
	if (name->type != NODE_SCALAR) {
		finding_error(reader->findings, name->at, "expected a key, got %s", node_describe(name).text);
		return;
	}
	key = schema_child(section, name->text);
	if (key == NULL) {
		refuse_key(reader, section, name);
		return;
	}
	i = index_of(key);
	if (reader->keys[i].key_at.line != 0) {
		finding_error(reader->findings, name->at, "%s is already set in line %zu", key->path,
			      reader->keys[i].key_at.line);
		return;
	}
	reader->keys[i].key_at = name->at;
	reader->keys[i].value_at = value->at;
	take_value(reader, key, value);
}

static void take_mapping(struct reader *reader, const char *section, const struct node *mapping)
{
	const struct node *name = mapping->first;

	while (name != NULL && name->next != NULL) {
		take_pair(reader, section, name, name->next);
		name = name->next->next;
	}
}

/* Some ranges depend on the provider, which may stand behind them. */
static bool says_hosts(const struct node *root)
{
	const struct node *name;

	for (name = root->first; name != NULL && name->next != NULL; name = name->next->next)
		if (name->type == NODE_SCALAR && strcmp(name->text, "provider") == 0)
			return name->next->type == NODE_SCALAR && strcmp(name->next->text, "hosts") == 0;
	return false;
}

void reader_take_tree(struct reader *reader, const struct node *root)
{
	reader->config->monitor.ssh.enabled = true;
	if (root == NULL || root->type == NODE_BROKEN || node_is_null(root))
		return;
	if (root->type == NODE_MAPPING) {
		reader->hosts = says_hosts(root);
		take_mapping(reader, "", root);
		return;
	}
	finding_error(reader->findings, root->at, "expected keys and values, such as \"fleet: webserver\", got %s",
		      node_describe(root).text);
}

void reader_take_defaults(struct reader *reader)
{
	size_t i;

	for (i = 0; i < schema_count; i++) {
		const struct schema_key *key = &schema[i];
		struct node value = { .type = NODE_SCALAR, .plain = true };

		if (key->fallback == NULL || reader->keys[i].state == READER_SET)
			continue;
		value.text = (char *)(uintptr_t)key->fallback;
		if (!key->kind->read(reader, key, &value, field_of(reader, key)))
			assert(!"a default of the schema is not valid");
	}
}
