/* schema.c: see schema.h. */
#include "config/schema.h"

#include "config/check.h"
#include "config/config.h"

#include <string.h>

#define AT(member) offsetof(struct config, member)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define CENTURY (36500 * DAY)
#define KIB INT64_C(1024)
#define TIB (KIB * KIB * KIB * KIB)
#define INSTANCES_MAX 250

static const struct schema_word providers[] = {
	{ "local", PROVIDER_LOCAL }, { "hosts", PROVIDER_HOSTS }, { "aws", PROVIDER_AWS }, { NULL, 0 },
};
static const struct schema_word schemes[] = { { "http", false }, { "https", true }, { NULL, 0 } };
static const struct schema_word methods[] = { { "GET", 0 }, { "HEAD", 1 }, { "OPTIONS", 2 }, { NULL, 0 } };
static const struct schema_word formats[] = { { "tar.gz", false }, { "tar.zst", true }, { NULL, 0 } };
static const struct schema_word tls_modes[] = {
	{ "required", true }, { "optional", false }, { "none", false }, { NULL, 0 },
};

/* In the order in which the contract shows them, and `config` prints them. */
const struct schema_key schema[] = {
	{ .path = "fleet", .kind = &kind_text, .offset = AT(fleet), .fallback = "webserver", .check = check_fleet },
	{ .path = "provider", .kind = &kind_word, .offset = AT(provider), .fallback = "local", .words = providers },
	{ .path = "site", .kind = &kind_path, .offset = AT(site), .nullable = true },
	{ .path = "listen", .kind = &kind_endpoint, .offset = AT(listen), .fallback = "127.0.0.1:8080" },
	{ .path = "state", .kind = &kind_path, .offset = AT(state), .fallback = "~/.local/state/openbell" },

	{ .path = "capacity" },
	{ .path = "capacity.open", .kind = &kind_integer, .offset = AT(capacity.open), .max = INSTANCES_MAX,
	  .max_hosts = CONFIG_HOSTS_MAX },
	{ .path = "capacity.closed", .kind = &kind_integer, .offset = AT(capacity.closed), .fallback = "0",
	  .max = INSTANCES_MAX, .max_hosts = CONFIG_HOSTS_MAX },
	{ .path = "capacity.min", .kind = &kind_integer, .offset = AT(capacity.min), .max = INSTANCES_MAX,
	  .max_hosts = CONFIG_HOSTS_MAX },
	{ .path = "capacity.max", .kind = &kind_integer, .offset = AT(capacity.max), .max = INSTANCES_MAX,
	  .max_hosts = CONFIG_HOSTS_MAX },

	{ .path = "scale" },
	{ .path = "scale.requests_per_instance", .kind = &kind_integer, .offset = AT(scale.requests_per_instance),
	  .fallback = "50", .min = 1, .max = 100000 },
	{ .path = "scale.warmup", .kind = &kind_duration, .offset = AT(scale.warmup_ms), .fallback = "30s",
	  .max = HOUR },
	{ .path = "scale.cooldown", .kind = &kind_duration, .offset = AT(scale.cooldown_ms), .fallback = "5m",
	  .max = DAY },

	{ .path = "schedule" },
	{ .path = "schedule.calendar", .kind = &kind_calendar, .offset = AT(schedule.calendar) },
	{ .path = "schedule.timezone", .kind = &kind_text, .offset = AT(schedule.timezone), .nullable = true,
	  .check = check_timezone },
	{ .path = "schedule.open", .kind = &kind_bell, .offset = AT(schedule.open) },
	{ .path = "schedule.close", .kind = &kind_bell, .offset = AT(schedule.close) },
	{ .path = "schedule.lead", .kind = &kind_duration, .offset = AT(schedule.lead_ms), .fallback = "10m",
	  .max = 12 * HOUR },

	{ .path = "health" },
	{ .path = "health.path", .kind = &kind_text, .offset = AT(health.path), .fallback = "/",
	  .check = check_http_path },
	{ .path = "health.status", .kind = &kind_statuses, .offset = AT(health.status), .fallback = "200" },
	{ .path = "health.every", .kind = &kind_duration, .offset = AT(health.every_ms), .fallback = "2s",
	  .min = 50, .max = HOUR },
	{ .path = "health.timeout", .kind = &kind_duration, .offset = AT(health.timeout_ms), .fallback = "1s",
	  .min = 10, .max = HOUR },
	{ .path = "health.unhealthy", .kind = &kind_integer, .offset = AT(health.unhealthy), .fallback = "2", .min = 1,
	  .max = 100 },
	{ .path = "health.healthy", .kind = &kind_integer, .offset = AT(health.healthy), .fallback = "2", .min = 1,
	  .max = 100 },

	{ .path = "monitor" },
	{ .path = "monitor.every", .kind = &kind_duration, .offset = AT(monitor.every_ms), .fallback = "1m", .min = 100,
	  .max = DAY },
	{ .path = "monitor.timeout", .kind = &kind_duration, .offset = AT(monitor.timeout_ms), .fallback = "5s",
	  .min = 10, .max = HOUR },
	{ .path = "monitor.http" },
	{ .path = "monitor.http.scheme", .kind = &kind_word_bool, .offset = AT(monitor.http.https), .fallback = "http",
	  .words = schemes },
	{ .path = "monitor.http.method", .kind = &kind_word_text, .offset = AT(monitor.http.method), .fallback = "GET",
	  .words = methods },
	{ .path = "monitor.http.path", .kind = &kind_text, .offset = AT(monitor.http.path), .fallback = "/",
	  .check = check_http_path },
	{ .path = "monitor.http.host", .kind = &kind_text, .offset = AT(monitor.http.host), .nullable = true,
	  .check = check_http_host },
	{ .path = "monitor.http.status", .kind = &kind_statuses, .offset = AT(monitor.http.status), .fallback = "200" },
	{ .path = "monitor.http.body", .kind = &kind_regex, .offset = AT(monitor.http.body), .nullable = true },
	{ .path = "monitor.http.header", .kind = &kind_regex, .offset = AT(monitor.http.header), .nullable = true },
	{ .path = "monitor.http.redirects", .kind = &kind_integer, .offset = AT(monitor.http.redirects),
	  .fallback = "0", .max = 20 },
	{ .path = "monitor.service", .kind = &kind_text, .offset = AT(monitor.service), .fallback = "apache2",
	  .check = check_unit },
	{ .path = "monitor.ssh" },
	{ .path = "monitor.ssh.user", .kind = &kind_text, .offset = AT(monitor.ssh.user), .fallback = "admin",
	  .check = check_user },
	{ .path = "monitor.ssh.port", .kind = &kind_port, .offset = AT(monitor.ssh.port), .fallback = "22", .min = 1,
	  .max = 65535 },
	{ .path = "monitor.ssh.key", .kind = &kind_path, .offset = AT(monitor.ssh.key),
	  .fallback = "~/.ssh/id_ed25519" },
	{ .path = "monitor.ssh.known_hosts", .kind = &kind_path, .offset = AT(monitor.ssh.known_hosts),
	  .fallback = "known_hosts" },
	{ .path = "monitor.ssh.concurrency", .kind = &kind_integer, .offset = AT(monitor.ssh.concurrency),
	  .fallback = "64", .min = 1, .max = 4096 },
	{ .path = "monitor.restart", .kind = &kind_bool, .offset = AT(monitor.restart), .fallback = "true" },
	{ .path = "monitor.replace_after", .kind = &kind_integer, .offset = AT(monitor.replace_after), .fallback = "3",
	  .min = 1, .max = 1000 },
	{ .path = "monitor.brake", .kind = &kind_percent, .offset = AT(monitor.brake_permille), .fallback = "50%" },

	{ .path = "archive" },
	{ .path = "archive.at", .kind = &kind_time, .offset = AT(archive.at_minutes), .fallback = "23:30" },
	{ .path = "archive.every", .kind = &kind_duration, .offset = AT(archive.every_ms), .fallback = "5m",
	  .min = SECOND, .max = DAY },
	{ .path = "archive.to", .kind = &kind_store, .offset = AT(archive.to), .nullable = true },
	{ .path = "archive.format", .kind = &kind_word_bool, .offset = AT(archive.zstd), .fallback = "tar.gz",
	  .words = formats },
	{ .path = "archive.keep", .kind = &kind_duration, .offset = AT(archive.keep_ms), .fallback = "400d",
	  .min = MINUTE, .max = CENTURY },
	{ .path = "archive.pending", .kind = &kind_size, .offset = AT(archive.pending_bytes), .fallback = "2G",
	  .min = 64 * KIB, .max = 1024 * TIB },

	{ .path = "record", .kind = &kind_text, .offset = AT(record), .check = check_record },
	{ .path = "record_keep", .kind = &kind_duration, .offset = AT(record_keep_ms), .fallback = "400d",
	  .min = MINUTE, .max = CENTURY },

	{ .path = "mail" },
	{ .path = "mail.smtp", .kind = &kind_secret_url, .offset = AT(mail.smtp), .check = check_smtp_url },
	{ .path = "mail.tls", .kind = &kind_word_bool, .offset = AT(mail.tls_required), .fallback = "required",
	  .words = tls_modes },
	{ .path = "mail.user", .kind = &kind_text, .offset = AT(mail.user), .nullable = true, .check = check_line },
	{ .path = "mail.password_file", .kind = &kind_path, .offset = AT(mail.password_file), .nullable = true },
	{ .path = "mail.from", .kind = &kind_text, .offset = AT(mail.from), .check = check_mail_address },
	{ .path = "mail.to", .kind = &kind_texts, .offset = AT(mail.to), .count_offset = AT(mail.to_count), .max = 100,
	  .check = check_mail_address },

	{ .path = "notify" },
	{ .path = "notify.webhook", .kind = &kind_secret_url, .offset = AT(notify.webhook), .nullable = true,
	  .check = check_webhook_url },
	{ .path = "notify.exec", .kind = &kind_text, .offset = AT(notify.exec), .nullable = true, .check = check_line },

	{ .path = "web" },
	{ .path = "web.listen", .kind = &kind_endpoint, .offset = AT(web.listen), .fallback = "127.0.0.1:8081" },
	{ .path = "web.token_file", .kind = &kind_path, .offset = AT(web.token_file), .nullable = true },

	{ .path = "hosts", .kind = &kind_hosts, .offset = AT(hosts) },

	{ .path = "aws" },
	{ .path = "aws.region", .kind = &kind_text, .offset = AT(aws.region), .fallback = "us-east-1",
	  .check = check_region },
	{ .path = "aws.vpc", .kind = &kind_text, .offset = AT(aws.vpc), .nullable = true, .check = check_vpc },
	{ .path = "aws.subnets", .kind = &kind_texts, .offset = AT(aws.subnets), .count_offset = AT(aws.subnet_count),
	  .max = 20, .check = check_subnet },
	{ .path = "aws.instance_type", .kind = &kind_text, .offset = AT(aws.instance_type), .fallback = "t3.micro",
	  .check = check_instance_type },
	{ .path = "aws.spot", .kind = &kind_bool, .offset = AT(aws.spot), .fallback = "true" },
	{ .path = "aws.on_demand_base", .kind = &kind_integer, .offset = AT(aws.on_demand_base), .fallback = "1",
	  .max = 250 },
	{ .path = "aws.config_bucket", .kind = &kind_text, .offset = AT(aws.config_bucket), .nullable = true,
	  .check = check_bucket },
	{ .path = "aws.logging_bucket", .kind = &kind_text, .offset = AT(aws.logging_bucket), .nullable = true,
	  .check = check_bucket },
	{ .path = "aws.table", .kind = &kind_text, .offset = AT(aws.table), .fallback = "webserver-monitoring",
	  .check = check_table },
	{ .path = "aws.admin_cidr", .kind = &kind_text, .offset = AT(aws.admin_cidr), .nullable = true,
	  .check = check_cidr },
	{ .path = "aws.certificate", .kind = &kind_text, .offset = AT(aws.certificate), .nullable = true,
	  .check = check_certificate },
};

