/* test_config.c: openbell.yaml as a struct: defaults, every key, printing, files. */
#define _GNU_SOURCE
#include "base/path.h"
#include "config/config.h"
#include "config/mask.h"
#include "config/parse.h"
#include "config/schema.h"
#include "config/suggest.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct config *parse(const char *text)
{
	struct config_findings findings;
	struct config *config = NULL;
	int r;

	r = config_parse_text("openbell.yaml", "/srv/openbell.yaml", "/srv", text, strlen(text), &config, &findings);
	if (r < 0)
		print_error("%s\n", findings.count > 0 ? findings.lines[0] : strerror(-r));
	assert_int_equal(r, 0);
	config_findings_free(&findings);
	return config;
}

/* Free the text. */
static char *printed(const struct config *config)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	assert_int_equal(config_print(config, out), 0);
	fclose(out);
	return text;
}

static void assert_same(const struct config *a, const struct config *b)
{
	char *x = config_to_json(a);
	char *y = config_to_json(b);

	assert_string_equal(x, y);
	free(x);
	free(y);
}

static void defaults_are_the_contract(void **state)
{
	struct config *c;

	setenv("HOME", "/home/ops", 1);
	c = parse("");
	assert_string_equal(c->fleet, "webserver");
	assert_int_equal(c->provider, PROVIDER_LOCAL);
	assert_null(c->site);
	assert_string_equal(c->listen.host, "127.0.0.1");
	assert_int_equal(c->listen.port, 8080);
	assert_string_equal(c->state, "/home/ops/.local/state/openbell");
	assert_int_equal(c->capacity.open, 2);
	assert_int_equal(c->capacity.closed, 0);
	assert_int_equal(c->capacity.min, 1);
	assert_int_equal(c->capacity.max, 4);
	assert_string_equal(c->schedule.calendar, "always");
	assert_null(c->schedule.timezone);
	assert_int_equal(c->schedule.open.minutes, 8 * 60 + 45);
	assert_int_equal(c->schedule.lead_ms, 600000);
	assert_true(config_status_passes(&c->health.status, 200));
	assert_false(config_status_passes(&c->health.status, 201));
	assert_int_equal(c->monitor.every_ms, 60000);
	assert_string_equal(c->monitor.http.method, "GET");
	assert_true(c->monitor.ssh.enabled);
	assert_string_equal(c->monitor.ssh.known_hosts, "/srv/known_hosts");
	assert_int_equal(c->monitor.brake_permille, 500);
	assert_int_equal(c->archive.at_minutes, 23 * 60 + 30);
	assert_string_equal(c->archive.to, "/srv/archive/");
	assert_int_equal(c->archive.pending_bytes, INT64_C(2) << 30);
	assert_string_equal(c->record, "sqlite");
	assert_false(c->mail.enabled);
	assert_int_equal(c->web.listen.port, 8081);
	assert_string_equal(c->aws.table, "webserver-monitoring");
	config_free(c);
}

static const struct {
	const char *text;
	const char *calendar;
	struct config_bell_time open, close;
} schedules[] = {
	{ "provider: aws", "weekdays", { false, 525 }, { false, 1035 } },
	{ "schedule: {calendar: XLON}", "XLON", { true, -15 }, { true, 45 } },
	{ "schedule: {calendar: XNYS, open: 09:00}", "XNYS", { false, 540 }, { true, 45 } },
	{ "schedule: {calendar: XPAR, close: bell}", "XPAR", { true, -15 }, { true, 0 } },
	{ "schedule: {calendar: XTKS, open: bell-1h30m}", "XTKS", { true, -90 }, { true, 45 } },
	{ "schedule: {calendar: days.ics}", "/srv/days.ics", { false, 525 }, { false, 1035 } },
	{ "schedule: {open: 8:45, close: \"17:15\"}", "always", { false, 525 }, { false, 1035 } },
};

