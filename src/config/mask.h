/* mask.h: a URL without its secrets, for print and log. */
#ifndef CONFIG_MASK_H
#define CONFIG_MASK_H

#include <stdbool.h>

/*
 * The URL with "***" for its user and password, its query, and every path
 * segment that looks like a token (as in the webhooks of chat services).
 * Free the text; NULL: no memory.
 */
char *mask_url(const char *url);

/* True for what mask_url put "***" into. */
bool mask_is_masked(const char *url);

#endif
