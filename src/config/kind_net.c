/* kind_net.c: where something listens, and which HTTP statuses pass.  See kind.h. */
#define _GNU_SOURCE
#include "base/path.h"
#include "config/config.h"
#include "config/kind.h"
#include "config/node.h"
#include "config/reader.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_SIZE 64
#define STATUS_LEAST 100
#define STATUS_MOST 599

/* "host:port" in two: *ret_port points behind the last colon.  False: no such form. */
static bool split(const char *text, char host[HOST_SIZE], const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	const char *start = text;
	size_t length;

	if (colon == NULL)
		return false;
	length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		start++;
		length -= 2;
		if (memchr(start, ':', length) == NULL)
			return false;
	} else if (memchr(text, ':', length) != NULL) {
		return false;
	}
	if (length >= HOST_SIZE)
		return false;
	memcpy(host, start, length);
	host[length] = '\0';
	*ret_port = colon + 1;
	return true;
}

/* The number behind a host, "" where the host isn't one. */
static const char *numeric(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (host[0] == '\0' || strcmp(host, "*") == 0)
		return "0.0.0.0";
	if (strcasecmp(host, "localhost") == 0)
		return "127.0.0.1";
	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return host;
	return "";
}

static bool endpoint_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	struct config_endpoint *endpoint = field;
	unsigned char address[sizeof(struct in6_addr)];
	char host[HOST_SIZE];
	const char *port;
	long number;

	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	if (node->text[0] != '\0' && node->text[strspn(node->text, "0123456789")] == '\0')
		return reader_wrong(reader, key, node, "%s has no address: write 127.0.0.1:%.5s, or \"*:%.5s\" for all",
				    quote(node->text).text, node->text, node->text);
	if (inet_pton(AF_INET6, node->text, address) == 1)
		return reader_wrong(reader, key, node, "%s needs brackets and a port: write \"[::1]:8080\"",
				    quote(node->text).text);
	if (!split(node->text, host, &port))
		return reader_wrong(reader, key, node,
				    "%s isn't an address and a port: write 127.0.0.1:8080 or \"[::1]:8080\"",
				    quote(node->text).text);
	if (numeric(host)[0] == '\0')
		return reader_wrong(reader, key, node, "%s isn't an address of this machine: write a numeric one, "
				    "localhost, or * for all", quote(host).text);
	if (port[0] == '\0' || port[strspn(port, "0123456789")] != '\0')
		return reader_wrong(reader, key, node, "%s isn't a port, 1 to 65535", quote(port).text);
	number = strlen(port) > 5 ? 99999 : atol(port);
	if (number < 1 || number > 65535)
		return reader_wrong(reader, key, node, "port %.20s is out of range, 1 to 65535", port);
	endpoint->port = (uint16_t)number;
	return reader_own(reader, &endpoint->host, strdup(numeric(host)));
}

void config_endpoint_format(const struct config_endpoint *endpoint, char *ret_text, size_t size)
{
	bool v6 = strchr(endpoint->host, ':') != NULL;

	snprintf(ret_text, size, "%s%s%s:%u", v6 ? "[" : "", endpoint->host, v6 ? "]" : "", endpoint->port);
}

static json_t *endpoint_show(const struct config *config, const struct schema_key *key, const void *field)
{
	char text[HOST_SIZE + 16];

	config_endpoint_format(field, text, sizeof text);
	return json_string(text);
}

static void endpoint_clear(struct config *config, const struct schema_key *key, void *field)
{
	struct config_endpoint *endpoint = field;

	free(endpoint->host);
	memset(endpoint, 0, sizeof *endpoint);
}

/* "200" or "200-299", three digits each. */
static bool parse_range(const char *text, int *ret_first, int *ret_last)
{
	size_t length = strlen(text);
	int first;
	int last;

	if ((length != 3 && length != 7) || strspn(text, "0123456789") != 3)
		return false;
	if (length == 7 && (text[3] != '-' || strspn(text + 4, "0123456789") != 3))
		return false;
	first = atoi(text);
	last = length == 7 ? atoi(text + 4) : first;
	if (first < STATUS_LEAST || last > STATUS_MOST || first > last)
		return false;
	*ret_first = first;
	*ret_last = last;
	return true;
}

static bool take_range(struct reader *reader, const struct schema_key *key, const struct node *node,
		       struct config_statuses *statuses)
{
	if (node->type == NODE_BROKEN)
		return false;
	if (node->type != NODE_SCALAR)
		return reader_expected(reader, key, node);
	if (!parse_range(node->text, &statuses->ranges[statuses->count].first, &statuses->ranges[statuses->count].last))
		return reader_wrong(reader, key, node, "%s is no HTTP status: write 200, 200-299 or [200, 301-308], "
				    "within 100 to 599", node_describe(node).text);
	statuses->count++;
	return true;
}

static bool statuses_read(struct reader *reader, const struct schema_key *key, const struct node *node, void *field)
{
	struct config_statuses statuses = { 0 };
	const struct node *item;
	bool good = true;

	if (node->type == NODE_LIST) {
		if (node->count == 0)
			return reader_wrong(reader, key, node, "an empty list lets no answer pass");
		if (node->count > CONFIG_STATUS_RANGES_MAX)
			return reader_wrong(reader, key, node, "%zu statuses are too many: at most %d", node->count,
					    CONFIG_STATUS_RANGES_MAX);
		for (item = node->first; item != NULL; item = item->next)
			good = take_range(reader, key, item, &statuses) && good;
	} else {
		good = take_range(reader, key, node, &statuses);
	}
	if (good)
		*(struct config_statuses *)field = statuses;
	return good;
}

static json_t *show_range(int first, int last)
{
	return first == last ? json_integer(first) : json_sprintf("%d-%d", first, last);
}

static json_t *statuses_show(const struct config *config, const struct schema_key *key, const void *field)
{
	const struct config_statuses *statuses = field;
	json_t *list;
	size_t i;

	if (statuses->count == 1)
		return show_range(statuses->ranges[0].first, statuses->ranges[0].last);
	list = json_array();
	for (i = 0; list != NULL && i < statuses->count; i++) {
		if (json_array_append_new(list, show_range(statuses->ranges[i].first, statuses->ranges[i].last)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

bool config_status_passes(const struct config_statuses *statuses, int status)
{
	size_t i;

	for (i = 0; i < statuses->count; i++)
		if (status >= statuses->ranges[i].first && status <= statuses->ranges[i].last)
			return true;
	return false;
}

const struct kind kind_endpoint = { "an address and a port such as 127.0.0.1:8080", endpoint_read, endpoint_show,
				    endpoint_clear };
const struct kind kind_statuses = { "an HTTP status such as 200 or 200-299", statuses_read, statuses_show, NULL };