static void hours_follow_the_calendar(void **state)
{
	size_t i;

	for (i = 0; i < sizeof schedules / sizeof schedules[0]; i++) {
		struct config *c = parse(schedules[i].text);

		assert_string_equal(c->schedule.calendar, schedules[i].calendar);
		assert_int_equal(c->schedule.open.from_bell, schedules[i].open.from_bell);
		assert_int_equal(c->schedule.open.minutes, schedules[i].open.minutes);
		assert_int_equal(c->schedule.close.from_bell, schedules[i].close.from_bell);
		assert_int_equal(c->schedule.close.minutes, schedules[i].close.minutes);
		config_free(c);
	}
}

static const struct {
	const char *text;
	int open, closed, min, max;
} capacities[] = {
	{ "capacity: {open: 6}", 6, 0, 1, 6 },
	{ "capacity: {open: 0}", 0, 0, 0, 4 },
	{ "capacity: {open: 08}", 8, 0, 1, 8 },
	{ "capacity: {min: 3}", 3, 0, 3, 4 },
	{ "capacity: {min: 5}", 5, 0, 5, 5 },
	{ "capacity: {max: 1}", 1, 0, 1, 1 },
	{ "capacity: {closed: 3}", 3, 3, 1, 4 },
	{ "capacity: {open: 3, max: 3}", 3, 0, 1, 3 },
	{ "{provider: hosts, hosts: [{address: a}, {address: b}, {address: c}]}", 3, 0, 1, 3 },
	{ "{provider: hosts, hosts: list.yaml, capacity: {open: 300}}", 300, 0, 1, 300 },
};

static void capacities_make_room_for_each_other(void **state)
{
	size_t i;

	for (i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
		struct config *c = parse(capacities[i].text);

		assert_int_equal(c->capacity.open, capacities[i].open);
		assert_int_equal(c->capacity.closed, capacities[i].closed);
		assert_int_equal(c->capacity.min, capacities[i].min);
		assert_int_equal(c->capacity.max, capacities[i].max);
		config_free(c);
	}
}

static void a_timeout_follows_its_interval(void **state)
{
	struct config *c = parse("monitor: {every: 1s}\nhealth: {every: 200ms}");

	assert_int_equal(c->monitor.timeout_ms, 500);
	assert_int_equal(c->health.timeout_ms, 200);
	config_free(c);
}

static void stores_follow_the_provider(void **state)
{
	struct config *c = parse("provider: aws");

	assert_null(c->archive.to);
	assert_string_equal(c->record, "dynamodb://webserver-monitoring");
	config_free(c);
	c = parse("{provider: aws, fleet: web, aws: {logging_bucket: logs-1, table: tab}}");
	assert_string_equal(c->archive.to, "s3://logs-1/web/");
	assert_string_equal(c->record, "dynamodb://tab");
	config_free(c);
}

/* Every key with a value that is not its default. */
static const char every_key[] =
	"fleet: shop\nprovider: hosts\nsite: ./pages\nlisten: '[::1]:80'\nstate: ~/st\n"
	"capacity: {open: 5, closed: 1, min: 2, max: 9}\n"
	"scale: {requests_per_instance: 7, warmup: 1m30s, cooldown: 0}\n"
	"schedule: {calendar: XNYS, timezone: UTC, open: bell-20m, close: '18:00', lead: 1h}\n"
	"health: {path: /up, status: [200, 204-299], every: 3s, timeout: 250ms, unhealthy: 4, healthy: 5}\n"
	"monitor:\n  every: 30s\n  timeout: 1500ms\n"
	"  http: {scheme: https, method: OPTIONS, path: '/a?b=c', host: www.example.com, status: 301-308,\n"
	"    body: '^[Hh]ello \"you\"$', header: 'Server: .*\\d', redirects: 3}\n"
	"  service: httpd@web.service\n"
	"  ssh: {user: ops, port: 2222, key: key, known_hosts: /etc/hosts.known, concurrency: 8}\n"
	"  restart: no\n  replace_after: 9\n  brake: 12.5%\n"
	"archive: {at: 00:05, every: 10m, to: s3://logs/shop, format: tar.zst, keep: 30d, pending: 1.5G}\n"
	"record: dynamodb://shop-monitoring\nrecord_keep: 90d\n"
	"mail: {smtp: 'smtps://mail.example.com:465', tls: optional, user: bob, password_file: pw,\n"
	"  from: a@example.com, to: [b@example.com, c@example.com]}\n"
	"notify: {webhook: 'https://example.com/hook', exec: 'logger -t \"bell\" \\n'}\n"
	"web: {listen: ':8444', token_file: token}\n"
	"hosts:\n- {address: 10.0.0.11, port: 81, id: web-a, user: root, weight: 50}\n- address: '2001:db8::1'\n"
	"aws: {region: eu-west-2, vpc: vpc-0a1, subnets: [subnet-0b1, subnet-0b2], instance_type: m5.large,\n"
	"  spot: false, on_demand_base: 0, config_bucket: cfg, logging_bucket: logs, table: tab,\n"
	"  admin_cidr: 10.0.0.0/8, certificate: 'arn:aws:acm:eu-west-2:1:certificate/x'}\n";

