/* kind_text.c: values that stay text: words of a choice, names, patterns, paths, URLs.  See kind.h. */
#define _GNU_SOURCE
#include "base/path.h"
#include "config/calendar_names.h"
#include "config/check.h"
#include "config/config.h"
#include "config/kind.h"
#include "config/mask.h"
#include "config/node.h"
#include "config/reader.h"
#include "config/regex_check.h"
#include "config/suggest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

/* A string, or null for none. */
static json_t *text_show(const struct config *config, const struct schema_key *key, const void *field)
{
	const char *text = *(char *const *)field;

	return text != NULL ? json_string(text) : json_null();
}

static void text_clear(struct config *config, const struct schema_key *key, void *field)
{
	free(*(char **)field);
	*(char **)field = NULL;
}

/* `"x" is not one of a, b, did you mean "a"?` */
static bool refuse_word(struct reader *reader, const struct schema_key *key, const struct node *node)
{
	const char *words[WORDS_MAX];
	char list[256] = "";
	const char *near;
	size_t count;
	size_t used = 0;

	for (count = 0; key->words[count].word != NULL && count < WORDS_MAX; count++) {
		words[count] = key->words[count].word;
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", count > 0 ? ", " : "", words[count]);
	}
	near = suggest_word(node->text, words, count);
	if (near == NULL)
		return reader_wrong(reader, key, node, "%s is not one of %s", node_describe(node).text, list);
	return reader_wrong(reader, key, node, "%s is not one of %s, did you mean \"%s\"?", node_describe(node).text,
			    list, near);
}

static const struct schema_word *find_word(struct reader *reader, const struct schema_key *key,
					   const struct node *node)
{
	const struct schema_word *word = key->words;

	if (node->type != NODE_SCALAR) {
		reader_expected(reader, key, node);
		return NULL;
	}
	while (word->word != NULL && strcmp(word->word, node->text) != 0)
		word++;
	if (word->word != NULL)
		return word;
	refuse_word(reader, key, node);
	return NULL;
}

static bool word_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const struct schema_word *word = find_word(reader, key, node);

	if (word != NULL)
		*(int *)field = word->value;
	return word != NULL;
}

static bool word_bool_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const struct schema_word *word = find_word(reader, key, node);

	if (word != NULL)
		*(bool *)field = word->value != 0;
	return word != NULL;
}

static bool word_text_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const struct schema_word *word = find_word(reader, key, node);

	return word != NULL && reader_own(reader, field, strdup(word->word));
}

static json_t *show_word(const struct schema_key *key, int value)
{
	const struct schema_word *word = key->words;

	while (word->word != NULL && word->value != value)
		word++;
	return word->word != NULL ? json_string(word->word) : json_null();
}

static json_t *word_show(const struct config *config, const struct schema_key *key, const void *field)
{
	return show_word(key, *(const int *)field);
}

static json_t *word_bool_show(const struct config *config, const struct schema_key *key, const void *field)
{
	return show_word(key, *(const bool *)field);
}

static bool text_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const char *wrong;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	wrong = key->check(node->text);
	if (wrong != NULL)
		return reader_wrong(reader, key, node, "%s %s", quote(node->text).text, wrong);
	return reader_own(reader, field, strdup(node->text));
}

/* A URL may hold a secret, so that no message repeats it. */
static bool secret_url_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const char *wrong;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	wrong = key->check(node->text);
	if (wrong != NULL)
		return reader_wrong(reader, key, node, "the URL %s", wrong);
	if (mask_is_masked(node->text))
		finding_warning(reader->findings, node->at,
				"%s: the URL is masked, as \"openbell config\" prints it: put back what *** hides",
				key->path);
	return reader_own(reader, field, strdup(node->text));
}

static json_t *secret_url_show(const struct config *config, const struct schema_key *key, const void *field)
{
	const char *url = *(char *const *)field;
	char *masked;
	json_t *value;

	if (url == NULL)
		return json_null();
	masked = mask_url(url);
	value = masked != NULL ? json_string(masked) : NULL;
	free(masked);
	return value;
}

static size_t *texts_count(struct config *config, const struct schema_key *key)
{
	return (size_t *)(void *)((char *)config + key->count_offset);
}

static void texts_clear(struct config *config, const struct schema_key *key, void *field)
{
	char ***list = field;
	size_t *count = texts_count(config, key);

	while (*count > 0)
		free((*list)[--*count]);
	free(*list);
	*list = NULL;
}

static bool check_item(struct reader *reader, const struct schema_key *key, const struct node *item)
{
	const char *wrong;

	if (item->type == NODE_BROKEN)
		return false;
	if (item->type != NODE_SCALAR || node_is_null(item))
		return reader_wrong(reader, key, item, "expected text, got %s", node_describe(item).text);
	wrong = key->check(item->text);
	return wrong == NULL || reader_wrong(reader, key, item, "%s %s", quote(item->text).text, wrong);
}

