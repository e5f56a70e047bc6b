/* parse.h: configuration from memory. */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include <stddef.h>

struct config;
struct config_findings;

/*
 * As config_read, from `text`.  `name` is the file in messages; `file` becomes
 * config->file (NULL: the built-in defaults); relative paths start at the
 * absolute `folder`.  All are copied.
 */
int config_parse_text(const char *name, const char *file, const char *folder, const char *text, size_t length,
		      struct config **ret_config, struct config_findings *ret_findings);

#endif
