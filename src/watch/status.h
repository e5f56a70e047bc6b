/* status.h: the parts of `status --json`, for the controller and for a verb that finds none running. */
#ifndef WATCH_STATUS_H
#define WATCH_STATUS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct check;
struct config;
struct instance;

/* Each a new reference. */
json_t *status_check(const struct check *check);
json_t *status_instance(const struct instance *instance, const struct check *check);    /* check NULL: null */
json_t *status_last_sweep(int64_t at_ms, size_t instances, size_t failed, int64_t duration_us);

/* The whole; takes over `instances` and `last_sweep`. */
json_t *status_document(const struct config *config, json_t *instances, unsigned in_service, json_t *last_sweep);

/* Where a person finds the page. */
void status_url(const struct config *config, char *ret_url, size_t size);

#endif
