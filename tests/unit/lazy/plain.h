/* plain.h: a library whose functions get their arguments in every way that the ABI knows. */
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>

struct plain_big {
	long numbers[8];
};

bool plain_integers(int a, long b, char c, short d, unsigned e, long f, int g, long h, int i, long j);
bool plain_doubles(double a, float b, double c, double d, double e, double f, double g, double h, double i);
bool plain_long_double(long double a, int b);
double plain_sum(int count, ...); /* of doubles */
int plain_print(char *text, unsigned long size, const char *format, ...);
struct plain_big plain_returns_big(long first);
long plain_takes_big(struct plain_big big);
int plain_keeps_errno(void);
int plain_count(void);

#endif
