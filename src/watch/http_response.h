/*
 * http_response.h: what a server sends, judged as it comes (RFC 9110, 9112).
 *
 * Pure and bounded: bytes in, a verdict out, the same one however the bytes
 * were split.  The verdict comes as soon as it is certain:
 *
 * - no HTTP/1.x from the first byte on (HTTP/0.9, HTTP/2, garbage), a head
 *   that http_head.h refuses, wrong chunking, 101 (nobody asked for it), or
 *   an end of the connection before the answer's own: REASON_PROTOCOL; an end
 *   before its first byte: REASON_RESET;
 * - heads (with those of 1xx answers before the final one), chunk extensions
 *   and trailers of HTTP_CHECK_HEAD_MAX_BYTES together: REASON_TOO_LARGE;
 * - a status or a header that was not expected fails with the head alone;
 * - otherwise the body is read to its end or to HTTP_CHECK_BODY_MAX_BYTES,
 *   whichever comes first: a server that hangs within a page is noticed, a
 *   body of 10 GB costs 256 KiB.  A longer body passes, unless one was
 *   expected and is not in the part looked at: REASON_TOO_LARGE.
 *
 * What stands behind a complete answer is not looked at.
 *
 * Expressions are matched line by line (REG_NEWLINE), NUL bytes included; of
 * a line longer than HTTP_RESPONSE_LINE_BYTES a match up to half of that long
 * is found, which keeps an expression like ".*x" from costing the square of
 * the body.
 */
#ifndef WATCH_HTTP_RESPONSE_H
#define WATCH_HTTP_RESPONSE_H

#include "config/config.h"
#include "record/entry.h"
#include "watch/http_head.h"

#include <regex.h>

#define HTTP_RESPONSE_LINE_BYTES 2048
#define HTTP_RESPONSE_CHUNK_DIGITS 16

/* How the expressions of an http_expect are to be compiled. */
#define HTTP_EXPECT_REGEX_FLAGS (REG_EXTENDED | REG_NOSUB | REG_NEWLINE)

struct http_expect {
	struct config_statuses statuses;
	const regex_t *body;   /* NULL: any */
	const regex_t *header; /* NULL: any; otherwise one field must match */
};

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_REDIRECTED };

struct http_bytes {
	char *data;
	size_t length, size;
};

/*
 * In the head:  `pending` holds what there is of an incomplete head.
 * In the body:  `left` counts down (the body's or the chunk's bytes).
 * Done:         `reason` is the verdict.
 */
struct http_response {
	const struct http_expect *expect;
	bool bodiless; /* the request was HEAD */
	bool follow;   /* a redirect ends it */
	enum http_part {
		HTTP_PART_HEAD,
		HTTP_PART_BODY,
		HTTP_PART_BODY_TO_CLOSE,
		HTTP_PART_CHUNK_SIZE,
		HTTP_PART_CHUNK_EXTENSION,
		HTTP_PART_CHUNK_SIZE_LF,
		HTTP_PART_CHUNK,
		HTTP_PART_CHUNK_CR,
		HTTP_PART_CHUNK_LF,
		HTTP_PART_TRAILERS,
		HTTP_PART_TRAILER,
		HTTP_PART_LAST_LF,
		HTTP_PART_DONE
	} part;
	bool started;      /* a byte has come */
	size_t head_bytes; /* what counts towards HTTP_CHECK_HEAD_MAX_BYTES, before `pending` */
	size_t scanned;    /* of `pending`: no end of the head starts before this */
	size_t body_bytes;
	uint64_t left;
	int digits; /* of the chunk's size */
	struct http_head head;
	struct http_bytes pending, body;
	int code; /* the final status, as soon as its line was seen; 0: not yet */
	enum reason reason;
};

/*
 * Start over on a zeroed or used response, whose buffers stay.  `expect` must outlive it.  With
 * `follow`, an answer that redirects (301, 302, 303, 307, 308 with a
 * Location) ends in HTTP_REDIRECTED rather than in a verdict.
 */
void http_response_start(struct http_response *response, const struct http_expect *expect, bool bodiless, bool follow);

/*
 * The next bytes; none may follow HTTP_DONE.  After HTTP_REDIRECTED,
 * head.location is valid until the next call or until `data` changes, and
 * http_response_judge_redirect turns it into the verdict, by the head alone,
 * on an answer that can't be followed.  All return an http_progress, or
 * -ENOMEM: no verdict.
 */
int http_response_feed(struct http_response *response, const char *data, size_t length);
int http_response_judge_redirect(struct http_response *response);

/* The connection ended: HTTP_DONE, or -ENOMEM. */
int http_response_end(struct http_response *response);

/* Frees the buffers, not the struct.  A zeroed one is fine. */
void http_response_clear(struct http_response *response);

#endif