static void every_key_lands(void **state)
{
	struct config *c;
	struct config *defaults = parse("");
	json_t *values;
	json_t *usual;
	const char *name;
	char *text;
	size_t i;

	setenv("HOME", "/home/ops", 1);
	c = parse(every_key);
	assert_string_equal(c->site, "/srv/pages");
	assert_string_equal(c->listen.host, "::1");
	assert_string_equal(c->state, "/home/ops/st");
	assert_int_equal(c->scale.warmup_ms, 90000);
	assert_int_equal(c->health.status.count, 2);
	assert_true(config_status_passes(&c->health.status, 250));
	assert_true(c->monitor.http.https);
	assert_string_equal(c->monitor.http.header, "Server: .*\\d");
	assert_int_equal(c->monitor.brake_permille, 125);
	assert_int_equal(c->archive.at_minutes, 5);
	assert_string_equal(c->archive.to, "s3://logs/shop/");
	assert_int_equal(c->archive.pending_bytes, INT64_C(3) << 29);
	assert_int_equal(c->mail.to_count, 2);
	assert_string_equal(c->mail.to[1], "c@example.com");
	assert_string_equal(c->mail.password_file, "/srv/pw");
	assert_string_equal(c->web.listen.host, "0.0.0.0");
	assert_int_equal(c->hosts.count, 2);
	assert_string_equal(c->hosts.list[1].id, "2001:db8::1");
	assert_int_equal(c->hosts.list[1].weight, 100);
	assert_null(c->hosts.list[1].user);
	assert_string_equal(c->aws.subnets[1], "subnet-0b2");

	/* No key of the schema was left out above. */
	text = config_to_json(c);
	values = json_loads(text, 0, NULL);
	free(text);
	text = config_to_json(defaults);
	usual = json_loads(text, 0, NULL);
	free(text);
	for (i = 0; i < schema_count; i++) {
		const json_t *a = values;
		const json_t *b = usual;
		char path[64];
		char *rest = path;

		if (schema[i].kind == NULL)
			continue;
		snprintf(path, sizeof path, "%s", schema[i].path);
		while ((name = strsep(&rest, ".")) != NULL) {
			a = json_object_get(a, name);
			b = json_is_object(b) ? json_object_get(b, name) : NULL;
		}
		if (json_equal(a, b))
			print_error("%s has its default\n", schema[i].path);
		assert_non_null(a);
		assert_false(json_equal(a, b));
	}
	json_decref(values);
	json_decref(usual);
	config_free(defaults);
	config_free(c);
}

static const char *const round_trips[] = {
	"", every_key, config_template, "monitor: {ssh: none}", "provider: aws", "site: null",
	"provider: hosts\nhosts: list.yaml", "schedule: {calendar: a b.ics, open: 01:00}", "fleet: 'on'",
	"{provider: aws, fleet: web, aws: {logging_bucket: logs-1}}", "state: '/tmp/\"x\": #y\\z'",
	"monitor: {http: {body: \"\\u00e9\\\\.\"}}", "capacity: {open: 250}", "fleet: '12'", "fleet: 1e3",
	"state: \"/\\L\\P\\N\\_\\uFEFF\\uFFFE\\u00e9\\U0001F514\"",
	"provider: hosts\nhosts: [{address: '::1'}, {address: "
	"a-name-of-more-than-sixty-four-characters.in-a-domain-that-is-long-itself.example.com}]",
};