const size_t schema_count = sizeof schema / sizeof schema[0];

_Static_assert(sizeof schema / sizeof schema[0] <= SCHEMA_KEYS_MAX, "SCHEMA_KEYS_MAX is too small");
_Static_assert(sizeof(enum config_provider) == sizeof(int), "kind_word stores an int");

const struct schema_key *schema_find(const char *path)
{
	size_t i;

	for (i = 0; i < schema_count; i++)
		if (strcmp(schema[i].path, path) == 0)
			return &schema[i];
	return NULL;
}

bool schema_is_in(const struct schema_key *key, const char *section)
{
	size_t length = strlen(section);

	if (length == 0)
		return strchr(key->path, '.') == NULL;
	return strncmp(key->path, section, length) == 0 && key->path[length] == '.' &&
	       strchr(key->path + length + 1, '.') == NULL;
}

const char *schema_name(const struct schema_key *key)
{
	const char *dot = strrchr(key->path, '.');

	return dot != NULL ? dot + 1 : key->path;
}

const struct schema_key *schema_child(const char *section, const char *name)
{
	size_t i;

	for (i = 0; i < schema_count; i++)
		if (schema_is_in(&schema[i], section) && strcmp(schema_name(&schema[i]), name) == 0)
			return &schema[i];
	return NULL;
}
