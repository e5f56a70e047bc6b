/* history.c: `openbell history`: recorded sweeps, incidents and events. */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "cmd/history_table.h"
#include "config/calendar_names.h"
#include "config/config.h"
#include "fleet/paths.h"
#include "record/entry_json.h"
#include "record/record.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT_MAX 1000000000
#define LOCAL_ID_WIDTH 12    /* "web-5f0c1b2d" */
#define OTHER_ID_WIDTH 19    /* "i-0123456789abcdef0" */

/* What the flags say, as text until the zone is known. */
struct history_flags {
	const char *since;
	const char *until;
	const char *limit;
	const char *instance;
	bool incidents_only;
};

struct history_output {
	bool json;
	size_t rows;
	struct history_table table;
};

static int read_flags(int argc, char **argv, struct history_flags *flags)
{
	const struct {
		const char *name;
		const char **value;
	} known[] = {
		{ "--since", &flags->since }, { "--until", &flags->until }, { "--instance", &flags->instance },
		{ "--limit", &flags->limit },
	};
	int i;

	for (i = 1; i < argc; i++) {
		bool found = false;
		size_t j;

		if (strcmp(argv[i], "--incidents") == 0) {
			flags->incidents_only = true;
			continue;
		}
		for (j = 0; j < sizeof known / sizeof known[0] && !found; j++) {
			found = cmd_flag_value(known[j].name, argc, argv, &i, known[j].value);
			if (found && (*known[j].value == NULL || **known[j].value == '\0'))
				return cmd_usage("history", "%s needs a value", known[j].name);
		}
		if (!found)
			return cmd_usage("history", "\"%s\" isn't understood", argv[i]);
	}
	return 0;
}

/* Times for people are the market's.  TZ is set once, while there is one thread. */
static void use_market_zone(const struct config *config)
{
	const struct calendar_name *calendar = calendar_name_find(config->schedule.calendar);
	const char *zone = config->schedule.timezone;

	if (zone == NULL && calendar != NULL)
		zone = calendar->timezone;
	setenv("TZ", zone != NULL ? zone : "Europe/London", 1);
	tzset();
}

/* "2026-11-23": its first instant in the zone, or (`end`) the one behind its last. */
static bool parse_day(const char *text, bool end, int64_t *ret_utc_ms)
{
	struct tm tm;
	int64_t utc_ms;
	time_t seconds;

	if (strlen(text) != strlen("2026-11-23") || units_parse_utc(text, &utc_ms) < 0)
		return false;
	seconds = (time_t)(utc_ms / 1000);
	gmtime_r(&seconds, &tm);
	tm.tm_mday += end;
	tm.tm_isdst = -1;
	*ret_utc_ms = (int64_t)mktime(&tm) * 1000;
	return true;
}

/* "08:45": today, in the zone. */
static bool parse_time_of_day(const char *text, int64_t now_ms, int64_t *ret_utc_ms)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;
	const char *rest;

	localtime_r(&seconds, &tm);
	tm.tm_sec = 0;
	rest = strlen(text) == strlen("08:45") ? strptime(text, "%H:%M", &tm) : NULL;
	if (rest == NULL || *rest != '\0')
		return false;
	tm.tm_isdst = -1;
	*ret_utc_ms = (int64_t)mktime(&tm) * 1000;
	return true;
}

static int parse_when(const char *flag, const char *text, bool end, int64_t now_ms, int64_t *ret_utc_ms)
{
	int64_t ago_ms;

	if (text == NULL || parse_day(text, end, ret_utc_ms) || parse_time_of_day(text, now_ms, ret_utc_ms) ||
	    units_parse_utc(text, ret_utc_ms) == 0)
		return 0;
	if (units_parse_duration(text, &ago_ms) < 0)
		return cmd_usage("history", "%s \"%s\" isn't a time: say 2026-11-23T08:45:00Z, a day (2026-11-23), "
				 "a time of today (08:45), or how long ago (2h)", flag, text);
	*ret_utc_ms = now_ms - ago_ms;
	return 0;
}

static int parse_limit(const char *text, size_t *ret_limit)
{
	char *end;
	long value;

	if (text == NULL)
		return 0;
	value = strtol(text, &end, 10);
	if (*end != '\0' || text[0] < '0' || text[0] > '9' || value < 1 || value > LIMIT_MAX)
		return cmd_usage("history", "--limit \"%s\" isn't a number from 1 to %d", text, LIMIT_MAX);
	*ret_limit = (size_t)value;
	return 0;
}

