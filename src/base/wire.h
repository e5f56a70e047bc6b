/* wire.h: bytes that need not be text (a path) as a string that JSON can carry. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

/*
 * Each byte as the character of that number (ISO 8859-1), in UTF-8; what is
 * ASCII stays as it is.  Free the result; NULL: no memory.
 */
char *wire_encode(const char *bytes);

/* The way back.  NULL: no memory, or a character above 255. */
char *wire_decode(const char *text);

#endif
