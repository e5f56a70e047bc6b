#include "gone.h"

int aged_old(void)
{
	return 1;
}
