/*
 * http_head.h: a response's status line and header fields (RFC 9112, 4 to 6),
 * once they are there whole.  Pure.
 *
 * Taken as RFC 9112 allows: lines that end in a bare LF, folded lines (their
 * folds read as one space), a status line without a reason phrase.  Refused,
 * because what follows could not be trusted: NUL or a bare CR, a name that is
 * no token or has white space behind it, lengths that are no number, overflow
 * or contradict each other, Transfer-Encoding beside Content-Length, in
 * HTTP/1.0, or other than "chunked" (nobody asked for another).
 */
#ifndef WATCH_HTTP_HEAD_H
#define WATCH_HTTP_HEAD_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head {
	int minor; /* HTTP/1.minor */
	int code;  /* 100 to 999 */
	bool has_length, chunked;
	uint64_t length;      /* Content-Length, where it has one */
	const char *location; /* into the head, or NULL; the first where there are several */
	size_t location_length;
	bool wanted_seen; /* a field matched the expression that was asked for */
};

/*
 * Both return 0 or -EPROTO (http_head_fields also -ENOMEM).  The status line comes without its line end and
 * sets `minor` and `code`; fields are every line behind it, up to and with
 * the empty one, and set the rest.  `wanted` (or NULL) is tried on each field
 * as "Name: value", the name as the server wrote it.
 */
int http_head_status_line(struct http_head *head, const char *line, size_t length);
int http_head_fields(struct http_head *head, const char *text, size_t length, const regex_t *wanted);

#endif
