/* syntax.h: what stops a text from being YAML, in words for people. */
#ifndef CONFIG_SYNTAX_H
#define CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

struct findings;
struct yaml_parser_s;

/*
 * UTF-8 without control characters?  A byte order mark is stepped over, which
 * moves *text and *length.  False: said in `findings`.
 */
bool syntax_check_text(const char **text, size_t *length, struct findings *findings);

/* Turn the parser's error about `text` into a finding. */
void syntax_explain(const struct yaml_parser_s *parser, const char *text, size_t length, struct findings *findings);

#endif
