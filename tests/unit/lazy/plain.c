#include "plain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool plain_integers(int a, long b, char c, short d, unsigned e, long f, int g, long h, int i, long j)
{
	return a == -1 && b == 1L << 40 && c == 'c' && d == -4 && e == 5u && f == -6 && g == 7 && h == 8 && i == 9 &&
	       j == -(1L << 50);
}

bool plain_doubles(double a, float b, double c, double d, double e, double f, double g, double h, double i)
{
	return a == 1.5 && b == 2.5f && c == 3.5 && d == 4.5 && e == 5.5 && f == 6.5 && g == 7.5 && h == 8.5 && i == 9.5;
}

bool plain_long_double(long double a, int b)
{
	return a == 1.25L && b == 7;
}

double plain_sum(int count, ...)
{
	va_list args;
	double sum = 0;

	va_start(args, count);
	while (count-- > 0)
		sum += va_arg(args, double);
	va_end(args);
	return sum;
}

int plain_print(char *text, unsigned long size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length;
}

struct plain_big plain_returns_big(long first)
{
	struct plain_big big;

	for (int i = 0; i < 8; i++)
		big.numbers[i] = first + i;
	return big;
}

long plain_takes_big(struct plain_big big)
{
	long sum = 0;

	for (int i = 0; i < 8; i++)
		sum += big.numbers[i];
	return sum;
}

int plain_keeps_errno(void)
{
	return errno;
}

int plain_count(void)
{
	static int count;

	return __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
}
