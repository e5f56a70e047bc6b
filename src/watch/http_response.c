/* http_response.c: see http_response.h. */
#define _GNU_SOURCE
#include "watch/http_response.h"

#include "watch/http_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The caller knows that what is held stays below `max`.  A NUL stands behind
 * it: regexec is told the length, but what watches regexec may not know that.
 */
static int bytes_append(struct http_bytes *bytes, const char *data, size_t length, size_t max)
{
	size_t size = bytes->size > 0 ? bytes->size : 1024;
	char *grown;

	while (size < bytes->length + length + 1)
		size *= 2;
	if (size > max + 1)
		size = max + 1;
	if (size > bytes->size) {
		grown = realloc(bytes->data, size);
		if (grown == NULL)
			return -ENOMEM;
		bytes->data = grown;
		bytes->size = size;
	}
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
	bytes->data[bytes->length] = '\0';
	return 0;
}

static void bytes_free(struct http_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct http_bytes){ 0 };
}

void http_response_clear(struct http_response *response)
{
	bytes_free(&response->pending);
	bytes_free(&response->body);
}

void http_response_start(struct http_response *response, const struct http_expect *expect, bool bodiless, bool follow)
{
	struct http_bytes pending = { .data = response->pending.data, .size = response->pending.size };
	struct http_bytes body = { .data = response->body.data, .size = response->body.size };

	*response = (struct http_response){
		.expect = expect, .bodiless = bodiless, .follow = follow, .pending = pending, .body = body
	};
}

static int done(struct http_response *response, enum reason reason)
{
	response->part = HTTP_PART_DONE;
	response->reason = reason;
	return HTTP_DONE;
}

/* 1 or 0, or -ENOMEM: regexec can run out of memory, which says nothing about the text. */
static int piece_matches(const regex_t *wanted, const char *text, size_t start, size_t end, int flags)
{
	regmatch_t range = { .rm_so = 0, .rm_eo = (regoff_t)(end - start) };
	int error = regexec(wanted, text + start, 0, &range, REG_STARTEND | flags);

	return error == REG_ESPACE ? -ENOMEM : error == 0;
}

/* Whole lines as long as they fit a piece, a longer line in pieces that overlap by half. */
static int body_matches(const regex_t *wanted, const char *text, size_t length)
{
	size_t start = 0;
	int flags = 0, matches = 0;

	if (length == 0)
		return piece_matches(wanted, "", 0, 0, 0);
	while (matches == 0 && start < length) {
		size_t end = start + HTTP_RESPONSE_LINE_BYTES < length ? start + HTTP_RESPONSE_LINE_BYTES : length;
		const char *lf = memrchr(text + start, '\n', end - start);

		if (lf != NULL) {
			end = (size_t)(lf - text);
			matches = piece_matches(wanted, text, start, end, flags);
			start = end + 1;
			flags = 0;
		} else if (end == length) {
			return piece_matches(wanted, text, start, end, flags);
		} else {
			matches = piece_matches(wanted, text, start, end, flags | REG_NOTEOL);
			start += HTTP_RESPONSE_LINE_BYTES / 2;
			flags = REG_NOTBOL;
		}
	}
	return matches;
}

/* The body is there, or (not whole) as much of it as is looked at. */
static int judge_body(struct http_response *response, bool whole)
{
	const regex_t *wanted = response->expect->body;
	int matches = wanted == NULL ? 1 : body_matches(wanted, response->body.data, response->body.length);

	if (matches < 0)
		return matches;
	if (matches)
		return done(response, REASON_OK);
	return done(response, whole ? REASON_BODY : REASON_TOO_LARGE);
}

/* What the final head says about the answer, and how its body will end (RFC 9112, 6.3). */
static int judge_head(struct http_response *response)
{
	const struct http_expect *expect = response->expect;
	const struct http_head *head = &response->head;

	if (!config_status_passes(&expect->statuses, head->code))
		return done(response, REASON_STATUS);
	if (expect->header != NULL && !head->wanted_seen)
		return done(response, REASON_HEADER);
	if (response->bodiless || head->code == 204 || head->code == 304 || (head->has_length && head->length == 0))
		return judge_body(response, true);
	if (head->chunked) {
		response->part = HTTP_PART_CHUNK_SIZE;
	} else if (head->has_length) {
		response->part = HTTP_PART_BODY;
		response->left = head->length;
	} else {
		response->part = HTTP_PART_BODY_TO_CLOSE;
	}
	return HTTP_MORE;
}

int http_response_judge_redirect(struct http_response *response)
{
	int progress = judge_head(response);

	return progress == HTTP_MORE ? judge_body(response, true) : progress;
}

