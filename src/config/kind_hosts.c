/* kind_hosts.c: the servers of `provider: hosts`, a list or a file's name.  See kind.h. */
#define _GNU_SOURCE
#include "base/path.h"
#include "config/check.h"
#include "config/config.h"
#include "config/kind.h"
#include "config/node.h"
#include "config/reader.h"
#include "config/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_KEYS 5
#define WHERE_SIZE 40
#define PATH_SIZE (WHERE_SIZE + 16)

static const struct schema_key host_keys[HOST_KEYS] = {
	{ .path = "address", .kind = &kind_text, .offset = offsetof(struct config_host, address),
	  .check = check_host_address },
	{ .path = "port", .kind = &kind_port, .offset = offsetof(struct config_host, port), .min = 1, .max = 65535 },
	{ .path = "id", .kind = &kind_text, .offset = offsetof(struct config_host, id), .check = check_host_id,
	  .nullable = true },
	{ .path = "user", .kind = &kind_text, .offset = offsetof(struct config_host, user), .check = check_user,
	  .nullable = true },
	{ .path = "weight", .kind = &kind_integer, .offset = offsetof(struct config_host, weight), .max = 256 },
};

static void host_clear(struct config_host *host)
{
	free(host->address);
	free(host->id);
	free(host->user);
	memset(host, 0, sizeof *host);
}

static const struct schema_key *find_key(const char *name)
{
	size_t i;

	for (i = 0; i < HOST_KEYS; i++)
		if (strcmp(host_keys[i].path, name) == 0)
			return &host_keys[i];
	return NULL;
}

static bool refuse_key(struct reader *reader, const struct node *name)
{
	const char *names[HOST_KEYS];
	const char *near;
	size_t i;

	for (i = 0; i < HOST_KEYS; i++)
		names[i] = host_keys[i].path;
	near = suggest_word(name->text, names, HOST_KEYS);
	if (near != NULL)
		finding_error(reader->findings, name->at, "unknown key %s, did you mean \"%s\"?",
			      quote(name->text).text, near);
	else
		finding_error(reader->findings, name->at, "unknown key %s: a host has address, port, id, user, weight",
			      quote(name->text).text);
	return false;
}

/* One key of one host; `lines` remembers where each was set. */
static bool take_pair(struct reader *reader, const char *where, const struct node *name, struct config_host *host,
		      size_t lines[HOST_KEYS])
{
	const struct node *value = name->next;
	const struct schema_key *known;
	struct schema_key key;
	char path[PATH_SIZE];

	if (name->type != NODE_SCALAR || value->type == NODE_BROKEN) {
		if (name->type == NODE_LIST || name->type == NODE_MAPPING)
			finding_error(reader->findings, name->at, "%s: expected a key, got %s", where,
				      node_describe(name).text);
		return false;
	}
	known = find_key(name->text);
	if (known == NULL)
		return refuse_key(reader, name);
	snprintf(path, sizeof path, "%s.%s", where, known->path);
	if (lines[known - host_keys] != 0) {
		finding_error(reader->findings, name->at, "%s is already set in line %zu", path,
			      lines[known - host_keys]);
		return false;
	}
	lines[known - host_keys] = name->at.line;
	key = *known;
	key.path = path;
	if (node_is_null(value))
		return key.nullable || reader_expected(reader, &key, value);
	return key.kind->read(reader, &key, value, (char *)host + key.offset);
}

static bool take_host(struct reader *reader, size_t number, const struct node *node, struct config_host *host)
{
	size_t lines[HOST_KEYS] = { 0 };
	char where[WHERE_SIZE];
	const struct node *name;
	bool good = true;

	host->port = 80;
	host->weight = 100;
	snprintf(where, sizeof where, "hosts[%zu]", number);
	if (node->type == NODE_BROKEN)
		return false;
	if (node->type != NODE_MAPPING) {
		finding_error(reader->findings, node->at, "%s: expected a mapping such as {address: 10.0.0.11}, got %s",
			      where, node_describe(node).text);
		return false;
	}
	for (name = node->first; name != NULL && name->next != NULL; name = name->next->next)
		good = take_pair(reader, where, name, host, lines) && good;
	if (lines[0] == 0) {
		finding_error(reader->findings, node->at, "%s: address is missing", where);
		return false;
	}
	if (good && host->id == NULL && host->address != NULL)
		return reader_own(reader, &host->id, strdup(host->address));
	return good;
}

