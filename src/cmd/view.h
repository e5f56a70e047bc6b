/* view.h: the fleet as the controller, or what can be seen without one, tells it; and as people read it. */
#ifndef CMD_VIEW_H
#define CMD_VIEW_H

#include <jansson.h>
#include <stdbool.h>

struct config;

/*
 * The document of `status --json`.  Returns 0 with a new reference; or a
 * negative errno after saying why.  Without a controller "controller.running"
 * is false, and what only it knows is null.
 */
int view_status(const struct config *config, json_t **ret_status);

/* Fewer in service than `min` while open, or nothing up: what status and sweep exit with. */
bool view_is_unhealthy(const json_t *status);

void view_print(const json_t *status);

#endif
