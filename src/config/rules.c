/* rules.c: see rules.h. */
#define _GNU_SOURCE
#include "config/rules.h"

#include "base/path.h"
#include "base/units.h"
#include "config/calendar_names.h"
#include "config/config.h"
#include "config/reader.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_OPEN 2
#define DEFAULT_MIN 1
#define DEFAULT_MAX 4

static bool is_set(const struct reader *reader, const char *path)
{
	return reader_state(reader, path) == READER_SET;
}

static bool is_bad(const struct reader *reader, const char *path)
{
	return reader_state(reader, path) == READER_BAD;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* Whatever of the four is given, the others make room for it. */
static void derive_capacity(struct reader *reader)
{
	struct config *config = reader->config;
	bool fixed = config->provider == PROVIDER_HOSTS && config->hosts.count > 0;
	int *open = &config->capacity.open;
	int *min = &config->capacity.min;
	int *max = &config->capacity.max;

	if (!is_set(reader, "capacity.open")) {
		*open = fixed ? (int)config->hosts.count : DEFAULT_OPEN;
		*open = larger(*open, config->capacity.closed);
		if (is_set(reader, "capacity.min"))
			*open = larger(*open, *min);
		if (is_set(reader, "capacity.max"))
			*open = smaller(*open, *max);
	}
	if (!is_set(reader, "capacity.max"))
		*max = fixed ? *open : larger(DEFAULT_MAX, *open);
	if (!is_set(reader, "capacity.min"))
		*min = smaller(DEFAULT_MIN, *open);
}

/* A shorter `every` shortens a timeout that isn't given. */
static void derive_timeouts(struct reader *reader)
{
	struct config *config = reader->config;

	if (!is_set(reader, "health.timeout") && config->health.timeout_ms > config->health.every_ms)
		config->health.timeout_ms = config->health.every_ms;
	if (!is_set(reader, "monitor.timeout") && config->monitor.timeout_ms >= config->monitor.every_ms)
		config->monitor.timeout_ms = config->monitor.every_ms / 2;
}

static void derive_schedule(struct reader *reader)
{
	struct config *config = reader->config;
	const struct calendar_name *calendar;
	bool bells;

	if (config->schedule.calendar == NULL)
		reader_own(reader, &config->schedule.calendar,
			   strdup(config->provider == PROVIDER_AWS ? "weekdays" : "always"));
	if (config->schedule.calendar == NULL)
		return;
	calendar = calendar_name_find(config->schedule.calendar);
	bells = calendar != NULL && calendar->timezone != NULL;
	if (!is_set(reader, "schedule.open"))
		config->schedule.open = bells ? (struct config_bell_time){ true, -15 }
					      : (struct config_bell_time){ false, 8 * 60 + 45 };
	if (!is_set(reader, "schedule.close"))
		config->schedule.close = bells ? (struct config_bell_time){ true, 45 }
					       : (struct config_bell_time){ false, 17 * 60 + 15 };
}

/* site/ beside the file is served when it is there; else the built-in page. */
static void derive_site(struct reader *reader)
{
	struct config *config = reader->config;
	struct stat info;
	char *path;

	if (config->file == NULL || reader_state(reader, "site") != READER_UNSET)
		return;
	path = path_absolute(config->folder, "site/");
	if (path == NULL)
		reader->no_memory = true;
	else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		config->site = path;
	else
		free(path);
}

/* On AWS the bucket's name holds the account, unless it is given: NULL then stands for it. */
static void derive_archive(struct reader *reader)
{
	struct config *config = reader->config;

	if (config->archive.to != NULL || is_set(reader, "archive.to"))
		return;
	if (config->provider != PROVIDER_AWS)
		reader_own(reader, &config->archive.to, path_absolute(config->folder, "archive/"));
	else if (config->aws.logging_bucket != NULL && config->fleet != NULL)
		reader_own(reader, &config->archive.to,
			   path_format("s3://%s/%s/", config->aws.logging_bucket, config->fleet));
}

void rules_derive(struct reader *reader)
{
	struct config *config = reader->config;

	config->mail.enabled = reader_state(reader, "mail") == READER_SET;
	derive_capacity(reader);
	derive_timeouts(reader);
	derive_schedule(reader);
	derive_site(reader);
	derive_archive(reader);
	if (config->record == NULL && config->provider != PROVIDER_AWS)
		reader_own(reader, &config->record, strdup("sqlite"));
	else if (config->record == NULL && config->aws.table != NULL)
		reader_own(reader, &config->record, path_format("dynamodb://%s", config->aws.table));
}

/* `a` must not be more than `b`; said at the one that the file sets. */
static void check_order(struct reader *reader, const char *a, int a_value, const char *b, int b_value)
{
	if (a_value <= b_value || is_bad(reader, a) || is_bad(reader, b))
		return;
	if (is_set(reader, a))
		finding_error(reader->findings, reader_at(reader, a), "%s: %d is more than %s, %d", a, a_value, b,
			      b_value);
	else
		finding_error(reader->findings, reader_at(reader, b), "%s: %d is less than %s, %d", b, b_value, a,
			      a_value);
}

static void check_capacity(struct reader *reader)
{
	const struct config *config = reader->config;

	if (is_set(reader, "capacity.open")) {
		check_order(reader, "capacity.min", config->capacity.min, "capacity.open", config->capacity.open);
		check_order(reader, "capacity.closed", config->capacity.closed, "capacity.open", config->capacity.open);
		check_order(reader, "capacity.open", config->capacity.open, "capacity.max", config->capacity.max);
	} else {
		check_order(reader, "capacity.min", config->capacity.min, "capacity.max", config->capacity.max);
		check_order(reader, "capacity.closed", config->capacity.closed, "capacity.max", config->capacity.max);
	}
}

/* A check must end before the next one starts. */
static void check_timeout(struct reader *reader, const char *timeout, int64_t timeout_ms, const char *every,
			  int64_t every_ms, bool equal_is_fine)
{
	char timeout_text[64];
	char every_text[64];

	if (timeout_ms < every_ms || (equal_is_fine && timeout_ms == every_ms))
		return;
	if (is_bad(reader, timeout) || is_bad(reader, every))
		return;
	units_format_duration(timeout_ms, timeout_text, sizeof timeout_text);
	units_format_duration(every_ms, every_text, sizeof every_text);
	finding_error(reader->findings, reader_at(reader, timeout), "%s: %s must be %s %s, %s", timeout, timeout_text,
		      equal_is_fine ? "at most" : "less than", every, every_text);
}

/* Only an exchange has a bell. */
static void check_bells(struct reader *reader, const struct calendar_name *calendar)
{
	static const char *const paths[] = { "schedule.open", "schedule.close" };
	const struct config *config = reader->config;
	const struct config_bell_time *times[] = { &config->schedule.open, &config->schedule.close };
	size_t i;

	if (calendar != NULL && calendar->timezone != NULL)
		return;
	for (i = 0; i < 2; i++)
		if (is_set(reader, paths[i]) && times[i]->from_bell)
			finding_error(reader->findings, reader_at(reader, paths[i]),
				      "%s: the calendar %s has no bell: write a time, such as %s", paths[i],
				      calendar != NULL ? calendar->name : "file", i == 0 ? "08:45" : "17:15");
}

static void warn_late_opening(struct reader *reader, const struct calendar_name *calendar)
{
	const struct config *config = reader->config;
	const struct config_bell_time *open = &config->schedule.open;
	const char *zone = config->schedule.timezone;

	if (calendar == NULL || calendar->timezone == NULL || !is_set(reader, "schedule.open"))
		return;
	if (open->from_bell && open->minutes > 0)
		finding_warning(reader->findings, reader_at(reader, "schedule.open"),
				"schedule.open: the fleet opens after the bell, when trading has begun");
	/* Times of another zone than the exchange's can't be compared without a date. */
	if (!open->from_bell && open->minutes > calendar->bell_minutes &&
	    (zone == NULL || strcmp(zone, calendar->timezone) == 0))
		finding_warning(reader->findings, reader_at(reader, "schedule.open"),
				"schedule.open: %02d:%02d is after the bell of %s, %02d:%02d, when trading has begun",
				open->minutes / 60, open->minutes % 60, calendar->name, calendar->bell_minutes / 60,
				calendar->bell_minutes % 60);
}

static void check_schedule(struct reader *reader)
{
	const struct config *config = reader->config;
	const struct config_bell_time *open = &config->schedule.open;
	const struct config_bell_time *close = &config->schedule.close;
	const char *at = is_set(reader, "schedule.close") ? "schedule.close" : "schedule.open";

	/* The calendar `always` never looks at them. */
	if (config->schedule.calendar == NULL || strcmp(config->schedule.calendar, "always") == 0 ||
	    is_bad(reader, "schedule.calendar"))
		return;
	check_bells(reader, calendar_name_find(config->schedule.calendar));
	warn_late_opening(reader, calendar_name_find(config->schedule.calendar));
	if (is_bad(reader, "schedule.open") || is_bad(reader, "schedule.close"))
		return;
	if (open->from_bell == close->from_bell && !open->from_bell && close->minutes <= open->minutes)
		finding_error(reader->findings, reader_at(reader, at),
			      "schedule.close: %02d:%02d must be later than schedule.open, %02d:%02d",
			      close->minutes / 60, close->minutes % 60, open->minutes / 60, open->minutes % 60);
}

static void check_present(struct reader *reader, const char *path, const char *because)
{
	if (reader_state(reader, path) == READER_UNSET)
		finding_error(reader->findings, reader_at(reader, path), "%s is missing%s", path, because);
}

static void check_mail(struct reader *reader)
{
	const struct config *config = reader->config;

	if (!is_set(reader, "mail"))
		return;
	check_present(reader, "mail.smtp", ": the server to send through, as in smtp://smtp.example.com:587");
	check_present(reader, "mail.from", ": the address that mails come from");
	check_present(reader, "mail.to", ": the addresses that mails go to");
	if (is_set(reader, "mail.to") && config->mail.to_count == 0)
		finding_error(reader->findings, reader_at(reader, "mail.to"), "mail.to: nobody is in the list");
	if (config->mail.user != NULL && config->mail.password_file == NULL && !is_bad(reader, "mail.password_file"))
		finding_error(reader->findings, reader_at(reader, "mail.user"),
			      "mail.user: mail.password_file is missing: the file whose first line is the password");
	if (config->mail.password_file != NULL && config->mail.user == NULL && !is_bad(reader, "mail.user"))
		finding_error(reader->findings, reader_at(reader, "mail.password_file"),
			      "mail.password_file: mail.user is missing: whose password it is");
}

static bool is_loopback(const char *host)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, host, &address) == 1)
		return IN6_IS_ADDR_LOOPBACK(&address);
	return strncmp(host, "127.", 4) == 0;
}