static int make_query(const struct history_flags *flags, struct record_query *query)
{
	struct timespec now;
	int64_t now_ms;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	*query = (struct record_query){ .instance = flags->instance, .incidents_only = flags->incidents_only };
	r = parse_when("--since", flags->since, false, now_ms, &query->since_ms);
	if (r == 0)
		r = parse_when("--until", flags->until, true, now_ms, &query->until_ms);
	if (r == 0)
		r = parse_limit(flags->limit, &query->limit);
	if (r == 0 && flags->until != NULL && query->since_ms >= query->until_ms)
		r = cmd_usage("history", "--until %s isn't after --since %s", flags->until, flags->since);
	return r;
}

/* Whoever read our output may have seen enough: that is no error. */
static int output_result(void)
{
	if (!ferror(stdout))
		return 0;
	return errno == EPIPE ? -EPIPE : -EIO;
}

static int print_json(const struct sweep *sweep, const struct event *event, const struct incident *incident)
{
	json_t *json = entry_json(sweep, event, incident);
	char *text = json != NULL ? json_dumps(json, ENTRY_JSON_FLAGS) : NULL;
	int r = -ENOMEM;

	json_decref(json);
	if (text != NULL)
		r = puts(text) == EOF ? output_result() : 0;
	free(text);
	return r;
}

static int on_row(void *arg, const struct sweep *sweep, const struct event *event, const struct incident *incident)
{
	struct history_output *output = arg;

	output->rows++;
	if (output->json)
		return print_json(sweep, event, incident);
	if (sweep != NULL)
		history_table_sweep(&output->table, sweep);
	else if (event != NULL)
		history_table_event(&output->table, event);
	else
		history_table_incident(&output->table, incident);
	return output_result();
}

static void hint(const char *path, const struct history_flags *flags)
{
	bool narrowed = flags->since != NULL || flags->until != NULL || flags->instance != NULL ||
			flags->incidents_only;

	log_info(narrowed ? "nothing of that is recorded in %s" : "nothing is recorded yet in %s", path);
}

static int print_history(const struct cmd_options *options, const struct config *config, const char *path,
			 const struct history_flags *flags, const struct record_query *query)
{
	struct failure failure = { .message = "" };
	struct history_output output = {
		.json = options->json,
		.table = { .out = stdout,
			   .id_width = config->provider == PROVIDER_LOCAL ? LOCAL_ID_WIDTH : OTHER_ID_WIDTH },
	};
	int r = record_read_sqlite(path, query, on_row, &output, &failure);

	if (!output.json)
		history_table_end(&output.table);
	if (r == 0)
		r = fflush(stdout) == EOF || ferror(stdout) ? output_result() : 0;
	/* Whoever read it has seen enough: what they left is nobody's trouble. */
	if (r == -EPIPE) {
		__fpurge(stdout);
		clearerr(stdout);
		return EXIT_DONE;
	}
	if (r < 0) {
		log_error("%s", failure.message[0] != '\0' ? failure.message : "the history can't be printed in whole");
		return EXIT_FAILED;
	}
	if (output.rows == 0)
		hint(path, flags);
	return EXIT_DONE;
}

int cmd_history(const struct cmd_options *options, int argc, char **argv)
{
	struct history_flags flags = { 0 };
	struct record_query query;
	struct config *config;
	char *path;
	int r = read_flags(argc, argv, &flags);

	if (r != 0)
		return r;
	config = cmd_read_config(options);
	if (config == NULL)
		return EXIT_USAGE;
	signal(SIGPIPE, SIG_IGN);
	use_market_zone(config);
	r = make_query(&flags, &query);
	path = fleet_path(config, FLEET_RECORD);
	if (r == 0 && strcmp(config->record, "sqlite") != 0) {
		log_error("the record is in %s: this openbell reads SQLite records only", config->record);
		r = EXIT_FAILED;
	} else if (r == 0 && path == NULL) {
		log_error("no memory");
		r = EXIT_FAILED;
	} else if (r == 0) {
		r = print_history(options, config, path, &flags, &query);
	}
	free(path);
	config_free(config);
	return r;
}
