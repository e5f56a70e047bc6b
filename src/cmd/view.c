/* view.c: see view.h. */
#define _GNU_SOURCE
#include "cmd/view.h"

#include "base/log.h"
#include "base/units.h"
#include "cmd/client.h"
#include "config/config.h"
#include "fleet/instance.h"
#include "fleet/local/local.h"
#include "fleet/paths.h"
#include "record/record.h"
#include "watch/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASK_TIMEOUT_MS 5000

/* --- Without a controller. */

struct survey {
	json_t *instances;
	unsigned alive;
};

static void on_instance(void *arg, const struct instance *instance)
{
	struct survey *survey = arg;

	survey->alive += instance->pid != 0;
	json_array_append_new(survey->instances, status_instance(instance, NULL));
}

static int on_last(void *arg, const struct sweep *sweep, const struct event *event, const struct incident *incident)
{
	json_t **last = arg;

	(void)event;
	(void)incident;
	if (sweep != NULL) {
		json_decref(*last);
		*last = status_last_sweep(sweep->at_ms, sweep->count, sweep->failed, sweep->duration_us);
	}
	return 0;
}

static json_t *last_recorded_sweep(const struct config *config)
{
	struct record_query query = { .sweeps_only = true, .limit = 1 };
	char *path = fleet_path(config, FLEET_RECORD);
	struct failure failure;
	json_t *last = json_null();

	if (path != NULL && record_read_sqlite(path, &query, on_last, &last, &failure) < 0)
		log_warning("%s", failure.message);
	free(path);
	return last;
}

static int survey(const struct config *config, json_t **ret_status)
{
	struct survey survey = { .instances = json_array() };
	struct failure failure;
	bool balancer_up;
	json_t *status;

	if (local_survey(config, on_instance, &survey, &balancer_up, &failure) < 0) {
		log_error("%s", failure.message);
		json_decref(survey.instances);
		return -EIO;
	}
	status = status_document(config, survey.instances, balancer_up ? survey.alive : 0, last_recorded_sweep(config));
	json_object_set_new(status, "controller", json_pack("{s:b}", "running", 0));
	json_object_set_new(status, "balancer", json_pack("{s:b}", "up", balancer_up));
	json_object_set_new(status, "record", json_null());
	*ret_status = status;
	return 0;
}

int view_status(const struct config *config, json_t **ret_status)
{
	struct client_reply reply = { 0 };
	int r = client_ask(config, json_pack("{s:s}", "verb", "status"), ASK_TIMEOUT_MS, NULL, NULL, &reply);

	if (r == -ENOTCONN || r == -EPIPE)
		return survey(config, ret_status);
	if (r == 0 && reply.result == NULL)
		r = -EPROTO;
	if (r < 0) {
		log_error(r == -EACCES ? "the controller of %s is another user's: become that user"
				       : "the controller of %s does not answer: end it (its pid is in the error of `openbell run`)",
			  config->fleet);
		return r;
	}
	*ret_status = reply.result;
	return 0;
}

/* --- For people. */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool view_is_unhealthy(const json_t *status)
{
	const json_t *capacity = json_object_get(status, "capacity");

	return number_of(capacity, "in_service") < number_of(capacity, "min") ||
	       json_array_size(json_object_get(status, "instances")) == 0 ||
	       !json_is_true(json_object_get(json_object_get(status, "balancer"), "up"));
}

static void print_ago(const char *utc, char *ret_text, size_t size)
{
	struct timespec now;
	int64_t at_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (utc == NULL || units_parse_utc(utc, &at_ms) < 0)
		snprintf(ret_text, size, "-");
	else
		units_format_elapsed((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - at_ms, ret_text, size);
}

static void print_instance(const json_t *instance)
{
	const json_t *check = json_object_get(instance, "check");
	char since[32];
	char verdict[48] = "-";
	char latency[24] = "-";
	char pid[16] = "-";

	print_ago(json_string_value(json_object_get(instance, "since")), since, sizeof since);
	if (json_is_object(check)) {
		json_int_t code = number_of(check, "code");

		if (code != 0)
			snprintf(verdict, sizeof verdict, "%s %d", text_of(check, "reason"), (int)code);
		else
			snprintf(verdict, sizeof verdict, "%s", text_of(check, "reason"));
		if (json_is_real(json_object_get(check, "latency_ms")))
			snprintf(latency, sizeof latency, "%.1f ms", json_real_value(json_object_get(check, "latency_ms")));
	}
	if (json_is_integer(json_object_get(instance, "pid")))
		snprintf(pid, sizeof pid, "%d", (int)number_of(instance, "pid"));
	printf("%-13s %-16s %7s  %-11s %11s  %-12s %8s\n", text_of(instance, "id"), text_of(instance, "address"), pid,
	       text_of(instance, "state"), since, verdict, latency);
}

static void print_troubles(const json_t *status)
{
	const json_t *record = json_object_get(status, "record");

	if (!json_is_true(json_object_get(json_object_get(status, "balancer"), "up")))
		printf("the balancer is down\n");
	if (!json_is_true(json_object_get(json_object_get(status, "controller"), "running")))
		printf("no controller runs: nothing is checked or healed; start it with `openbell up`\n");
	if (json_is_object(record) && strcmp(text_of(record, "state"), "ok") != 0)
		printf("the record can't be written (%d entries wait in memory): %s\n", (int)number_of(record, "pending"),
		       text_of(record, "error"));
}

void view_print(const json_t *status)
{
	const json_t *capacity = json_object_get(status, "capacity");
	const json_t *instances = json_object_get(status, "instances");
	const json_t *sweep = json_object_get(status, "last_sweep");
	char ago[32];
	size_t i;

	printf("%s  %s  %s  %s (%s)\n", text_of(status, "fleet"), text_of(status, "provider"), text_of(status, "url"),
	       json_is_true(json_object_get(json_object_get(status, "market"), "open")) ? "open" : "closed",
	       text_of(json_object_get(status, "market"), "calendar"));
	printf("%d of %d in service (min %d, max %d)\n", (int)number_of(capacity, "in_service"),
	       (int)number_of(capacity, "desired"), (int)number_of(capacity, "min"), (int)number_of(capacity, "max"));
	if (json_array_size(instances) == 0) {
		if (json_is_true(json_object_get(json_object_get(status, "controller"), "running"))) {
			printf("no instance is up yet: `openbell history` says why\n");
			print_troubles(status);
		} else {
			printf("nothing is up: start it with `openbell up`\n");
		}
		return;
	}
	printf("\n%-13s %-16s %7s  %-11s %11s  %-12s %8s\n", "INSTANCE", "ADDRESS", "PID", "STATE", "UP FOR", "CHECK",
	       "LATENCY");
	for (i = 0; i < json_array_size(instances); i++)
		print_instance(json_array_get(instances, i));
	if (json_is_object(sweep)) {
		print_ago(text_of(sweep, "at"), ago, sizeof ago);
		printf("\nlast sweep %s ago: %d checked, %d failed, in %.1f ms\n", ago, (int)number_of(sweep, "instances"),
		       (int)number_of(sweep, "failed"), json_real_value(json_object_get(sweep, "duration_ms")));
	}
	print_troubles(status);
}
