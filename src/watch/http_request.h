/* http_request.h: the bytes of a check's request, prepared once (RFC 9112, 3). */
#ifndef WATCH_HTTP_REQUEST_H
#define WATCH_HTTP_REQUEST_H

#include "watch/http_location.h"

#include <stdbool.h>

#define HTTP_METHOD_SIZE 32
#define HTTP_REQUEST_SIZE (HTTP_METHOD_SIZE + HTTP_PATH_SIZE + HTTP_AUTHORITY_SIZE + 160)

struct http_request {
	char method[HTTP_METHOD_SIZE];
	char path[HTTP_PATH_SIZE];
	char host[HTTP_AUTHORITY_SIZE]; /* "": each target's own address */
	size_t host_at;                 /* where Host's value starts in `text` */
	size_t length;
	char text[HTTP_REQUEST_SIZE];
};

/*
 * `host` may be NULL.  -EINVAL where a request could not be made of it: too
 * long, empty, or with a space or a control character in it.
 */
int http_request_prepare(struct http_request *request, const char *method, const char *path, const char *host);

/* Make `text` the request to this address; free of charge where the host is the same for all. */
void http_request_address(struct http_request *request, const struct sockaddr_storage *address);

/*
 * Write the request that follows a redirect, which is a GET where `get`
 * (RFC 9110, 15.4).  Returns its length.
 */
size_t http_request_redirected(const struct http_request *request, const struct http_place *place, bool get,
			       char ret_text[static HTTP_REQUEST_SIZE]);

/* Where the request to this address goes. */
void http_request_place(const struct http_request *request, const struct sockaddr_storage *address,
			struct http_place *ret_place);

#endif
