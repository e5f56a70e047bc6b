/* print.c: the configuration as YAML and as JSON, both from one tree that follows the schema. */
#define _GNU_SOURCE
#include "config/config.h"
#include "config/schema.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_off(const struct config *config, const char *path)
{
	if (strcmp(path, "mail") == 0)
		return !config->mail.enabled;
	return strcmp(path, "monitor.ssh") == 0 && !config->monitor.ssh.enabled;
}

/* The keys of `section`, in the schema's order, into `into`.  Returns 0 or -ENOMEM. */
static int show_section(const struct config *config, const char *section, json_t *into)
{
	size_t i;
	int r = 0;

	for (i = 0; i < schema_count && r == 0; i++) {
		const struct schema_key *key = &schema[i];
		json_t *value;

		if (!schema_is_in(key, section))
			continue;
		if (key->kind != NULL)
			value = key->kind->show(config, key, (const char *)config + key->offset);
		else if (is_off(config, key->path))
			value = strcmp(key->path, "mail") == 0 ? json_null() : json_string("none");
		else
			value = json_object();
		if (json_object_set_new(into, schema_name(key), value) < 0)
			return -ENOMEM;
		if (key->kind == NULL && json_is_object(value))
			r = show_section(config, key->path, value);
	}
	return r;
}

char *config_to_json(const struct config *config)
{
	json_t *root = json_object();
	char *text = NULL;

	if (root != NULL && json_object_set_new(root, "schema", json_integer(1)) == 0 &&
	    json_object_set_new(root, "file", config->file != NULL ? json_string(config->file) : json_null()) == 0 &&
	    show_section(config, "", root) == 0)
		text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return text;
}

/* "400d", "50%", "127.0.0.1:8080", which no YAML parser takes for a number; but for a time of day, which one might. */
static bool is_plain_quantity(const char *text)
{
	const char *unit = text + strspn(text, "0123456789");

	if (unit == text || *unit == '\0')
		return false;
	if (unit[strspn(unit, "dhmsKMGTP%")] == '\0')
		return true;
	return strchr(unit + 1, '.') != NULL && text[strspn(text, "0123456789.:")] == '\0';
}

/* May it stand without quotes, and be read as the same text by every YAML parser? */
static bool is_plain(const char *text)
{
	static const char *const special[] = { "true", "false", "yes", "no", "on", "off", "y", "n", "null" };
	const char *p;
	size_t i;

	if (!isalpha((unsigned char)text[0]) && text[0] != '/')
		return is_plain_quantity(text);
	for (i = 0; i < sizeof special / sizeof special[0]; i++)
		if (strcasecmp(text, special[i]) == 0)
			return false;
	for (p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("/._+-@", *p) == NULL && (*p != ':' || p[1] != '/'))
			return false;
	return true;
}

/* The characters of two and three bytes that YAML would refuse, or fold as a line break; 0 for all others. */
static unsigned special_character(const unsigned char *p, size_t *ret_length)
{
	unsigned code = 0;

	if (p[0] == 0xc2 && p[1] < 0xa0) {
		*ret_length = 2;
		return p[1];
	}
	if ((p[0] & 0xf0) == 0xe0) {
		*ret_length = 3;
		code = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	}
	return code == 0x2028 || code == 0x2029 || code == 0xfeff || code >= 0xfffe ? code : 0;
}

static void print_text(const char *text, FILE *out)
{
	const char *p;
	size_t length = 1;

	if (is_plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (p = text; *p != '\0'; p += length) {
		unsigned code = special_character((const unsigned char *)p, &length);

		if (code != 0) {
			fprintf(out, "\\u%04x", code);
			continue;
		}
		length = 1;
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
}

static void print_flow(json_t *value, FILE *out)
{
	const char *name;
	json_t *item;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		fputc('{', out);
		json_object_foreach(value, name, item) {
			fprintf(out, "%s%s: ", item == json_object_get(value, "address") ? "" : ", ", name);
			print_flow(item, out);
		}
		fputc('}', out);
		break;
	case JSON_ARRAY:
		fputc('[', out);
		json_array_foreach(value, i, item) {
			fputs(i > 0 ? ", " : "", out);
			print_flow(item, out);
		}
		fputc(']', out);
		break;
	case JSON_STRING:
		print_text(json_string_value(value), out);
		break;
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	default:
		fputs(json_is_null(value) ? "null" : json_is_true(value) ? "true" : "false", out);
	}
}

/* Of hosts, one a line; of anything else, all in one. */
static void print_list(json_t *list, int indent, FILE *out)
{
	json_t *item;
	size_t i;

	if (!json_is_object(json_array_get(list, 0))) {
		fputc(' ', out);
		print_flow(list, out);
		fputc('\n', out);
		return;
	}
	fputc('\n', out);
	json_array_foreach(list, i, item) {
		fprintf(out, "%*s- ", indent + 2, "");
		print_flow(item, out);
		fputc('\n', out);
	}
}

static void print_mapping(json_t *mapping, int indent, FILE *out)
{
	const char *name;
	json_t *value;

	json_object_foreach(mapping, name, value) {
		fprintf(out, "%*s%s:", indent, "", name);
		if (json_is_object(value)) {
			fputc('\n', out);
			print_mapping(value, indent + 2, out);
		} else if (json_is_array(value)) {
			print_list(value, indent, out);
		} else {
			fputc(' ', out);
			print_flow(value, out);
			fputc('\n', out);
		}
	}
}

static void print_origin(const char *file, FILE *out)
{
	const char *p;

	if (file == NULL) {
		fputs("# no openbell.yaml: the defaults\n", out);
		return;
	}
	fputs("# from ", out);
	for (p = file; *p != '\0'; p++)
		fputc((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p, out);
	fputc('\n', out);
}

int config_print(const struct config *config, FILE *out)
{
	json_t *root = json_object();
	int r = root != NULL ? show_section(config, "", root) : -ENOMEM;

	if (r == 0) {
		print_origin(config->file, out);
		print_mapping(root, 0, out);
		if (fflush(out) != 0 || ferror(out))
			r = -EIO;
	}
	json_decref(root);
	return r;
}
