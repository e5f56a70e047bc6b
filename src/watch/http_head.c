/* http_head.c: see http_head.h. */
#define _GNU_SOURCE
#include "watch/http_head.h"

#include "watch/http_check.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* One field; the value without white space around it. */
struct field {
	const char *name, *value;
	size_t name_length, value_length;
	bool folded;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int http_head_status_line(struct http_head *head, const char *line, size_t length)
{
	/* "HTTP/1.1 200" and then nothing, or a space and whatever words */
	if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ')
		return -EPROTO;
	if (line[9] < '1' || line[9] > '9' || !is_digit(line[10]) || !is_digit(line[11]))
		return -EPROTO;
	if (length > 12 && line[12] != ' ')
		return -EPROTO;
	if (memchr(line, '\0', length) != NULL || memchr(line, '\r', length) != NULL)
		return -EPROTO;
	head->minor = line[7] - '0';
	head->code = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	return 0;
}

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return length > 0;
}

static bool name_is(const struct field *field, const char *name)
{
	return field->name_length == strlen(name) && strncasecmp(field->name, name, field->name_length) == 0;
}

/* Where the line that starts at `line` ends: at its LF, or at `end`. */
static const char *line_end(const char *line, const char *end)
{
	const char *lf = memchr(line, '\n', (size_t)(end - line));

	return lf != NULL ? lf : end;
}

/* Read the field at *cursor, with the lines that continue it, and step behind it. */
static int next_field(const char **cursor, const char *end, struct field *ret_field)
{
	const char *start = *cursor, *stop = line_end(start, end), *next = stop < end ? stop + 1 : end;
	const char *colon, *value;

	ret_field->folded = false;
	while (next < end && is_blank(*next)) {
		stop = line_end(next, end);
		next = stop < end ? stop + 1 : end;
		ret_field->folded = true;
	}
	*cursor = next;
	if (stop > start && stop[-1] == '\r')
		stop--;
	colon = memchr(start, ':', (size_t)(stop - start));
	if (colon == NULL || !is_token(start, (size_t)(colon - start)))
		return -EPROTO;
	if (memchr(colon, '\0', (size_t)(stop - colon)) != NULL)
		return -EPROTO;
	for (const char *cr = colon; (cr = memchr(cr, '\r', (size_t)(stop - cr))) != NULL; cr++)
		if (cr + 1 == stop || cr[1] != '\n')
			return -EPROTO;
	for (value = colon + 1; value < stop && strchr(" \t\r\n", *value) != NULL; value++)
		;
	while (stop > value && strchr(" \t\r\n", stop[-1]) != NULL)
		stop--;
	*ret_field = (struct field){ .name = start,
				     .name_length = (size_t)(colon - start),
				     .value = value,
				     .value_length = (size_t)(stop - value),
				     .folded = ret_field->folded };
	return 0;
}

/* RFC 9112, 5.2: a fold, with the white space around it, reads as one space. */
static size_t unfold(const struct field *field, char *ret_text)
{
	size_t length = 0;

	for (size_t i = 0; i < field->value_length; i++) {
		if (field->value[i] == '\r' || field->value[i] == '\n') {
			while (length > 0 && is_blank(ret_text[length - 1]))
				length--;
			while (strchr(" \t\r\n", field->value[i + 1]) != NULL)
				i++;
			ret_text[length++] = ' ';
		} else {
			ret_text[length++] = field->value[i];
		}
	}
	return length;
}

/* 1 or 0, or -ENOMEM. */
static int field_matches(const struct field *field, const regex_t *wanted)
{
	char text[HTTP_CHECK_HEAD_MAX_BYTES + 3];
	regmatch_t range = { .rm_so = 0 };
	size_t length = field->name_length;
	int error;

	memcpy(text, field->name, length);
	text[length++] = ':';
	text[length++] = ' ';
	if (field->folded) {
		length += unfold(field, text + length);
	} else {
		memcpy(text + length, field->value, field->value_length);
		length += field->value_length;
	}
	text[length] = '\0';
	range.rm_eo = (regoff_t)length;
	error = regexec(wanted, text, 0, &range, REG_STARTEND);
	return error == REG_ESPACE ? -ENOMEM : error == 0;
}

/* RFC 9112, 6.3: the same number several times over ("42, 42", or two fields) is one number. */
static int read_length(struct http_head *head, const struct field *field)
{
	size_t i = 0;

	for (;;) {
		uint64_t length = 0;

		while (i < field->value_length && is_blank(field->value[i]))
			i++;
		if (i == field->value_length || !is_digit(field->value[i]))
			return -EPROTO;
		for (; i < field->value_length && is_digit(field->value[i]); i++)
			if (__builtin_mul_overflow(length, 10, &length) ||
			    __builtin_add_overflow(length, (uint64_t)(field->value[i] - '0'), &length))
				return -EPROTO;
		if (head->has_length && head->length != length)
			return -EPROTO;
		head->has_length = true;
		head->length = length;
		while (i < field->value_length && is_blank(field->value[i]))
			i++;
		if (i == field->value_length)
			return 0;
		if (field->value[i++] != ',')
			return -EPROTO;
	}
}

static int take_field(struct http_head *head, const struct field *field)
{
	if (name_is(field, "Content-Length"))
		return read_length(head, field);
	if (name_is(field, "Transfer-Encoding")) {
		if (head->chunked || head->minor == 0 || field->value_length != 7 ||
		    strncasecmp(field->value, "chunked", 7) != 0)
			return -EPROTO;
		head->chunked = true;
	} else if (name_is(field, "Location") && head->location == NULL && !field->folded) {
		head->location = field->value;
		head->location_length = field->value_length;
	}
	return 0;
}

int http_head_fields(struct http_head *head, const char *text, size_t length, const regex_t *wanted)
{
	const char *cursor = text, *end = text + length;

	while (cursor < end && *cursor != '\n' && *cursor != '\r') {
		struct field field;
		int error = next_field(&cursor, end, &field);

		if (error == 0)
			error = take_field(head, &field);
		if (error != 0)
			return error;
		if (wanted != NULL && !head->wanted_seen) {
			int matches = field_matches(&field, wanted);

			if (matches < 0)
				return matches;
			head->wanted_seen = matches;
		}
	}
	/* The empty line, and no line that only starts with a CR. */
	if (end - cursor > 2 || cursor == end || end[-1] != '\n')
		return -EPROTO;
	/* RFC 9112, 6.3: "ought to be handled as an error" */
	return head->has_length && head->chunked ? -EPROTO : 0;
}
