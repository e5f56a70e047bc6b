/* sweep.c: `openbell sweep`: one sweep now, by the controller, or by this process when there is none. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/units.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/view.h"
#include "config/config.h"
#include "fleet/instance.h"
#include "fleet/local/listener.h"
#include "fleet/local/local.h"
#include "fleet/paths.h"
#include "record/entry_json.h"
#include "record/record.h"
#include "watch/http_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define ASK_TIMEOUT_MS 120000
#define RECORD_CLOSE_MS 3000

/* --- For people. */

static void print_result(const json_t *result)
{
	const char *reason = json_string_value(json_object_get(result, "reason"));
	const char *action = json_string_value(json_object_get(result, "action"));
	const json_t *latency = json_object_get(result, "latency_ms");
	json_int_t code = json_integer_value(json_object_get(result, "code"));
	char status[16] = "-";
	char time[24] = "-";

	if (code != 0)
		snprintf(status, sizeof status, "%d", (int)code);
	if (json_is_number(latency))
		snprintf(time, sizeof time, "%.1f ms", json_number_value(latency));
	printf("%-13s %-13s %6s  %-12s %8s  %s\n", json_string_value(json_object_get(result, "id")),
	       json_string_value(json_object_get(result, "ip")), status, reason, time,
	       action != NULL && strcmp(action, "none") != 0 ? action : "");
}

static void print_sweep(const json_t *sweep)
{
	const json_t *results = json_object_get(sweep, "response");
	size_t count = json_array_size(results);
	size_t failed = 0;
	size_t i;

	if (count > 0)
		printf("%-13s %-13s %6s  %-12s %8s\n", "INSTANCE", "IP", "STATUS", "REASON", "LATENCY");
	for (i = 0; i < count; i++) {
		const char *result = json_string_value(json_object_get(json_array_get(results, i), "result"));

		print_result(json_array_get(results, i));
		failed += result == NULL || strcmp(result, "success") != 0;
	}
	printf("%zu checked, %zu failed, in %.1f ms\n", count, failed,
	       json_number_value(json_object_get(sweep, "duration_ms")));
}

static void show(const struct cmd_options *options, const json_t *sweep)
{
	if (options->json) {
		json_dumpf(sweep, stdout, ENTRY_JSON_FLAGS);
		putchar('\n');
	} else {
		print_sweep(sweep);
	}
}

/* --- In this process. */

struct alone {
	struct sweep *sweep;
	struct check_target *targets;
	size_t count;
	unsigned passed;
	bool closed;
};

static void count_instance(void *arg, const struct instance *instance)
{
	struct alone *alone = arg;

	(void)instance;
	alone->count++;
}

/* The fleet may have grown since it was counted. */
static void take_instance(void *arg, const struct instance *instance)
{
	struct alone *alone = arg;
	struct sweep_entry *entry = &alone->sweep->entries[alone->count];
	char host[ENTRY_ADDRESS_SIZE];
	const char *colon = strrchr(instance->address, ':');

	if (alone->count >= alone->sweep->count || colon == NULL)
		return;
	snprintf(entry->id, sizeof entry->id, "%s", instance->id);
	snprintf(entry->address, sizeof entry->address, "%s", instance->address);
	snprintf(host, sizeof host, "%.*s", (int)(colon - instance->address), instance->address);
	if (listener_address(host, (uint16_t)atoi(colon + 1), &alone->targets[alone->count].address) == 0)
		alone->count++;
}

static void on_round(void *arg, const struct check *checks, size_t count)
{
	struct alone *alone = arg;
	size_t i;

	for (i = 0; i < count; i++) {
		alone->sweep->entries[i].check = checks[i];
		alone->sweep->failed += !check_passed(&checks[i]);
		alone->passed += check_passed(&checks[i]);
	}
}

static void on_closed(void *arg)
{
	(void)arg;
}

static void keep(uv_loop_t *loop, struct clock *clock, const struct config *config, const struct sweep *sweep)
{
	char *folder = fleet_folder(config);
	char *path = fleet_path(config, FLEET_RECORD);
	struct record *record;

	if (folder != NULL && path != NULL && path_make_folders(folder, 0711) == 0 &&
	    record_open_sqlite(loop, clock, path, config->record_keep_ms, NULL, NULL, &record) == 0) {
		record_add_sweep(record, sweep);
		uv_run(loop, UV_RUN_NOWAIT);
		record_close(record, RECORD_CLOSE_MS, on_closed, NULL);
		uv_run(loop, UV_RUN_DEFAULT);
	} else {
		log_warning("the sweep was not recorded: %s can't be written", folder != NULL ? folder : config->state);
	}
	free(folder);
	free(path);
}

