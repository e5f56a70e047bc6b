/* test_haproxy_conf.c: HAProxy's configuration, and what HAProxy itself says of it. */
#define _GNU_SOURCE
#include "fleet/local/haproxy_conf.h"

#include "config/config.h"
#include "config/parse.h"
#include "folder_bench.h"

#include <sys/wait.h>

static struct config *config_of(const char *text)
{
	struct config_findings findings = { 0 };
	struct config *config = NULL;

	assert_int_equal(config_parse_text("t", "/t", "/srv", text, strlen(text), &config, &findings), 0);
	config_findings_free(&findings);
	return config;
}

static char *render(const char *text, const struct haproxy_server *servers, size_t count)
{
	struct config *config = config_of(text);
	char *conf = haproxy_conf_render(config, NULL, 100, servers, count);

	assert_non_null(conf);
	config_free(config);
	return conf;
}

static bool has_line(const char *conf, const char *line)
{
	char *whole = path_format("\n\t%s\n", line);
	bool found = strstr(conf, whole) != NULL;

	free(whole);
	return found;
}

static void assert_line(const char *settings, const char *line)
{
	char *conf = render(settings, NULL, 0);

	if (!has_line(conf, line))
		fail_msg("no \"%s\" for \"%s\" in:\n%s", line, settings, conf);
	free(conf);
}

static void what_no_request_may_fail_without(void **state)
{
	static const char *const lines[] = {
		"mode http",
		"option redispatch 1",
		"retries 3",
		"retry-on conn-failure empty-response junk-response response-timeout",
		"http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
		"option idle-close-on-response",
		"stats socket unix@haproxy.sock mode 600 level admin expose-fd listeners",
		"noreuseport",
		"maxconn 100",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_line("", lines[i]);
}

static void where_it_listens(void **state)
{
	(void)state;
	assert_line("", "bind 127.0.0.1:8080");
	assert_line("listen: 0.0.0.0:80", "bind 0.0.0.0:80");
	assert_line("listen: '[::1]:8080'", "bind ipv6@::1:8080 v6only");
	assert_line("listen: '[::]:8080'", "bind ipv6@:::8080 v6only");
}

static void its_check(void **state)
{
	(void)state;
	assert_line("",
		    "http-check send meth GET uri \"/\" ver HTTP/1.1 hdr Host \"webserver\" hdr User-Agent openbell-balancer");
	assert_line("{fleet: shop, health: {path: /up}}",
		    "http-check send meth GET uri \"/up\" ver HTTP/1.1 hdr Host \"shop\" hdr User-Agent openbell-balancer");
	assert_line("monitor: {http: {host: www.example.com}}", "http-check send meth GET uri \"/\" ver HTTP/1.1 hdr Host "
								"\"www.example.com\" hdr User-Agent openbell-balancer");
	assert_line("", "http-check expect status 200");
	assert_line("health: {status: 200-299}", "http-check expect status 200-299");
	assert_line("health: {status: [200, 301-302, 404]}", "http-check expect status 200,301-302,404");
	assert_line("health: {timeout: 300ms}", "timeout check 300");
}

static void servers_in_their_state(void **state)
{
	static const struct haproxy_server servers[] = { { "web-00000001", "127.0.1.1:8090", 100, true },
							 { "web-00000002", "127.0.1.2:8090", 50, false } };
	char *conf = render("health: {every: 2s, unhealthy: 2, healthy: 3}", servers, 2);

	(void)state;
	assert_true(
		has_line(conf,
			 "server web-00000001 127.0.1.1:8090 check inter 2000 fastinter 500 downinter 500 fall 2 "
			 "rise 3 observe layer4 error-limit 3 on-error mark-down pool-max-conn 128 pool-purge-delay 5s "
			 "weight 100"));
	assert_true(
		has_line(conf,
			 "server web-00000002 127.0.1.2:8090 check inter 2000 fastinter 500 downinter 500 fall 2 "
			 "rise 3 observe layer4 error-limit 3 on-error mark-down pool-max-conn 128 pool-purge-delay 5s "
			 "weight 50 disabled"));
	free(conf);
}

/* A fast check is never slower than the check. */
static void quick_checks_stay_quick(void **state)
{
	struct config *config = config_of("health: {every: 200ms, timeout: 100ms}");
	struct haproxy_server server = { "web-1", "127.0.1.1:8090", 100, true };
	char settings[512];

	(void)state;
	haproxy_conf_server(config, &server, settings, sizeof settings);
	assert_non_null(strstr(settings, " inter 200 fastinter 200 downinter 200 "));
	config_free(config);
}

static void who_it_becomes(void **state)
{
	struct config *config = config_of("");
	char *conf = haproxy_conf_render(config, "haproxy", 100, NULL, 0);

	(void)state;
	assert_true(has_line(conf, "user haproxy"));
	free(conf);
	conf = haproxy_conf_render(config, NULL, 100, NULL, 0);
	assert_null(strstr(conf, "\tuser "));
	free(conf);
	config_free(config);
}

/* The judge of a configuration is who reads it. */
static void haproxy_takes_it_without_a_warning(void **state)
{
	static const char *const settings[] = {
		"",
		"listen: '[::1]:8080'",
		"health: {path: '/up?a=b&c=%20d', status: [200, 301-302], every: 200ms, timeout: 100ms}",
		"monitor: {http: {host: 'www.example.com:8080'}}",
		"capacity: {open: 2, max: 100}",
	};
	struct haproxy_server servers[100];
	size_t i;

	(void)state;
	if (access("/usr/sbin/haproxy", X_OK) < 0)
		skip();
	for (i = 0; i < 100; i++) {
		snprintf(servers[i].id, sizeof servers[i].id, "web-%08zx", i);
		snprintf(servers[i].address, sizeof servers[i].address, "127.0.1.%zu:8090", i + 1);
		servers[i].weight = 100;
		servers[i].ready = i % 2 == 0;
	}
	for (i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		char *conf = render(settings[i], servers, i * 25);
		int status;

		folder_write("haproxy.cfg", conf, 0600);
		status = system("/usr/sbin/haproxy -c -q -dW -f haproxy.cfg 2>haproxy.out");
		if (status != 0) {
			char *said;

			assert_int_equal(path_read("haproxy.out", 1 << 20, &said, NULL), 0);
			fail_msg("%s\n%s", said, conf);
		}
		free(conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_request_may_fail_without),
		cmocka_unit_test(where_it_listens),
		cmocka_unit_test(its_check),
		cmocka_unit_test(servers_in_their_state),
		cmocka_unit_test(quick_checks_stay_quick),
		cmocka_unit_test(who_it_becomes),
		folder_test(haproxy_takes_it_without_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
