/* node.c: see node.h. */
#define _GNU_SOURCE
#include "config/node.h"

#include "config/syntax.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The open lists and mappings, outermost first; only the tree itself owns nodes. */
struct builder {
	struct findings *findings;
	struct node *root;
	struct node *open[NODE_DEPTH_MAX];
	bool flow[NODE_DEPTH_MAX];   /* opened by a bracket */
	size_t depth;
	struct node *latest;
	size_t count;
	size_t documents;
};

static void free_one(struct node *node)
{
	free(node->text);
	free(node);
}

void node_free(struct node *node)
{
	struct node *child;
	struct node *next;

	if (node == NULL)
		return;
	for (child = node->first; child != NULL; child = next) {
		next = child->next;
		node_free(child);
	}
	free_one(node);
}

bool node_is_null(const struct node *node)
{
	return node->type == NODE_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0);
}

struct quoted node_describe(const struct node *node)
{
	switch (node->type) {
	case NODE_LIST:
		return (struct quoted){ "a list" };
	case NODE_MAPPING:
		return (struct quoted){ "a mapping" };
	default:
		return node_is_null(node) ? (struct quoted){ "nothing" } : quote(node->text);
	}
}

static struct mark mark_of(const yaml_mark_t *mark)
{
	return (struct mark){ .line = mark->line + 1, .column = mark->column + 1 };
}

static int append(struct builder *builder, enum node_type type, const yaml_event_t *event, struct node **ret_node)
{
	struct node *parent = builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;
	struct node *node = calloc(1, sizeof *node);

	if (node == NULL)
		return -ENOMEM;
	node->type = type;
	node->at = mark_of(&event->start_mark);
	if (parent == NULL) {
		builder->root = node;
	} else {
		*(parent->last != NULL ? &parent->last->next : &parent->first) = node;
		parent->last = node;
		parent->count++;
	}
	builder->count++;
	builder->latest = node;
	*ret_node = node;
	return 0;
}

/* Tags choose types in general YAML; here the key does. */
static void refuse_tag(struct builder *builder, const yaml_event_t *event, const yaml_char_t *tag)
{
	if (tag != NULL)
		finding_error(builder->findings, mark_of(&event->start_mark),
			      "the tag %s has no meaning here: remove it", quote((const char *)tag).text);
}

static int add_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	struct node *node;
	int r = append(builder, NODE_SCALAR, event, &node);

	if (r < 0)
		return r;
	refuse_tag(builder, event, event->data.scalar.tag);
	if (strlen(value) != event->data.scalar.length) {
		finding_error(builder->findings, node->at, "a NUL character (\\0) can't be part of a value");
		node->type = NODE_BROKEN;
	}
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = strdup(value);
	return node->text == NULL ? -ENOMEM : 0;
}

static int add_alias(struct builder *builder, const yaml_event_t *event)
{
	struct node *node;

	finding_error(builder->findings, mark_of(&event->start_mark),
		      "an alias (*%.40s) can't be used here: write the value itself, or quote one that starts with *",
		      (const char *)event->data.alias.anchor);
	return append(builder, NODE_BROKEN, event, &node);
}

/* What the parser could not finish reading is not what was meant: it says nothing more. */
static void silence_unfinished(struct builder *builder)
{
	size_t i;

	if (builder->latest != NULL && builder->latest->type == NODE_SCALAR)
		builder->latest->type = NODE_BROKEN;
	for (i = 0; i < builder->depth; i++)
		if (builder->flow[i])
			builder->open[i]->type = NODE_BROKEN;
}

/* A list or a mapping opens.  Returns -E2BIG when it is nested too deep. */
static int open_node(struct builder *builder, enum node_type type, const yaml_event_t *event, const yaml_char_t *tag,
		     bool flow)
{
	struct node *node;
	int r;

	if (builder->depth == NODE_DEPTH_MAX) {
		finding_error(builder->findings, mark_of(&event->start_mark), "nested more than %d levels deep",
			      NODE_DEPTH_MAX);
		silence_unfinished(builder);
		return -E2BIG;
	}
	r = append(builder, type, event, &node);
	if (r < 0)
		return r;
	refuse_tag(builder, event, tag);
	builder->flow[builder->depth] = flow;
	builder->open[builder->depth++] = node;
	return 0;
}

static int add_document(struct builder *builder, const yaml_event_t *event)
{
	if (builder->documents++ == 0)
		return 0;
	finding_error(builder->findings, mark_of(&event->start_mark),
		      "a second YAML document starts here: one file holds one configuration");
	return -E2BIG;
}

/* Returns 0; -E2BIG to stop (said in the findings); -ENOMEM. */
static int take_event(struct builder *builder, const yaml_event_t *event)
{
	if (builder->count >= NODE_COUNT_MAX) {
		finding_error(builder->findings, mark_of(&event->start_mark), "more than %d values", NODE_COUNT_MAX);
		return -E2BIG;
	}
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return add_document(builder, event);
	case YAML_SCALAR_EVENT:
		return add_scalar(builder, event);
	case YAML_ALIAS_EVENT:
		return add_alias(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(builder, NODE_LIST, event, event->data.sequence_start.tag,
				 event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
	case YAML_MAPPING_START_EVENT:
		return open_node(builder, NODE_MAPPING, event, event->data.mapping_start.tag,
				 event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		builder->depth--;
		return 0;
	default:
		return 0;
	}
}

/* After an error: a key without its value says nothing. */
static void drop_half_pairs(struct builder *builder)
{
	while (builder->depth > 0) {
		struct node *node = builder->open[--builder->depth];
		struct node **link = &node->first;
		struct node *before = NULL;

		if (node->type == NODE_LIST || node->count % 2 == 0)
			continue;
		while (*link != node->last) {
			before = *link;
			link = &(*link)->next;
		}
		node_free(node->last);
		*link = NULL;
		node->last = before;
		node->count--;
	}
}

static int parse_events(yaml_parser_t *parser, struct builder *builder, const char *text, size_t length)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	int r = 0;

	while (r == 0 && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event)) {
			if (parser->error == YAML_MEMORY_ERROR)
				return -ENOMEM;
			syntax_explain(parser, text, length, builder->findings);
			silence_unfinished(builder);
			return -EINVAL;
		}
		type = event.type;
		r = take_event(builder, &event);
		yaml_event_delete(&event);
	}
	return r;
}

int node_parse(const char *text, size_t length, struct findings *findings, struct node **ret_root,
	       bool *ret_complete)
{
	struct builder builder = { .findings = findings };
	yaml_parser_t parser;
	int r;

	if (!syntax_check_text(&text, &length, findings)) {
		*ret_root = NULL;
		*ret_complete = false;
		return 0;
	}
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	r = parse_events(&parser, &builder, text, length);
	yaml_parser_delete(&parser);
	if (r == -ENOMEM) {
		node_free(builder.root);
		return r;
	}
	drop_half_pairs(&builder);
	*ret_root = builder.root;
	*ret_complete = r == 0;
	return 0;
}