/* One text alone is a list of one. */
static bool texts_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const struct node *item = node->type == NODE_LIST ? node->first : node;
	size_t many = node->type == NODE_LIST ? node->count : 1;
	size_t *count = texts_count(reader->config, key);
	char ***list = field;
	bool good = true;
	const struct node *each;

	if (node->type == NODE_MAPPING)
		return reader_expected(reader, key, node);
	if (many > (size_t)key->max)
		return reader_wrong(reader, key, node, "%zu are too many: at most %d", many, (int)key->max);
	for (each = item; each != NULL; each = each->next) {
		good = check_item(reader, key, each) && good;
		if (node->type != NODE_LIST)
			break;
	}
	if (!good || many == 0)
		return good;
	*list = calloc(many, sizeof **list);
	if (*list == NULL)
		return reader_own(reader, NULL, NULL);
	for (; *count < many; item = item->next) {
		(*list)[*count] = strdup(item->text);
		if ((*list)[*count] == NULL)
			return reader_own(reader, NULL, NULL);
		++*count;
	}
	return true;
}

static json_t *texts_show(const struct config *config, const struct schema_key *key, const void *field)
{
	char *const *list = *(char **const *)field;
	size_t count = *(const size_t *)(const void *)((const char *)config + key->count_offset);
	json_t *value = json_array();
	size_t i;

	for (i = 0; value != NULL && i < count; i++) {
		if (json_array_append_new(value, json_string(list[i])) < 0) {
			json_decref(value);
			return NULL;
		}
	}
	return value;
}

static bool regex_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	char wrong[REGEX_WRONG_SIZE];

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	if (!regex_check(node->text, wrong))
		return reader_wrong(reader, key, node, "%s isn't a regular expression: %s", quote(node->text).text,
				    wrong);
	return reader_own(reader, field, strdup(node->text));
}

/* Into *field; `~` and what is relative are resolved. */
static bool take_path(struct reader *reader, const struct schema_key *key, const struct node *node, char **field)
{
	const char *wrong = check_line(node->text);

	if (wrong != NULL)
		return reader_wrong(reader, key, node, "the path %s", wrong);
	if (node->text[0] == '~' && node->text[1] != '/' && node->text[1] != '\0')
		return reader_wrong(reader, key, node,
				    "%s: of homes only one's own, ~/, is understood: write the whole path",
				    quote(node->text).text);
	return reader_own(reader, field, path_absolute(reader->config->folder, node->text));
}

static bool path_read_value(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	return take_path(reader, key, node, field);
}

static bool calendar_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	const char *names[CALENDAR_NAMES_MAX];
	size_t count = calendar_names(names);
	size_t length;
	const char *near;
	size_t i;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	for (i = 0; i < count; i++)
		if (strcmp(node->text, names[i]) == 0)
			return reader_own(reader, field, strdup(node->text));
	length = strlen(node->text);
	if (length > 4 && strcasecmp(node->text + length - 4, ".ics") == 0)
		return take_path(reader, key, node, field);
	near = suggest_word(node->text, names, count);
	return reader_wrong(reader, key, node,
			    "%s is no calendar: there are %s, and files of holidays whose name ends in "
			    ".ics%s%s%s",
			    quote(node->text).text, calendar_names_list(), near != NULL ? ", did you mean \"" : "",
			    near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* s3://bucket[/prefix[/]], kept with the slash at the end. */
static bool take_s3(struct reader *reader, const struct schema_key *key, const struct node *node, char **field)
{
	const char *name = node->text + strlen("s3://");
	size_t length = strcspn(name, "/");
	const char *prefix = name + length + (name[length] == '/');
	char bucket[64];
	size_t end = strlen(node->text);

	snprintf(bucket, sizeof bucket, "%.*s", length < 64 ? (int)length : 0, name);
	if (check_bucket(bucket) != NULL)
		return reader_wrong(reader, key, node,
				    "%s names no bucket: write s3://bucket/prefix/, the bucket with 3 to 63 of "
				    "a-z, 0-9, \".\" and \"-\"",
				    quote(node->text).text);
	if (prefix[0] == '/' || strstr(prefix, "//") != NULL ||
	    (prefix[0] != '\0' && check_http_path(prefix - 1) != NULL))
		return reader_wrong(reader, key, node,
				    "%s has a prefix with an empty part, a space or another character "
				    "that S3 keys should not have",
				    quote(node->text).text);
	return reader_own(reader, field, path_format("%s%s", node->text, node->text[end - 1] == '/' ? "" : "/"));
}

static bool store_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	if (strncmp(node->text, "s3://", 5) == 0)
		return take_s3(reader, key, node, field);
	if (strstr(node->text, "://") != NULL)
		return reader_wrong(reader, key, node, "%s is neither a folder nor s3://bucket/prefix/",
				    quote(node->text).text);
	return take_path(reader, key, node, field);
}

const struct kind kind_word = { "one word", word_read, word_show, NULL };
const struct kind kind_word_bool = { "one word", word_bool_read, word_bool_show, NULL };
const struct kind kind_word_text = { "one word", word_text_read, text_show, text_clear };
const struct kind kind_text = { "text", text_read, text_show, text_clear };
const struct kind kind_texts = { "a list", texts_read, texts_show, texts_clear };
const struct kind kind_regex = { "a regular expression", regex_read, text_show, text_clear };
const struct kind kind_path = { "a path", path_read_value, text_show, text_clear };
const struct kind kind_calendar = { "a calendar's name or an .ics file", calendar_read, text_show, text_clear };
const struct kind kind_store = { "a folder or s3://bucket/prefix/", store_read, text_show, text_clear };
const struct kind kind_secret_url = { "a URL", secret_url_read, secret_url_show, text_clear };
