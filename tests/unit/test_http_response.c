/* test_http_response.c: bytes to verdicts, the same however the bytes were split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/http_check.h"
#include "watch/http_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(literal) .text = (literal), .length = sizeof(literal) - 1
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* What comes, with its end or (`hangs`) without; REASON_COUNT: no verdict yet. */
struct stream {
	const char *name;
	const char *text;
	size_t length;
	enum reason reason;
	int code;
	bool hangs;
	bool bodiless;
	const char *body, *header; /* expressions */
	const char *location;      /* redirects are followed, and this is one */
	bool follow;
	int last_status; /* 0: only 200 passes; otherwise all from 200 to this */
};

struct verdict {
	int progress;
	enum reason reason;
	int code;
	char location[64];
};

static const struct stream streams[] = {
	/* whole answers */
	{ "a page", BYTES(OK "Content-Length: 5\r\n\r\nhello"), REASON_OK, 200 },
	{ "a page, and the connection stays", BYTES(OK "Content-Length: 5\r\n\r\nhello"), REASON_OK, 200,
	  .hangs = true },
	{ "no body", BYTES(OK "Content-Length: 0\r\n\r\n"), REASON_OK, 200, .hangs = true },
	{ "a body up to the end", BYTES(OK "\r\nhello"), REASON_OK, 200 },
	{ "a body up to an end that does not come", BYTES(OK "\r\nhello"), REASON_COUNT, 200, .hangs = true },
	{ "HTTP/1.0", BYTES("HTTP/1.0 200 OK\r\n\r\nhello"), REASON_OK, 200 },
	{ "no reason phrase", BYTES("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), REASON_OK, 200 },
	{ "no space for it either", BYTES("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), REASON_OK, 200 },
	{ "bare LFs", BYTES("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"), REASON_OK, 200, .hangs = true },
	{ "mixed line ends", BYTES("HTTP/1.1 200 OK\nContent-Length: 2\r\n\nhi"), REASON_OK, 200, .hangs = true },
	{ "more than was declared", BYTES(OK "Content-Length: 2\r\n\r\nhiHTTP/1.1 500 No\r\n\r\n"), REASON_OK, 200 },
	{ "HEAD", BYTES(OK "Content-Length: 5000\r\n\r\n"), REASON_OK, 200, .bodiless = true, .hangs = true },
	{ "HEAD, chunked", BYTES(CHUNKED), REASON_OK, 200, .bodiless = true, .hangs = true },
	{ "204", BYTES("HTTP/1.1 204 No Content\r\n\r\n"), REASON_OK, 204, .last_status = 299, .hangs = true },
	{ "304", BYTES("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"), REASON_OK, 304, .last_status = 399,
	  .hangs = true },
	{ "205 has a body like others", BYTES("HTTP/1.1 205 Reset\r\nContent-Length: 1\r\n\r\n"), REASON_COUNT, 205,
	  .last_status = 299, .hangs = true },
	{ "100 first", BYTES("HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 0\r\n\r\n"), REASON_OK, 200 },
	{ "103 first, with fields",
	  BYTES("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n" OK "Content-Length: 1\r\n\r\nx"),
	  REASON_OK, 200, .hangs = true },

	/* cut short */
	{ "nothing at all", BYTES(""), REASON_RESET, 0 },
	{ "one byte", BYTES("H"), REASON_PROTOCOL, 0 },
	{ "half a status line", BYTES("HTTP/1.1 20"), REASON_PROTOCOL, 0 },
	{ "half a head", BYTES(OK "Content-Le"), REASON_PROTOCOL, 200 },
	{ "half a body", BYTES(OK "Content-Length: 5\r\n\r\nhel"), REASON_PROTOCOL, 200 },
	{ "only a 100", BYTES("HTTP/1.1 100 Continue\r\n\r\n"), REASON_PROTOCOL, 0 },
	{ "a hang in the status line", BYTES("HTTP/1.1 200 O"), REASON_COUNT, 0, .hangs = true },
	{ "a hang in the head", BYTES(OK "Content-"), REASON_COUNT, 200, .hangs = true },
	{ "a hang after 103", BYTES("HTTP/1.1 103 E\r\n\r\n"), REASON_COUNT, 0, .hangs = true },

	/* not HTTP/1 */
	{ "HTTP/0.9", BYTES("<html>hello</html>"), REASON_PROTOCOL, 0 },
	{ "garbage is known by its first byte", BYTES("\x80"), REASON_PROTOCOL, 0, .hangs = true },
	{ "HTTP/2 settings", BYTES("\0\0\x12\4\0\0\0\0\0"), REASON_PROTOCOL, 0, .hangs = true },
	{ "HTTP/2 status line", BYTES("HTTP/2 200\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "an HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "TLS", BYTES("\x15\3\1\0\2\2\x46"), REASON_PROTOCOL, 0, .hangs = true },
	{ "SSH", BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "lower case", BYTES("http/1.1 200 OK\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "an empty line first", BYTES("\r\n" OK "\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "a status of two digits", BYTES("HTTP/1.1 20 OK\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "of four", BYTES("HTTP/1.1 2000 OK\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "below 100", BYTES("HTTP/1.1 099 OK\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "two spaces", BYTES("HTTP/1.1  200 OK\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "NUL in the reason phrase", BYTES("HTTP/1.1 200 O\0K\r\n\r\n"), REASON_PROTOCOL, 0, .hangs = true },
	{ "101 that nobody asked for", BYTES("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), REASON_PROTOCOL, 0,
	  .hangs = true },

	/* statuses */
	{ "500 is certain with its head", BYTES("HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n"), REASON_STATUS, 500,
	  .hangs = true },
	{ "404, chunking wrong", BYTES("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nzz"), REASON_STATUS, 404 },
	{ "999", BYTES("HTTP/1.1 999 Denied\r\n\r\n"), REASON_STATUS, 999, .hangs = true },
	{ "500 with a bad head", BYTES("HTTP/1.1 500 No\r\nno field\r\n\r\n"), REASON_PROTOCOL, 500, .hangs = true },

	/* fields */
	{ "no colon", BYTES(OK "Server Apache\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "no name", BYTES(OK ": x\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a space before the colon", BYTES(OK "Content-Length : 0\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a fold before any field", BYTES(OK " x\r\nA: b\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a bare CR", BYTES(OK "A: b\rContent-Length: 0\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a bare CR before the line end", BYTES(OK "A: b\r\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a line that starts with a CR", BYTES(OK "\rA: b\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "NUL in a value", BYTES(OK "A: b\0c\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "NUL in a name", BYTES(OK "A\0: b\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "empty values, tabs, bytes above 127", BYTES(OK "A:\r\nB:\t\xff \r\nContent-Length:0\r\n\r\n"), REASON_OK,
	  200 },

	/* lengths */
	{ "leading zeros", BYTES(OK "Content-Length: 0000000000000000000000000002\r\n\r\nhi"), REASON_OK, 200,
	  .hangs = true },
	{ "the same twice", BYTES(OK "Content-Length: 2\r\ncontent-length: 2\r\n\r\nhi"), REASON_OK, 200,
	  .hangs = true },
	{ "the same in a list", BYTES(OK "Content-Length: 2, 2 ,02\r\n\r\nhi"), REASON_OK, 200, .hangs = true },
	{ "two", BYTES(OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"), REASON_PROTOCOL, 200, .hangs = true },
	{ "two in a list", BYTES(OK "Content-Length: 2, 3\r\n\r\nhi"), REASON_PROTOCOL, 200, .hangs = true },
	{ "negative", BYTES(OK "Content-Length: -1\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "signed", BYTES(OK "Content-Length: +1\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "hexadecimal", BYTES(OK "Content-Length: 0x1\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "none", BYTES(OK "Content-Length:\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a comma too many", BYTES(OK "Content-Length: 1,\r\n\r\nx"), REASON_PROTOCOL, 200, .hangs = true },
	{ "2^64", BYTES(OK "Content-Length: 18446744073709551616\r\n\r\nx"), REASON_PROTOCOL, 200, .hangs = true },
	{ "2^64 - 1", BYTES(OK "Content-Length: 18446744073709551615\r\n\r\nx"), REASON_COUNT, 200, .hangs = true },
	{ "folded", BYTES(OK "Content-Length:\r\n 2\r\n\r\nhi"), REASON_OK, 200, .hangs = true },
	{ "folded apart", BYTES(OK "Content-Length: 1\r\n 2\r\n\r\nhi"), REASON_PROTOCOL, 200, .hangs = true },
	{ "beside chunking", BYTES(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	  REASON_PROTOCOL, 200, .hangs = true },

	/* chunks */
	{ "chunks", BYTES(CHUNKED "5\r\nhello\r\n0\r\n\r\n"), REASON_OK, 200, .hangs = true },
	{ "either case, zeros", BYTES(CHUNKED "a\r\n0123456789\r\n0A\r\n0123456789\r\n000\r\n\r\n"), REASON_OK, 200,
	  .hangs = true },
	{ "extensions", BYTES(CHUNKED "1;a=b;c=\"d\"\r\nx\r\n1 ; e\r\ny\r\n0;f\r\n\r\n"), REASON_OK, 200,
	  .hangs = true },
	{ "trailers", BYTES(CHUNKED "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n"), REASON_OK, 200, .hangs = true },
	{ "trailers with bare LFs", BYTES(CHUNKED "0\r\nA: b\n\n"), REASON_OK, 200, .hangs = true },
	{ "Chunked", BYTES(OK "transfer-encoding:Chunked\r\n\r\n0\r\n\r\n"), REASON_OK, 200, .hangs = true },
	{ "no last chunk", BYTES(CHUNKED "1\r\nx\r\n"), REASON_PROTOCOL, 200 },
	{ "no end behind it", BYTES(CHUNKED "0\r\n"), REASON_PROTOCOL, 200 },
	{ "a size that is none", BYTES(CHUNKED "x\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "an empty size", BYTES(CHUNKED "\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a negative size", BYTES(CHUNKED "-1\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "0x1", BYTES(CHUNKED "0x1\r\nx\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a size without CR", BYTES(CHUNKED "1\nx\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "an extension without CR", BYTES(CHUNKED "1;a\nx\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a CR without LF", BYTES(CHUNKED "1\rx"), REASON_PROTOCOL, 200, .hangs = true },
	{ "data longer than its size", BYTES(CHUNKED "1\r\nxx\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "data that ends in LF", BYTES(CHUNKED "1\r\nx\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "data that ends in CR", BYTES(CHUNKED "1\r\nx\rz"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a size of 17 digits", BYTES(CHUNKED "00000000000000001\r\nx"), REASON_PROTOCOL, 200, .hangs = true },
	{ "a size of 2^64 - 1", BYTES(CHUNKED "ffffffffffffffff\r\nx"), REASON_COUNT, 200, .hangs = true },
	{ "CR, then no LF, at the end", BYTES(CHUNKED "0\r\n\rX"), REASON_PROTOCOL, 200, .hangs = true },
	{ "in HTTP/1.0", BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), REASON_PROTOCOL,
	  200 },
	{ "gzip", BYTES(OK "Transfer-Encoding: gzip\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "gzip, chunked", BYTES(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"), REASON_PROTOCOL, 200, .hangs = true },
	{ "twice chunked", BYTES(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  REASON_PROTOCOL, 200, .hangs = true },

	/* expectations */
	{ "the body", BYTES(OK "Content-Length: 11\r\n\r\nHello World"), REASON_OK, 200, .body = "W[aeiou]rld$" },
	{ "another body", BYTES(OK "Content-Length: 11\r\n\r\nHello World"), REASON_BODY, 200, .body = "Moon" },
	{ "the body in chunks", BYTES(CHUNKED "5\r\nHello\r\n6;x\r\n World\r\n0\r\n\r\n"), REASON_OK, 200,
	  .body = "^Hello World$" },
	{ "not the chunking", BYTES(CHUNKED "5\r\nHello\r\n0\r\n\r\n"), REASON_BODY, 200, .body = "5" },
	{ "the body up to the end", BYTES(OK "\r\nHello World"), REASON_OK, 200, .body = "World" },
	{ "behind NUL", BYTES(OK "\r\n\0\0Hello\0World"), REASON_OK, 200, .body = "World" },
	{ "a line", BYTES(OK "\r\none\ntwo\nthree\n"), REASON_OK, 200, .body = "^two$" },
	{ "not across lines", BYTES(OK "\r\none\ntwo\n"), REASON_BODY, 200, .body = "one.two" },
	{ "no empty line behind the last", BYTES(OK "\r\none\n"), REASON_BODY, 200, .body = "^$" },
	{ "an empty body", BYTES(OK "Content-Length: 0\r\n\r\n"), REASON_OK, 200, .body = "^$" },
	{ "no body", BYTES("HTTP/1.1 204 N\r\n\r\n"), REASON_BODY, 204, .body = "x", .last_status = 299 },
	{ "in the body, not the head", BYTES(OK "A: x\r\n\r\nhello"), REASON_BODY, 200, .body = "A: x" },
	{ "not behind the body", BYTES(OK "Content-Length: 2\r\n\r\nhiWorld"), REASON_BODY, 200, .body = "World" },
	{ "not cut short", BYTES(OK "Content-Length: 99\r\n\r\nWorld"), REASON_PROTOCOL, 200, .body = "World" },
	{ "a field", BYTES(OK "Server:Apache/2.4 \r\nContent-Length: 0\r\n\r\n"), REASON_OK, 200,
	  .header = "^Server: Apache/2.4$" },
	{ "no such field", BYTES(OK "Server: nginx\r\n\r\n"), REASON_HEADER, 200, .header = "^Server: Apache",
	  .hangs = true },
	{ "a field's value, not its neighbour's", BYTES(OK "A: b\r\nC: d\r\n\r\n"), REASON_HEADER, 200,
	  .header = "b.*C" },
	{ "a folded field", BYTES(OK "A: b \r\n \tc\r\n\td\r\nContent-Length: 0\r\n\r\n"), REASON_OK, 200,
	  .header = "^A: b c d$" },
	{ "not of a 103", BYTES("HTTP/1.1 103 E\r\nA: b\r\n\r\n" OK "\r\n"), REASON_HEADER, 200, .header = "^A: b" },
	{ "not in the status line", BYTES(OK "\r\n"), REASON_HEADER, 200, .header = "200" },
	{ "the status before the header", BYTES("HTTP/1.1 503 B\r\n\r\n"), REASON_STATUS, 503, .header = "x",
	  .body = "y" },

	/* redirects */
	{ "followed", BYTES("HTTP/1.1 302 F\r\nlocation:  /b \r\n\r\n"), REASON_COUNT, 302, .follow = true,
	  .location = "/b", .hangs = true },
	{ "the first of two", BYTES("HTTP/1.1 301 M\nLocation: /b\nLocation: /c\n\n"), REASON_COUNT, 301,
	  .follow = true, .location = "/b", .hangs = true },
	{ "after a 100", BYTES("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 308 P\r\nLocation: /b\r\n\r\n"), REASON_COUNT, 308,
	  .follow = true, .location = "/b", .hangs = true },
	{ "to nowhere", BYTES("HTTP/1.1 302 F\r\n\r\n"), REASON_STATUS, 302, .follow = true },
	{ "one too many", BYTES("HTTP/1.1 302 F\r\nLocation: /b\r\n\r\n"), REASON_STATUS, 302 },
	{ "a page with a Location", BYTES(OK "Location: /b\r\nContent-Length: 0\r\n\r\n"), REASON_OK, 200,
	  .follow = true },
	{ "300 is a choice", BYTES("HTTP/1.1 300 C\r\nLocation: /b\r\n\r\n"), REASON_STATUS, 300, .follow = true },
};

/* An expectation with what it points to. */
struct wish {
	struct http_expect expect;
	regex_t body, header;
};

static void wish_make(struct wish *wish, const struct stream *stream)
{
	*wish = (struct wish){ .expect.statuses.count = 1 };
	wish->expect.statuses.ranges[0].first = 200;
	wish->expect.statuses.ranges[0].last = stream->last_status != 0 ? stream->last_status : 200;
	if (stream->body != NULL) {
		assert_int_equal(regcomp(&wish->body, stream->body, HTTP_EXPECT_REGEX_FLAGS), 0);
		wish->expect.body = &wish->body;
	}
	if (stream->header != NULL) {
		assert_int_equal(regcomp(&wish->header, stream->header, HTTP_EXPECT_REGEX_FLAGS), 0);
		wish->expect.header = &wish->header;
	}
}

static void wish_clear(struct wish *wish)
{
	if (wish->expect.body != NULL)
		regfree(&wish->body);
	if (wish->expect.header != NULL)
		regfree(&wish->header);
}

/* Feed each piece from a block of its own size, so that reading past it is seen. */
static int feed(struct http_response *response, const char *text, size_t length, struct verdict *verdict)
{
	char *copy = malloc(length > 0 ? length : 1);
	int progress;

	memcpy(copy, text, length);
	progress = http_response_feed(response, copy, length);
	if (progress == HTTP_REDIRECTED)
		snprintf(verdict->location, sizeof verdict->location, "%.*s", (int)response->head.location_length,
			 response->head.location);
	free(copy);
	return progress;
}

/* Pieces of `first`, then of `step` bytes each. */
static struct verdict judge(const struct stream *stream, const struct wish *wish, size_t first, size_t step)
{
	struct http_response response = { 0 };
	struct verdict verdict = { .progress = HTTP_MORE };
	size_t at = 0, size = first;

	http_response_start(&response, &wish->expect, stream->bodiless, stream->follow);
	while (verdict.progress == HTTP_MORE && at < stream->length) {
		if (size > stream->length - at)
			size = stream->length - at;
		verdict.progress = feed(&response, stream->text + at, size, &verdict);
		at += size;
		size = step;
	}
	if (verdict.progress == HTTP_MORE && !stream->hangs)
		verdict.progress = http_response_end(&response);
	verdict.reason = verdict.progress == HTTP_DONE ? response.reason : REASON_COUNT;
	verdict.code = response.code;
	http_response_clear(&response);
	return verdict;
}

static void check(const struct stream *stream, const struct verdict *verdict, size_t first, size_t step)
{
	const char *location = stream->location != NULL ? stream->location : "";

	if (verdict->reason == stream->reason && verdict->code == stream->code &&
	    strcmp(verdict->location, location) == 0)
		return;
	fail_msg("%s (first %zu, then %zu): %s %d \"%s\" instead of %s %d \"%s\"", stream->name, first, step,
		 verdict->reason == REASON_COUNT ? "nothing" : reason_name(verdict->reason), verdict->code,
		 verdict->location, stream->reason == REASON_COUNT ? "nothing" : reason_name(stream->reason),
		 stream->code, location);
}

/* In one piece, byte by byte, and cut in two everywhere. */
static void every_split_says_the_same(void **state)
{
	for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
		const struct stream *stream = &streams[i];
		struct verdict verdict;
		struct wish wish;

		wish_make(&wish, stream);
		verdict = judge(stream, &wish, 1, 1);
		check(stream, &verdict, 1, 1);
		for (size_t first = 1; first <= stream->length; first++) {
			verdict = judge(stream, &wish, first, stream->length);
			check(stream, &verdict, first, stream->length);
		}
		wish_clear(&wish);
	}
}

/* `start`, then `fill` over and over up to `length` bytes, then `end`. */
static struct stream large(const char *name, const char *start, const char *fill, size_t length, const char *end)
{
	size_t at = strlen(start), size = strlen(fill), tail = strlen(end);
	char *text = malloc(length + tail + 1);

	memcpy(text, start, at);
	for (size_t i = 0; at < length; i++)
		text[at++] = fill[i % size];
	memcpy(text + at, end, tail);
	return (struct stream){ .name = name, .text = text, .length = at + tail, .hangs = true, .code = 200 };
}

static void large_says(struct stream stream, enum reason reason, int code, const char *body)
{
	static const size_t steps[] = { 1, 7, 1000, 16384, 1 << 24 };
	struct verdict verdict;
	struct wish wish;

	stream.reason = reason;
	stream.code = code;
	stream.body = body;
	wish_make(&wish, &stream);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		verdict = judge(&stream, &wish, steps[i], steps[i]);
		check(&stream, &verdict, steps[i], steps[i]);
	}
	wish_clear(&wish);
	free((char *)stream.text);
}

static void heads_are_bounded(void **state)
{
	const size_t max = HTTP_CHECK_HEAD_MAX_BYTES;

	large_says(large("a head of the bound", OK "A: ", "x", max - 4, "\r\n\r\n"), REASON_COUNT, 200, NULL);
	large_says(large("a byte more", OK "A: ", "x", max - 3, "\r\n\r\n"), REASON_TOO_LARGE, 200, NULL);
	large_says(large("endless headers", OK, "A: b\r\n", 1 << 20, ""), REASON_TOO_LARGE, 200, NULL);
	large_says(large("an endless status line", "HTTP/1.1 200 ", "x", 1 << 20, ""), REASON_TOO_LARGE, 0, NULL);
	large_says(large("endless 100s", "", "HTTP/1.1 100 Continue\r\n\r\n", 1 << 20, ""), REASON_TOO_LARGE, 0, NULL);
	large_says(large("an endless fold", OK "A: b\r\n", " c\r\n", 1 << 20, ""), REASON_TOO_LARGE, 200, NULL);
	large_says(large("endless trailers", CHUNKED "0\r\n", "A: b\r\n", 1 << 20, ""), REASON_TOO_LARGE, 200, NULL);
	large_says(large("an endless extension", CHUNKED "1;", "x", 1 << 20, ""), REASON_TOO_LARGE, 200, NULL);
	large_says(large("extensions without end", CHUNKED, "1;abcdefghij\r\nx\r\n", 1 << 20, ""), REASON_TOO_LARGE,
		   200, NULL);
}

static void bodies_are_bounded(void **state)
{
	const size_t max = HTTP_CHECK_BODY_MAX_BYTES, head = sizeof OK "\r\n" - 1;

	large_says(large("an endless body", OK "\r\n", "x", 1 << 20, ""), REASON_OK, 200, NULL);
	large_says(large("10 GB", OK "Content-Length: 10000000000\r\n\r\n", "x", 1 << 20, ""), REASON_OK, 200, NULL);
	large_says(large("endless chunks", CHUNKED, "1\r\nx\r\n", 2 << 20, ""), REASON_OK, 200, NULL);
	large_says(large("one endless chunk", CHUNKED "ffffffffffff\r\n", "x", 2 << 20, ""), REASON_OK, 200, NULL);
	large_says(large("a byte less, and a hang", OK "\r\n", "x", head + max - 1, ""), REASON_COUNT, 200, NULL);
	large_says(large("the bound", OK "\r\n", "x", head + max, ""), REASON_OK, 200, NULL);
	large_says(large("seen", OK "\r\nHello World", "x\n", 1 << 20, ""), REASON_OK, 200, "World");
	large_says(large("at the bound", OK "\r\n", "x\n", head + max - 5, "World"), REASON_OK, 200, "World$");
	large_says(large("not seen", OK "\r\n", "x\n", head + max - 4, "World"), REASON_TOO_LARGE, 200, "World");
	large_says(large("declared as the bound, not there", OK "Content-Length: 262144\r\n\r\n", "x\n", max + 200, ""),
		   REASON_BODY, 200, "World");
	assert_int_equal(max, 262144);
}

static struct stream one_line(const char *name, const char *end)
{
	struct stream stream = large(name, OK "\r\n", "abcdefgh", 200000, end);

	stream.hangs = false;
	return stream;
}

/* What an expression costs does not grow with the square of a line. */
static void long_lines_are_looked_at_in_pieces(void **state)
{
	large_says(one_line("at the end", "World"), REASON_OK, 200, "abc.*World$");
	large_says(one_line("^ is the start of the line", "World"), REASON_BODY, 200, "^World");
	large_says(one_line("$ is its end", "World"), REASON_BODY, 200, "h$");
	large_says(one_line("the line behind it", "\nWorld"), REASON_OK, 200, "^World$");
	large_says(one_line("the square", ""), REASON_BODY, 200, ".*x");
}

static void a_redirect_that_is_not_followed_is_judged(void **state)
{
	static const char text[] = "HTTP/1.1 301 M\r\nLocation: https://a/\r\nContent-Length: 5\r\n\r\n";
	struct http_response response = { 0 };
	struct stream stream = { .last_status = 200 };
	struct wish wish;

	wish_make(&wish, &stream);
	http_response_start(&response, &wish.expect, false, true);
	assert_int_equal(http_response_feed(&response, text, sizeof text - 1), HTTP_REDIRECTED);
	assert_int_equal(http_response_judge_redirect(&response), HTTP_DONE);
	assert_int_equal(response.reason, REASON_STATUS);

	wish.expect.statuses.ranges[0].last = 399;
	http_response_start(&response, &wish.expect, false, true);
	assert_int_equal(http_response_feed(&response, text, sizeof text - 1), HTTP_REDIRECTED);
	assert_int_equal(http_response_judge_redirect(&response), HTTP_DONE);
	assert_int_equal(response.reason, REASON_OK);
	http_response_clear(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_says_the_same),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(bodies_are_bounded),
		cmocka_unit_test(long_lines_are_looked_at_in_pieces),
		cmocka_unit_test(a_redirect_that_is_not_followed_is_judged),
	};

	return cmocka_run_group_tests_name("http_response", tests, NULL, NULL);
}
