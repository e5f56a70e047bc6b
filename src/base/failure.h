/* failure.h: what went wrong, in words that a person can act on. */
#ifndef BASE_FAILURE_H
#define BASE_FAILURE_H

/*
 * What failed, to what, and what to do next.  `service` is who said so
 * ("haproxy", "sqlite", "s3", ...; "" when it was this program), `code` its
 * own code where it has one ("" otherwise).
 */
struct failure {
	char service[16];
	char code[48];
	char message[464];
};

/*
 * Write the message (printf style, cut at the field's size) and return
 * -error, so that a function can end in `return failure_set(...)`.
 * `failure` may be NULL: the caller does not want the words.
 */
int failure_set(struct failure *failure, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