static void check_web(struct reader *reader)
{
	const struct config *config = reader->config;
	const struct config_endpoint *web = &config->web.listen;
	const struct config_endpoint *front = &config->listen;
	const char *at = is_set(reader, "web.listen") ? "web.listen" : "listen";

	if (web->host == NULL || front->host == NULL)
		return;
	if (!is_loopback(web->host) && config->web.token_file == NULL && !is_bad(reader, "web.token_file"))
		finding_error(reader->findings, reader_at(reader, "web.listen"),
			      "web.listen: %s is not loopback: web.token_file is required", web->host);
	if (config->provider == PROVIDER_AWS || web->port != front->port || is_bad(reader, at))
		return;
	if (strcmp(web->host, front->host) == 0 || strcmp(web->host, "0.0.0.0") == 0 ||
	    strcmp(front->host, "0.0.0.0") == 0)
		finding_error(reader->findings, reader_at(reader, at), "%s: port %u is that of %s too", at, web->port,
			      strcmp(at, "listen") == 0 ? "web.listen" : "listen");
}

static void check_provider(struct reader *reader)
{
	const struct config *config = reader->config;

	if (is_bad(reader, "provider"))
		return;
	if (config->provider == PROVIDER_HOSTS && config->hosts.count == 0 && config->hosts.file == NULL &&
	    !is_bad(reader, "hosts"))
		finding_error(reader->findings, reader_at(reader, "provider"),
			      "provider: hosts needs the list hosts, as in hosts: [{address: 10.0.0.11}]");
	if (config->provider == PROVIDER_AWS && is_set(reader, "archive.to") && config->archive.to != NULL &&
	    config->archive.to[0] == '/')
		finding_error(reader->findings, reader_at(reader, "archive.to"),
			      "archive.to: a folder ends with its instance on aws: "
			      "write s3://bucket/prefix/, or leave it out");
	if (config->provider == PROVIDER_AWS && is_set(reader, "record") && strcmp(config->record, "sqlite") == 0)
		finding_error(reader->findings, reader_at(reader, "record"),
			      "record: sqlite ends with its instance on aws: write dynamodb://table, or leave it out");
	if (config->provider != PROVIDER_AWS && is_set(reader, "archive.to") && config->archive.to == NULL)
		finding_error(reader->findings, reader_at(reader, "archive.to"),
			      "archive.to: expected a folder or s3://bucket/prefix/, got nothing");
}

void rules_check(struct reader *reader)
{
	const struct config *config = reader->config;

	check_capacity(reader);
	check_timeout(reader, "health.timeout", config->health.timeout_ms, "health.every", config->health.every_ms,
		      true);
	check_timeout(reader, "monitor.timeout", config->monitor.timeout_ms, "monitor.every", config->monitor.every_ms,
		      false);
	check_schedule(reader);
	check_mail(reader);
	check_web(reader);
	check_provider(reader);
	if (config->monitor.http.body != NULL && config->monitor.http.method != NULL &&
	    strcmp(config->monitor.http.method, "HEAD") == 0)
		finding_error(reader->findings, reader_at(reader, "monitor.http.body"),
			      "monitor.http.body: an answer to HEAD has no body to look at");
}
