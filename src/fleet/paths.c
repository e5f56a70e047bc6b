/* paths.c: see paths.h. */
#include "fleet/paths.h"

#include "base/path.h"
#include "config/config.h"

char *fleet_folder(const struct config *config)
{
	return path_format("%s/%s", config->state, config->fleet);
}

char *fleet_path(const struct config *config, const char *name)
{
	return path_format("%s/%s/%s", config->state, config->fleet, name);
}
