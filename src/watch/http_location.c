/* http_location.c: see http_location.h. */
#define _GNU_SOURCE
#include "watch/http_location.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_PORT 80

void http_authority_format(const struct sockaddr_storage *address, char ret_text[static HTTP_AUTHORITY_SIZE])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	bool six = address->ss_family == AF_INET6;
	unsigned int port = ntohs(six ? in6->sin6_port : in->sin_port);
	char *end = ret_text;

	*end = '\0';
	if (six)
		*end++ = '[';
	inet_ntop(six ? AF_INET6 : AF_INET, six ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, end,
		  INET6_ADDRSTRLEN);
	end += strlen(end);
	if (six)
		*end++ = ']';
	*end = '\0';
	if (port != HTTP_PORT)
		snprintf(end, 8, ":%u", port & 0xffff);
}

/* "" is the default port. */
static int read_port(const char *text, uint16_t *ret_port)
{
	unsigned long port = HTTP_PORT;
	char *end;

	if (*text != '\0') {
		if (strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
			return -EINVAL;
		port = strtoul(text, &end, 10);
	}
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

/* "192.0.2.1", "192.0.2.1:8080", "[2001:db8::1]:8080" */
static int read_authority(const char *authority, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char host[HTTP_AUTHORITY_SIZE];
	const char *rest;
	uint16_t port;
	bool six = authority[0] == '[';

	strcpy(host, authority + six);
	rest = authority + six + strcspn(host, six ? "]" : ":");
	host[rest - authority - six] = '\0';
	if (six && *rest++ != ']')
		return -EINVAL;
	if (*rest != '\0' && *rest != ':')
		return -EINVAL;
	if (read_port(*rest == ':' ? rest + 1 : rest, &port) != 0)
		return -EINVAL;
	if (inet_pton(six ? AF_INET6 : AF_INET, host, six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return -EINVAL;
	in.sin_port = in6.sin6_port = htons(port);
	memset(ret_address, 0, sizeof *ret_address);
	if (six)
		memcpy(ret_address, &in6, sizeof in6);
	else
		memcpy(ret_address, &in, sizeof in);
	return 0;
}

/* RFC 3986, 5.2.4, on the part before the query. */
static void remove_dot_segments(char *path)
{
	char *query = path + strcspn(path, "?"), *in = path, *out = path;

	while (in < query) {
		size_t segment = 1 + strcspn(in + 1, "/?"); /* "/name" */
		bool last = in + segment >= query;

		if (segment == 2 && in[1] == '.') {
			if (last)
				*out++ = '/';
		} else if (segment == 3 && in[1] == '.' && in[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (last)
				*out++ = '/';
		} else {
			memmove(out, in, segment);
			out += segment;
		}
		in += segment;
	}
	memmove(out, query, strlen(query) + 1);
}

/* A path, a query or a relative path, against that of `from`. */
static int resolve_path(const char *from, const char *reference, char ret_path[static HTTP_PATH_SIZE])
{
	size_t keep = strcspn(from, "?");
	const char *join = "";
	int length;

	if (*reference == '\0')
		keep = strlen(from);
	else if (*reference == '/')
		keep = 0;
	else if (*reference != '?')
		while (keep > 0 && from[keep - 1] != '/')
			keep--;
	if (keep == 0 && *reference != '/')
		join = "/";
	length = snprintf(ret_path, HTTP_PATH_SIZE, "%.*s%s%s", (int)keep, from, join, reference);
	if (length >= HTTP_PATH_SIZE)
		return -EINVAL;
	remove_dot_segments(ret_path);
	return 0;
}

int http_location_resolve(const struct http_place *from, const char *location, size_t length,
			  struct http_place *ret_place)
{
	struct http_place place = *from;
	char text[HTTP_PATH_SIZE];
	char *rest = text, *authority = NULL;
	size_t scheme;

	if (length == 0 || length >= sizeof text)
		return -EINVAL;
	for (size_t i = 0; i < length; i++)
		if (location[i] <= ' ' || location[i] >= 0x7f)
			return -EINVAL;
	memcpy(text, location, length);
	text[length] = '\0';
	text[strcspn(text, "#")] = '\0';
	scheme = strcspn(text, ":/?");
	if (text[scheme] == ':') {
		if (strncasecmp(text, "http://", 7) != 0)
			return -EINVAL;
		authority = text + 7;
	} else if (strncmp(text, "//", 2) == 0) {
		authority = text + 2;
	}
	if (authority != NULL) {
		size_t size = strcspn(authority, "/?");

		if (size == 0 || size >= sizeof place.authority)
			return -EINVAL;
		rest = authority + size;
		memcpy(place.authority, authority, size);
		place.authority[size] = '\0';
		if (strcasecmp(place.authority, from->authority) != 0 &&
		    read_authority(place.authority, &place.address) != 0)
			return -EINVAL;
		if (resolve_path("/", rest, place.path) != 0)
			return -EINVAL;
	} else if (resolve_path(from->path, rest, place.path) != 0) {
		return -EINVAL;
	}
	*ret_place = place;
	return 0;
}