static bool redirects(const struct http_head *head)
{
	return head->location != NULL &&
	       (head->code == 301 || head->code == 302 || head->code == 303 || head->code == 307 || head->code == 308);
}

/* A whole head, its length included in head_bytes. */
static int take_head(struct http_response *response, const char *text, size_t length, size_t line_length)
{
	struct http_head *head = &response->head;
	int error = http_head_fields(head, text + line_length, length - line_length, response->expect->header);

	if (error == -ENOMEM)
		return error;
	if (error != 0 || head->code == 101)
		return done(response, REASON_PROTOCOL);
	if (head->code < 200) {
		*head = (struct http_head){ 0 };
		return HTTP_MORE;
	}
	if (response->follow && redirects(head))
		return HTTP_REDIRECTED;
	return judge_head(response);
}

/* The length of the head that starts at `text`, with its empty line; 0: it does not end here. */
static size_t head_length(const char *text, size_t length, size_t from)
{
	const char *end = text + length;

	for (const char *lf = text + from; (lf = memchr(lf, '\n', (size_t)(end - lf))) != NULL; lf++) {
		if (lf + 1 < end && lf[1] == '\n')
			return (size_t)(lf + 2 - text);
		if (lf + 2 < end && lf[1] == '\r' && lf[2] == '\n')
			return (size_t)(lf + 3 - text);
	}
	return 0;
}

/* Read the status line if it is there; *ret_length: with its line end, 0 when it is not. */
static int read_status_line(struct http_response *response, const char *text, size_t length, size_t *ret_length)
{
	const char *lf = memchr(text, '\n', length);
	size_t line;

	*ret_length = 0;
	if (memcmp(text, "HTTP/1.", length < 7 ? length : 7) != 0)
		return -EPROTO;
	if (lf == NULL)
		return 0;
	line = (size_t)(lf - text);
	*ret_length = line + 1;
	if (line > 0 && text[line - 1] == '\r')
		line--;
	if (http_head_status_line(&response->head, text, line) != 0)
		return -EPROTO;
	if (response->head.code >= 200)
		response->code = response->head.code;
	return 0;
}

/* Take bytes of a head; *ret_taken of them belonged to it. */
static int feed_head(struct http_response *response, const char *data, size_t length, size_t *ret_taken)
{
	struct http_bytes *pending = &response->pending;
	size_t before = pending->length, room = HTTP_CHECK_HEAD_MAX_BYTES - response->head_bytes - before;
	size_t line_length, whole;
	const char *text = data;
	int progress;

	/* A head that comes in one piece is read where it lies. */
	length = length < room ? length : room;
	*ret_taken = length;
	if (before > 0) {
		if (bytes_append(pending, data, length, HTTP_CHECK_HEAD_MAX_BYTES) != 0)
			return -ENOMEM;
		text = pending->data;
		length = pending->length;
	}
	if (read_status_line(response, text, length, &line_length) != 0)
		return done(response, REASON_PROTOCOL);
	whole = line_length > 0 ? head_length(text, length, response->scanned) : 0;
	if (whole == 0) {
		if (response->head_bytes + length == HTTP_CHECK_HEAD_MAX_BYTES)
			return done(response, REASON_TOO_LARGE);
		response->scanned = line_length > 0 && length > 2 ? length - 2 : 0;
		return before == 0 ? bytes_append(pending, data, length, HTTP_CHECK_HEAD_MAX_BYTES) : HTTP_MORE;
	}
	*ret_taken = whole - before;
	response->head_bytes += whole;
	progress = take_head(response, text, whole, line_length);
	pending->length = 0;
	response->scanned = 0;
	if (progress == HTTP_MORE && response->head_bytes == HTTP_CHECK_HEAD_MAX_BYTES && response->head.code == 0)
		return done(response, REASON_TOO_LARGE);
	return progress;
}

/* Count, and keep where an expression will look, up to the bound.  -ENOMEM, or what is left to take. */
static int keep_body(struct http_response *response, const char *data, size_t length, size_t *ret_taken)
{
	size_t room = HTTP_CHECK_BODY_MAX_BYTES - response->body_bytes;

	*ret_taken = length < room ? length : room;
	response->body_bytes += *ret_taken;
	if (response->expect->body == NULL)
		return 0;
	return bytes_append(&response->body, data, *ret_taken, HTTP_CHECK_BODY_MAX_BYTES);
}