struct numbered {
	const char *id;
	const struct node *node;
	size_t number;
};

static int compare_ids(const void *a, const void *b)
{
	const struct numbered *x = a;
	const struct numbered *y = b;
	int order = strcmp(x->id, y->id);

	return order != 0 ? order : x->number < y->number ? -1 : 1;
}

/* Two hosts of one id could not be told apart. */
static bool ids_differ(struct reader *reader, const struct node *list, const struct config_host *hosts, size_t count)
{
	struct numbered *ids = calloc(count + 1, sizeof *ids);
	const struct node *node = list->first;
	bool good = true;
	size_t i;

	if (ids == NULL) {
		reader->no_memory = true;
		return true;
	}
	for (i = 0; i < count; i++, node = node->next)
		ids[i] = (struct numbered){ hosts[i].id != NULL ? hosts[i].id : "", node, i };
	qsort(ids, count, sizeof *ids, compare_ids);
	for (i = 1; i < count; i++) {
		if (ids[i].id[0] == '\0' || strcmp(ids[i].id, ids[i - 1].id) != 0)
			continue;
		finding_error(reader->findings, ids[i].node->at,
			      "hosts[%zu]: the id %s is already that of hosts[%zu] in line %zu", ids[i].number,
			      quote(ids[i].id).text, ids[i - 1].number, ids[i - 1].node->at.line);
		good = false;
	}
	free(ids);
	return good;
}

static void clear_list(struct config_host *list, size_t count)
{
	while (count > 0)
		host_clear(&list[--count]);
	free(list);
}

static bool take_list(struct reader *reader, const struct schema_key *key, const struct node *node,
		      struct config_host **ret_list, size_t *ret_count)
{
	const struct node *item;
	struct config_host *list;
	size_t count = 0;
	bool good = true;

	if (node->count > CONFIG_HOSTS_MAX)
		return reader_wrong(reader, key, node, "%zu hosts are too many: at most %d", node->count,
				    CONFIG_HOSTS_MAX);
	list = calloc(node->count + 1, sizeof *list);
	if (list == NULL) {
		reader->no_memory = true;
		return true;
	}
	for (item = node->first; item != NULL; item = item->next, count++)
		good = take_host(reader, count, item, &list[count]) && good;
	good = ids_differ(reader, node, list, count) && good;
	if (!good) {
		clear_list(list, count);
		return false;
	}
	*ret_list = list;
	*ret_count = count;
	return true;
}

static bool hosts_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	struct config *config = reader->config;

	if (node->type == NODE_LIST)
		return take_list(reader, key, node, &config->hosts.list, &config->hosts.count);
	return kind_path.read(reader, key, node, &config->hosts.file);
}

static json_t *show_host(const struct config_host *host)
{
	json_t *value = json_object();

	if (value == NULL || json_object_set_new(value, "address", json_string(host->address)) < 0 ||
	    json_object_set_new(value, "port", json_integer(host->port)) < 0 ||
	    json_object_set_new(value, "id", json_string(host->id)) < 0 ||
	    json_object_set_new(value, "user", host->user != NULL ? json_string(host->user) : json_null()) < 0 ||
	    json_object_set_new(value, "weight", json_integer(host->weight)) < 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}

static json_t *hosts_show(const struct config *config, const struct schema_key *key, const void *field)
{
	json_t *list;
	size_t i;

	if (config->hosts.file != NULL)
		return json_string(config->hosts.file);
	list = json_array();
	for (i = 0; list != NULL && i < config->hosts.count; i++) {
		if (json_array_append_new(list, show_host(&config->hosts.list[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static void hosts_clear(struct config *config, const struct schema_key *key, void *field)
{
	clear_list(config->hosts.list, config->hosts.count);
	free(config->hosts.file);
	memset(&config->hosts, 0, sizeof config->hosts);
}

const struct kind kind_hosts = { "a list of hosts or a file's name", hosts_read, hosts_show, hosts_clear };
