/* wire.c: see wire.h. */
#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

char *wire_encode(const char *bytes)
{
	char *text = malloc(strlen(bytes) * 2 + 1);
	char *out = text;

	if (text == NULL)
		return NULL;
	for (; *bytes != '\0'; bytes++) {
		unsigned char byte = (unsigned char)*bytes;

		if (byte >= 0x80) {
			*out++ = (char)(0xc0 | byte >> 6);
			byte = 0x80 | (byte & 0x3f);
		}
		*out++ = (char)byte;
	}
	*out = '\0';
	return text;
}

char *wire_decode(const char *text)
{
	char *bytes = malloc(strlen(text) + 1);
	char *out = bytes;

	if (bytes == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x80) {
			/* U+0080 to U+00FF: 110000yy 10xxxxxx. */
			if ((byte != 0xc2 && byte != 0xc3) || ((unsigned char)text[1] & 0xc0) != 0x80) {
				free(bytes);
				return NULL;
			}
			byte = (unsigned char)((byte & 0x03) << 6 | (text[1] & 0x3f));
			text++;
		}
		*out++ = (char)byte;
	}
	*out = '\0';
	return bytes;
}
