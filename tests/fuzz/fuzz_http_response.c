/*
 * fuzz_http_response.c: no answer breaks the parser, and none is judged
 * otherwise because its bytes came in other pieces.  A redirect's Location is
 * resolved, too.
 *
 * The first byte chooses what is asked and expected, the second how the
 * bytes are split.
 */
#include "watch/http_check.h"
#include "watch/http_location.h"
#include "watch/http_response.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verdict {
	int progress;
	enum reason reason;
	int code;
	struct http_place place;
};

static regex_t body, header;

static void resolve(const struct http_head *head, struct verdict *verdict)
{
	static const struct http_place from = { .authority = "www.example.com", .path = "/a/b?c" };

	if (http_location_resolve(&from, head->location, head->location_length, &verdict->place) == 0 &&
	    verdict->place.path[0] != '/')
		abort();
}

/* Pieces of sizes that `split` makes up; 0: one piece. */
static void judge(uint8_t options, const uint8_t *data, size_t size, unsigned int split, struct verdict *verdict)
{
	struct http_expect expect = {
		.statuses = { .count = 1, .ranges = { { 200, 299 } } },
		.body = options & 2 ? &body : NULL,
		.header = options & 4 ? &header : NULL,
	};
	struct http_response response = { 0 };

	memset(verdict, 0, sizeof *verdict);
	http_response_start(&response, &expect, options & 1, options & 8);
	verdict->progress = HTTP_MORE;
	for (size_t at = 0, piece; verdict->progress == HTTP_MORE && at < size; at += piece) {
		char *copy;

		split = split * 1103515245 + 12345;
		piece = split >> 16 & (options & 32 ? 0x3ff : 7);
		piece = split == 12345 || ++piece > size - at ? size - at : piece;
		copy = malloc(piece);
		memcpy(copy, data + at, piece);
		verdict->progress = http_response_feed(&response, copy, piece);
		if (verdict->progress == HTTP_REDIRECTED)
			resolve(&response.head, verdict);
		free(copy);
	}
	if (verdict->progress == HTTP_MORE && !(options & 16))
		verdict->progress = http_response_end(&response);
	verdict->reason = verdict->progress == HTTP_DONE ? response.reason : REASON_COUNT;
	verdict->code = response.code;
	if (response.pending.size > HTTP_CHECK_HEAD_MAX_BYTES + 1 || response.body.size > HTTP_CHECK_BODY_MAX_BYTES + 1)
		abort();
	http_response_clear(&response);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return regcomp(&body, "^[A-Z].*World", HTTP_EXPECT_REGEX_FLAGS) != 0 ||
	       regcomp(&header, "^Server: [^ ]+$", HTTP_EXPECT_REGEX_FLAGS) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verdict whole, pieces;

	if (size < 2)
		return 0;
	judge(data[0], data + 2, size - 2, 0, &whole);
	judge(data[0], data + 2, size - 2, data[1] + 1u, &pieces);
	if (memcmp(&whole, &pieces, sizeof whole) != 0) {
		fprintf(stderr, "whole: %d %d %d, in pieces: %d %d %d\n", whole.progress, whole.reason, whole.code,
			pieces.progress, pieces.reason, pieces.code);
		abort();
	}
	return 0;
}
