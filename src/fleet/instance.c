/* instance.c: see instance.h. */
#include "fleet/instance.h"

const char *instance_state_name(enum instance_state state)
{
	static const char *const names[] = {
		[INSTANCE_PENDING] = "pending",
		[INSTANCE_IN_SERVICE] = "in-service",
		[INSTANCE_UNHEALTHY] = "unhealthy",
		[INSTANCE_DRAINING] = "draining",
		[INSTANCE_TERMINATING] = "terminating",
	};

	return names[state];
}
