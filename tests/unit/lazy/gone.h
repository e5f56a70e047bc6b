/* gone.h: libraries that are there when the program is linked; when it runs, one is missing and one is too old. */
#ifndef GONE_H
#define GONE_H

int gone_function(void);
int aged_new(void);
int aged_old(void);

#endif
