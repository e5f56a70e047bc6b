/* paths.h: where a fleet keeps its things on this machine, below `state`/`fleet`. */
#ifndef FLEET_PATHS_H
#define FLEET_PATHS_H

struct config;

/* Free each; NULL: no memory. */
char *fleet_folder(const struct config *config);            /* <state>/<fleet> */
char *fleet_path(const struct config *config, const char *name);   /* <state>/<fleet>/<name> */

#define FLEET_LOCK "lock"
#define FLEET_CONTROL "control.sock"
#define FLEET_RECORD "record.db"
#define FLEET_LOG "controller.log"

#endif