static void what_is_printed_reads_back(void **state)
{
	size_t i;

	for (i = 0; i < sizeof round_trips / sizeof round_trips[0]; i++) {
		struct config *once = parse(round_trips[i]);
		char *text = printed(once);
		struct config *twice = parse(text);

		assert_same(once, twice);
		free(text);
		config_free(once);
		config_free(twice);
	}
}

static void the_template_is_the_defaults(void **state)
{
	struct config_findings findings;
	struct config *defaults = parse("");
	struct config *c;
	size_t i;
	int r;

	r = config_parse_text("t", "/srv/openbell.yaml", "/srv", config_template, strlen(config_template), &c,
			      &findings);
	assert_int_equal(r, 0);
	assert_int_equal(findings.warning_count, 0);
	config_findings_free(&findings);
	assert_same(defaults, c);
	for (i = 0; i < schema_count; i++) {
		char word[64];

		snprintf(word, sizeof word, "%s:", schema_name(&schema[i]));
		assert_non_null(strstr(config_template, word));
	}
	config_free(c);
	config_free(defaults);
}

static const char *const masks[][2] = {
	{ "https://example.com/hook", "https://example.com/hook" },
	{ "https://user:pw@example.com/hook", "https://***@example.com/hook" },
	{ "https://example.com/hook?token=abc", "https://example.com/hook?***" },
	{ "https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXXXXXXXXXXXXXX",
	  "https://hooks.slack.com/services/T000/B000/***" },
	{ "http://a@b@c", "http://***@c" },
	{ "http://h#frag", "http://h#***" },
	{ "https://h?", "https://h?***" },
};

static void secrets_are_masked(void **state)
{
	struct config *c = parse("notify: {webhook: 'https://u:secret@h/x?token=secret'}");
	char *yaml = printed(c);
	char *json = config_to_json(c);
	size_t i;

	assert_string_equal(c->notify.webhook, "https://u:secret@h/x?token=secret");
	assert_null(strstr(yaml, "secret"));
	assert_null(strstr(json, "secret"));
	free(yaml);
	free(json);
	config_free(c);
	for (i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		char *masked = mask_url(masks[i][0]);

		assert_string_equal(masked, masks[i][1]);
		free(masked);
	}
}

static void json_is_one_document(void **state)
{
	struct config *c = parse("");
	char *text = config_to_json(c);
	json_t *root = json_loads(text, 0, NULL);

	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
	assert_string_equal(json_string_value(json_object_get(json_object_get(root, "monitor"), "every")), "1m");
	assert_string_equal(json_string_value(json_object_get(root, "listen")), "127.0.0.1:8080");
	assert_true(json_is_null(json_object_get(root, "mail")));
	json_decref(root);
	free(text);
	config_free(c);
}

static void endpoints_are_formatted(void **state)
{
	char host[] = "::1";
	const struct config_endpoint v6 = { host, 8080 };
	char text[64];

	config_endpoint_format(&v6, text, sizeof text);
	assert_string_equal(text, "[::1]:8080");
}

static void distances_count_swaps_once(void **state)
{
	assert_int_equal(suggest_distance("every", "every"), 0);
	assert_int_equal(suggest_distance("evrey", "every"), 1);
	assert_int_equal(suggest_distance("Every", "eery"), 1);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_true(suggest_distance("a", "0123456789012345678901234567890123456789x") > 40);
}

/* In a folder of its own, with nothing to find elsewhere. */
struct place {
	char folder[32];
	char *before;
};

static int enter(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	strcpy(place->folder, "/tmp/openbell-XXXXXX");
	place->before = getcwd(NULL, 0);
	assert_non_null(mkdtemp(place->folder));
	assert_int_equal(chdir(place->folder), 0);
	setenv("XDG_CONFIG_HOME", place->folder, 1);
	*state = place;
	return 0;
}