static int check_all(uv_loop_t *loop, struct clock *clock, const struct config *config, struct alone *alone,
		     struct failure *ret_failure)
{
	struct http_checker *checker;
	struct http_round *round;
	uint64_t since_us = clock_mono_us(clock);
	int r = http_checker_new(loop, config, &checker, ret_failure);

	if (r < 0)
		return r;
	alone->sweep->at_ms = clock_utc_ms(clock);
	alone->sweep->open = true;
	alone->sweep->count = alone->count;
	if (alone->count > 0) {
		r = http_round_start(checker, alone->targets, alone->count, on_round, alone, &round);
		if (r < 0)
			failure_set(ret_failure, -r, "the sweep can't be started: %s", strerror(-r));
	}
	uv_run(loop, UV_RUN_DEFAULT);
	alone->sweep->duration_us = (int64_t)(clock_mono_us(clock) - since_us);
	http_checker_free(checker);
	uv_run(loop, UV_RUN_DEFAULT);
	return r;
}

static int sweep_alone(const struct cmd_options *options, const struct config *config)
{
	struct alone alone = { 0 };
	struct failure failure;
	struct clock *clock;
	bool balancer_up;
	uv_loop_t loop;
	json_t *document;
	int r = local_survey(config, count_instance, &alone, &balancer_up, &failure);

	if (r < 0) {
		log_error("%s", failure.message);
		return EXIT_FAILED;
	}
	alone.sweep = sweep_alloc(alone.count);
	alone.targets = calloc(alone.count + 1, sizeof *alone.targets);
	uv_loop_init(&loop);
	clock = clock_new_real(&loop);
	if (alone.sweep == NULL || alone.targets == NULL || clock == NULL)
		abort();
	alone.count = 0;
	r = local_survey(config, take_instance, &alone, &balancer_up, &failure);
	if (r == 0)
		r = check_all(&loop, clock, config, &alone, &failure);
	if (r == 0) {
		keep(&loop, clock, config, alone.sweep);
		document = entry_sweep_json(alone.sweep);
		show(options, document);
		json_decref(document);
		if (!options->quiet)
			log_info("no controller runs: nothing was healed; start it with `openbell up`");
	} else {
		log_error("%s", failure.message);
	}
	clock_free(clock);
	uv_loop_close(&loop);
	free(alone.targets);
	free(alone.sweep);
	if (r < 0)
		return EXIT_FAILED;
	return alone.passed < (unsigned)config->capacity.min || alone.passed == 0 || !balancer_up ? EXIT_UNHEALTHY
													    : EXIT_DONE;
}

/* --- By the controller. */

static int sweep_by_controller(const struct cmd_options *options, const struct config *config)
{
	struct client_reply reply = { 0 };
	int r = client_ask(config, json_pack("{s:s}", "verb", "sweep"), ASK_TIMEOUT_MS, NULL, NULL, &reply);

	if (r == -ENOTCONN || r == -EPIPE)
		return sweep_alone(options, config);
	if (r < 0 || reply.exit_status != 0) {
		log_error("%s", r == -EACCES ? "the controller is another user's: become that user"
				: r < 0	     ? "the controller does not answer: see `openbell status`"
					     : reply.error);
		client_reply_free(&reply);
		return EXIT_FAILED;
	}
	show(options, json_object_get(reply.result, "sweep"));
	r = view_is_unhealthy(json_object_get(reply.result, "status")) ? EXIT_UNHEALTHY : EXIT_DONE;
	client_reply_free(&reply);
	return r;
}

int cmd_sweep(const struct cmd_options *options, int argc, char **argv)
{
	struct config *config;
	int r;

	if (argc > 1)
		return cmd_usage("sweep", "\"%s\" is not understood", argv[1]);
	log_start(options->quiet ? LOG_WARNINGS : LOG_NORMAL, false);
	config = cmd_read_config(options);
	if (config == NULL || !cmd_is_built(config)) {
		config_free(config);
		return EXIT_USAGE;
	}
	r = sweep_by_controller(options, config);
	config_free(config);
	return r;
}
