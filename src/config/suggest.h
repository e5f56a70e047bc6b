/* suggest.h: "did you mean ...?" */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stddef.h>

/*
 * How many insertions, deletions, replacements and swaps of neighbours lie
 * between two words (optimal string alignment), without regard to case; a
 * large number where one of them is longer than 40 bytes.
 */
size_t suggest_distance(const char *a, const char *b);

/* Near enough for a word like this to have been meant: a third of its letters. */
size_t suggest_reach(const char *word);

/*
 * What to say behind `unknown key "name"` in `section` ("" at the top): the
 * nearest key there, else where else such a key stands, else which there are.
 * Free the text; NULL: no memory.
 */
char *suggest_key(const char *section, const char *name);

/* The nearest of `count` words, or NULL when none is near. */
const char *suggest_word(const char *word, const char *const *words, size_t count);

#endif
