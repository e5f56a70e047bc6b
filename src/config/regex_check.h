/* regex_check.h: is a text a POSIX extended regular expression that is safe to compile? */
#ifndef CONFIG_REGEX_CHECK_H
#define CONFIG_REGEX_CHECK_H

#include <stdbool.h>

#define REGEX_LENGTH_MAX 1000
#define REGEX_DEPTH_MAX 50
#define REGEX_PARTS_MAX 10000   /* once repetitions are written out */
#define REGEX_WRONG_SIZE 128

/* False with the reason in ret_wrong. */
bool regex_check(const char *pattern, char ret_wrong[REGEX_WRONG_SIZE]);

#endif
