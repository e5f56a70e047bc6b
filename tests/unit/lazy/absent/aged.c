#include "../gone.h"

int aged_old(void)
{
	return 1;
}

int aged_new(void)
{
	return 2;
}
