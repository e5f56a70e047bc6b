/* rules.h: what one key means for another. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

struct reader;

/* Fill in the defaults that follow from other keys; after reader_take_defaults. */
void rules_derive(struct reader *reader);

/* Check the keys against each other.  A key that is wrong already is not looked at. */
void rules_check(struct reader *reader);

#endif
