/* http_request.c: see http_request.h. */
#include "watch/http_request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The server closes, so that it and not this side does the bookkeeping of a closed connection. */
static const char rest[] = "\r\nUser-Agent: openbell/" OPENBELL_VERSION "\r\nAccept: */*\r\nConnection: close\r\n\r\n";
static const char rest_empty[] = "\r\nUser-Agent: openbell/" OPENBELL_VERSION
				 "\r\nAccept: */*\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/* RFC 9110, 8.6: a method that usually carries content says that there is none. */
static const char *rest_for(const char *method)
{
	if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0)
		return rest_empty;
	return rest;
}

static bool is_plain(const char *text, size_t size)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return length > 0 && length < size;
}

static size_t append(char *text, size_t at, const char *word)
{
	size_t length = strlen(word);

	memcpy(text + at, word, length + 1);
	return at + length;
}

/* The request line and "Host: "; returns where Host's value goes. */
static size_t write_start(char *text, const char *method, const char *path)
{
	size_t at = append(text, 0, method);

	at = append(text, at, " ");
	at = append(text, at, path);
	return append(text, at, " HTTP/1.1\r\nHost: ");
}

int http_request_prepare(struct http_request *request, const char *method, const char *path, const char *host)
{
	if (!is_plain(method, sizeof request->method) || !is_plain(path, sizeof request->path) || path[0] != '/')
		return -EINVAL;
	if (host != NULL && !is_plain(host, sizeof request->host))
		return -EINVAL;
	*request = (struct http_request){ 0 };
	append(request->method, 0, method);
	append(request->path, 0, path);
	request->host_at = write_start(request->text, method, path);
	if (host != NULL) {
		append(request->host, 0, host);
		request->length =
			append(request->text, append(request->text, request->host_at, host), rest_for(method));
	}
	return 0;
}

void http_request_address(struct http_request *request, const struct sockaddr_storage *address)
{
	char authority[HTTP_AUTHORITY_SIZE];

	if (request->host[0] != '\0')
		return;
	http_authority_format(address, authority);
	request->length =
		append(request->text, append(request->text, request->host_at, authority), rest_for(request->method));
}

size_t http_request_redirected(const struct http_request *request, const struct http_place *place, bool get,
			       char ret_text[static HTTP_REQUEST_SIZE])
{
	const char *method = get ? "GET" : request->method;
	size_t at = write_start(ret_text, method, place->path);

	return append(ret_text, append(ret_text, at, place->authority), rest_for(method));
}

void http_request_place(const struct http_request *request, const struct sockaddr_storage *address,
			struct http_place *ret_place)
{
	*ret_place = (struct http_place){ .address = *address };
	append(ret_place->path, 0, request->path);
	if (request->host[0] != '\0')
		append(ret_place->authority, 0, request->host);
	else
		http_authority_format(address, ret_place->authority);
}
