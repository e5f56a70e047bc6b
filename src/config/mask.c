/* mask.c: see mask.h. */
#define _GNU_SOURCE
#include "config/mask.h"

#include <stdlib.h>
#include <string.h>

#define MASK "***"
#define TOKEN_LENGTH 16

bool mask_is_masked(const char *url)
{
	return strstr(url, MASK) != NULL;
}

static char *put(char *out, const char *text, size_t length)
{
	memcpy(out, text, length);
	return out + length;
}

static char *put_path(char *out, const char *path, const char *end)
{
	while (path < end) {
		size_t length = strcspn(path + 1, "/?#");

		*out++ = '/';
		if (length >= TOKEN_LENGTH)
			out = put(out, MASK, strlen(MASK));
		else
			out = put(out, path + 1, length);
		path += 1 + length;
	}
	return out;
}

char *mask_url(const char *url)
{
	/* A mask is never longer than 3 + what it stands for. */
	char *masked = malloc(strlen(url) + 3 * sizeof MASK);
	const char *host = strstr(url, "://");
	const char *path;
	const char *query;
	const char *at;
	char *out = masked;

	if (masked == NULL)
		return NULL;
	host = host != NULL ? host + 3 : url;
	path = host + strcspn(host, "/?#");
	query = path + strcspn(path, "?#");
	out = put(out, url, (size_t)(host - url));
	at = memrchr(host, '@', (size_t)(path - host));
	if (at != NULL) {
		out = put(out, MASK, strlen(MASK));
		host = at;
	}
	out = put(out, host, (size_t)(path - host));
	out = put_path(out, path, query);
	if (*query != '\0') {
		*out++ = *query;
		out = put(out, MASK, strlen(MASK));
	}
	*out = '\0';
	return masked;
}
