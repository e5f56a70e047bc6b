/*
 * http_location.h: where a request goes, and where a redirect leads (RFC 9110,
 * 10.2.2; RFC 3986, 5).  Pure.
 */
#ifndef WATCH_HTTP_LOCATION_H
#define WATCH_HTTP_LOCATION_H

#include <stddef.h>
#include <sys/socket.h>

#define HTTP_AUTHORITY_SIZE 264 /* "[2001:db8::1]:8080", "www.example.com:8080" */
#define HTTP_PATH_SIZE 2048

struct http_place {
	struct sockaddr_storage address;
	char authority[HTTP_AUTHORITY_SIZE]; /* what Host says */
	char path[HTTP_PATH_SIZE];           /* with the query */
};

/* "127.0.0.1:8080", "[::1]:8080"; without the port where it is 80. */
void http_authority_format(const struct sockaddr_storage *address, char ret_text[static HTTP_AUTHORITY_SIZE]);

/*
 * Resolve a Location against the place that sent it: absolute or relative,
 * plain http, to the authority that was asked already or to a numeric
 * address.  Returns 0, or -EINVAL where it is none, is longer than
 * HTTP_PATH_SIZE, or leads to https, another scheme, a name or a user.
 */
int http_location_resolve(const struct http_place *from, const char *location, size_t length,
			  struct http_place *ret_place);

#endif
