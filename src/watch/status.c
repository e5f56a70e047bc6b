/* status.c: the fleet now, as `status --json` prints it. */
#define _GNU_SOURCE
#include "watch/status.h"

#include "base/units.h"
#include "config/config.h"
#include "fleet/instance.h"
#include "record/entry_json.h"
#include "record/record.h"
#include "watch/controller_internal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *latency(const struct check *check)
{
	return check->latency_us >= 0 ? json_real((double)check->latency_us / 1000) : json_null();
}

json_t *status_check(const struct check *check)
{
	json_t *ssh = json_null();

	if (check->ssh_done)
		ssh = json_pack("{s:s, s:s}", "result", check_ssh_result(check), "reason", reason_name(check->ssh_reason));
	return json_pack("{s:o, s:i, s:s, s:s, s:o, s:o}", "at", entry_time_json(check->at_ms), "code", check->code, "result",
			 check_result(check), "reason", reason_name(check_reason(check)), "ssh", ssh, "latency_ms",
			 latency(check));
}

json_t *status_instance(const struct instance *instance, const struct check *check)
{
	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o}", "id", instance->id, "address", instance->address, "pid",
			 instance->pid != 0 ? json_integer(instance->pid) : json_null(), "state",
			 instance_state_name(instance->state), "since", entry_time_json(instance->since_ms), "check",
			 check != NULL ? status_check(check) : json_null());
}

json_t *status_last_sweep(int64_t at_ms, size_t instances, size_t failed, int64_t duration_us)
{
	return json_pack("{s:o, s:I, s:I, s:f}", "at", entry_time_json(at_ms), "instances", (json_int_t)instances, "failed",
			 (json_int_t)failed, "duration_ms", (double)duration_us / 1000);
}

void status_url(const struct config *config, char *ret_url, size_t size)
{
	struct config_endpoint endpoint = config->listen;
	char text[96];

	/* Where it listens everywhere, this machine is one place to ask. */
	if (strcmp(endpoint.host, "0.0.0.0") == 0)
		endpoint.host = (char *)"127.0.0.1";
	else if (strcmp(endpoint.host, "::") == 0)
		endpoint.host = (char *)"::1";
	config_endpoint_format(&endpoint, text, sizeof text);
	snprintf(ret_url, size, "http://%s/", text);
}

json_t *status_document(const struct config *config, json_t *instances, unsigned in_service, json_t *last_sweep)
{
	static const char *const providers[] = {
		[PROVIDER_LOCAL] = "local", [PROVIDER_HOSTS] = "hosts", [PROVIDER_AWS] = "aws"
	};
	char url[128];

	status_url(config, url, sizeof url);
	return json_pack("{s:i, s:s, s:s, s:s, s:{s:s, s:b, s:n, s:n}, s:{s:i, s:i, s:i, s:i}, s:o, s:o, "
			 "s:{s:n, s:n, s:n, s:n}, s:[]}",
			 "schema", 1, "fleet", config->fleet, "provider", providers[config->provider], "url", url, "market",
			 "calendar", config->schedule.calendar, "open", 1, "until", "override", "capacity", "desired",
			 config->capacity.open, "in_service", (int)in_service, "min", config->capacity.min, "max",
			 config->capacity.max, "instances", instances, "last_sweep", last_sweep, "archive", "state", "last",
			 "pending_bytes", "failed", "incidents");
}

json_t *controller_status(const struct controller *controller)
{
	const struct record_state *state = record_state(controller->setup.record);
	const struct sweep *sweep = controller->last_sweep;
	const struct instance *instance;
	json_t *instances = json_array();
	json_t *status;

	for (instance = controller->driver->instances; instance != NULL; instance = instance->next) {
		const struct care *care = care_of(instance);

		json_array_append_new(instances, status_instance(instance, care != NULL && care->checked ? &care->check
													 : NULL));
	}
	status = status_document(controller->config, instances, controller_in_service(controller),
				 sweep != NULL ? status_last_sweep(sweep->at_ms, sweep->count, sweep->failed,
								   sweep->duration_us)
					       : json_null());
	json_object_set_new(status, "controller", json_pack("{s:b}", "running", 1));
	json_object_set_new(status, "balancer", json_pack("{s:b}", "up", controller->driver->balancer_up));
	json_object_set_new(status, "record",
			    json_pack("{s:s, s:I, s:I, s:o}", "state", state->ok ? "ok" : "failing", "pending",
				      (json_int_t)state->pending, "lost", (json_int_t)state->lost, "error",
				      state->ok ? json_null() : entry_text_json(state->failure.message)));
	return status;
}