/* Take bytes of a body or a chunk's data. */
static int feed_body(struct http_response *response, const char *data, size_t length, size_t *ret_taken)
{
	if (response->part != HTTP_PART_BODY_TO_CLOSE && length > response->left)
		length = (size_t)response->left;
	if (keep_body(response, data, length, ret_taken) != 0)
		return -ENOMEM;
	if (response->part != HTTP_PART_BODY_TO_CLOSE)
		response->left -= *ret_taken;
	if (response->part == HTTP_PART_BODY && response->left == 0)
		return judge_body(response, true);
	if (response->body_bytes == HTTP_CHECK_BODY_MAX_BYTES)
		return judge_body(response, false);
	if (response->part == HTTP_PART_CHUNK && response->left == 0)
		response->part = HTTP_PART_CHUNK_CR;
	return HTTP_MORE;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int feed_chunk_size(struct http_response *response, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0 && response->digits < HTTP_RESPONSE_CHUNK_DIGITS) {
		response->left = response->left << 4 | (uint64_t)digit;
		response->digits++;
		return HTTP_MORE;
	}
	if (digit >= 0 || response->digits == 0)
		return done(response, REASON_PROTOCOL);
	if (c == '\r')
		response->part = HTTP_PART_CHUNK_SIZE_LF;
	else if (c == ';' || c == ' ' || c == '\t')
		response->part = HTTP_PART_CHUNK_EXTENSION;
	else
		return done(response, REASON_PROTOCOL);
	return HTTP_MORE;
}

/* RFC 9112, 7.1.2: trailers are fields; their line ends may be bare LFs like the head's. */
static int feed_trailer(struct http_response *response, char c)
{
	if (response->part == HTTP_PART_LAST_LF)
		return c == '\n' ? judge_body(response, true) : done(response, REASON_PROTOCOL);
	if (response->part == HTTP_PART_TRAILER) {
		if (c == '\n')
			response->part = HTTP_PART_TRAILERS;
		return HTTP_MORE;
	}
	if (c == '\n')
		return judge_body(response, true);
	response->part = c == '\r' ? HTTP_PART_LAST_LF : HTTP_PART_TRAILER;
	return HTTP_MORE;
}

/* One byte of what stands around the chunks (RFC 9112, 7.1). */
static int feed_chunking(struct http_response *response, char c)
{
	switch (response->part) {
	case HTTP_PART_CHUNK_SIZE:
		return feed_chunk_size(response, c);
	case HTTP_PART_CHUNK_EXTENSION:
		if (c == '\n')
			return done(response, REASON_PROTOCOL);
		if (c == '\r')
			response->part = HTTP_PART_CHUNK_SIZE_LF;
		break;
	case HTTP_PART_CHUNK_SIZE_LF:
		if (c != '\n')
			return done(response, REASON_PROTOCOL);
		response->digits = 0;
		response->part = response->left > 0 ? HTTP_PART_CHUNK : HTTP_PART_TRAILERS;
		return HTTP_MORE;
	case HTTP_PART_CHUNK_CR:
		if (c != '\r')
			return done(response, REASON_PROTOCOL);
		response->part = HTTP_PART_CHUNK_LF;
		return HTTP_MORE;
	case HTTP_PART_CHUNK_LF:
		if (c != '\n')
			return done(response, REASON_PROTOCOL);
		response->part = HTTP_PART_CHUNK_SIZE;
		return HTTP_MORE;
	default: {
		int progress = feed_trailer(response, c);

		if (progress != HTTP_MORE)
			return progress;
	}
	}
	/* Extensions and trailers are bounded with the head. */
	if (++response->head_bytes >= HTTP_CHECK_HEAD_MAX_BYTES)
		return done(response, REASON_TOO_LARGE);
	return HTTP_MORE;
}

int http_response_feed(struct http_response *response, const char *data, size_t length)
{
	int progress = HTTP_MORE;

	while (progress == HTTP_MORE && length > 0) {
		size_t taken = 1;

		response->started = true;
		if (response->part == HTTP_PART_HEAD)
			progress = feed_head(response, data, length, &taken);
		else if (response->part == HTTP_PART_BODY || response->part == HTTP_PART_BODY_TO_CLOSE ||
			 response->part == HTTP_PART_CHUNK)
			progress = feed_body(response, data, length, &taken);
		else
			progress = feed_chunking(response, *data);
		data += taken;
		length -= taken;
	}
	return progress;
}

int http_response_end(struct http_response *response)
{
	if (!response->started)
		return done(response, REASON_RESET);
	if (response->part == HTTP_PART_BODY_TO_CLOSE)
		return judge_body(response, true);
	return done(response, REASON_PROTOCOL);
}