static int leave(void **state)
{
	struct place *place = *state;

	assert_int_equal(chdir(place->before), 0);
	path_remove_tree(place->folder);
	free(place->before);
	free(place);
	return 0;
}

static void put(const char *path, const char *text)
{
	assert_int_equal(path_write(path, text, strlen(text), 0600, false), 0);
}

/* Read `file` and compare the first finding; "" none. */
static struct config *read_file(const char *file, const char *finding)
{
	struct config_findings findings;
	struct config *config = NULL;
	int r = config_read(file, &config, &findings);

	assert_int_equal(r, finding[0] != '\0' ? -EINVAL : 0);
	assert_string_equal(findings.count > 0 ? findings.lines[0] : "", finding);
	config_findings_free(&findings);
	return config;
}

static void files_are_looked_for_in_order(void **state)
{
	struct place *place = *state;
	struct config *c;
	char *path;

	/* Only where this machine has none of its own. */
	if (access("/etc/openbell/openbell.yaml", F_OK) < 0) {
		c = read_file(NULL, "");
		assert_null(c->file);
		assert_string_equal(c->folder, place->folder);
		config_free(c);
	}

	assert_int_equal(mkdir("openbell", 0700), 0);
	put("openbell/openbell.yaml", "fleet: users");
	c = read_file(NULL, "");
	assert_string_equal(c->fleet, "users");
	path = path_format("%s/openbell/archive/", place->folder);
	assert_string_equal(c->archive.to, path);
	free(path);
	config_free(c);

	put("openbell.yaml", "fleet: here");
	assert_int_equal(mkdir("site", 0700), 0);
	c = read_file(NULL, "");
	assert_string_equal(c->fleet, "here");
	path = path_format("%s/site/", place->folder);
	assert_string_equal(c->site, path);
	free(path);
	config_free(c);

	put("openbell.yaml", "flet: here");
	assert_null(read_file(NULL, "openbell.yaml:1:1: unknown key \"flet\", did you mean \"fleet\"?"));
	assert_null(read_file("./openbell.yaml", "./openbell.yaml:1:1: unknown key \"flet\", did you mean \"fleet\"?"));
	c = read_file("openbell/openbell.yaml", "");
	assert_string_equal(c->fleet, "users");
	config_free(c);
}

static void files_that_cannot_be_read_are_named(void **state)
{
	char *text = malloc(1024 * 1024 + 2);

	read_file("openbell.yaml",
		  "openbell.yaml: no such file: write one with \"openbell init\", or name another with --config");
	assert_int_equal(mkdir("openbell.yaml", 0700), 0);
	read_file(NULL, "openbell.yaml: this is a folder: name the file in it with --config");
	memset(text, '#', 1024 * 1024 + 1);
	text[1024 * 1024 + 1] = '\0';
	put("large", text);
	read_file("large", "large: larger than 1 MiB, which no configuration is");
	text[1024 * 1024] = '\0';
	put("large", text);
	config_free(read_file("large", ""));
	free(text);
	if (geteuid() == 0)
		return;
	put("closed", "");
	assert_int_equal(chmod("closed", 0), 0);
	read_file("closed", "closed: can't be read: Permission denied");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_contract),
		cmocka_unit_test(hours_follow_the_calendar),
		cmocka_unit_test(capacities_make_room_for_each_other),
		cmocka_unit_test(a_timeout_follows_its_interval),
		cmocka_unit_test(stores_follow_the_provider),
		cmocka_unit_test(every_key_lands),
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(the_template_is_the_defaults),
		cmocka_unit_test(secrets_are_masked),
		cmocka_unit_test(json_is_one_document),
		cmocka_unit_test(endpoints_are_formatted),
		cmocka_unit_test(distances_count_swaps_once),
		cmocka_unit_test_setup_teardown(files_are_looked_for_in_order, enter, leave),
		cmocka_unit_test_setup_teardown(files_that_cannot_be_read_are_named, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
