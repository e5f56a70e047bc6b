/* haproxy_conf.c: see haproxy_conf.h. */
#define _GNU_SOURCE
#include "fleet/local/haproxy_conf.h"

#include "config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FAST_CHECK_MAX_MS 500    /* how soon a check is repeated while a server changes its state */

static void render_global(FILE *out, const char *user, int max_connections)
{
	fprintf(out, "# Written by openbell before each change of the fleet; changes made here are lost.\n"
		     "global\n"
		     "\tmaxconn %d\n"
		     /* A second balancer must fail, not share the port with the first. */
		     "\tnoreuseport\n"
		     "\tstats socket unix@" HAPROXY_SOCKET " mode 600 level admin expose-fd listeners\n"
		     "\thard-stop-after 60s\n",
		max_connections);
	if (user != NULL)
		fprintf(out, "\tuser %s\n", user);
}

/*
 * A request whose server dies under it is sent to another server, unless it
 * may change something: then nobody but the client can know whether to repeat.
 */
static void render_defaults(FILE *out, const struct config *config)
{
	fprintf(out, "\ndefaults\n"
		     "\tmode http\n"
		     "\ttimeout connect 1s\n"
		     "\ttimeout client 60s\n"
		     "\ttimeout server 60s\n"
		     "\ttimeout queue 5s\n"
		     "\ttimeout http-request 10s\n"
		     "\ttimeout http-keep-alive 60s\n"
		     "\ttimeout check %" PRId64 "\n"
		     "\toption redispatch 1\n"
		     "\tretries 3\n"
		     "\tretry-on conn-failure empty-response junk-response response-timeout\n"
		     "\toption idle-close-on-response\n"
		     "\toption forwardfor\n",
		config->health.timeout_ms);
}

static void render_frontend(FILE *out, const struct config *config)
{
	const char *host = config->listen.host;
	bool v6 = false;

	for (const char *p = host; *p != '\0'; p++)
		v6 = v6 || *p == ':';
	fprintf(out, "\nfrontend front\n"
		     "\tbind %s%s:%u%s\n"
		     "\thttp-request disable-l7-retry unless { method GET HEAD OPTIONS }\n"
		     "\tdefault_backend " HAPROXY_BACKEND "\n",
		v6 ? "ipv6@" : "", host, config->listen.port, v6 ? " v6only" : "");
}

static void render_statuses(FILE *out, const struct config_statuses *statuses)
{
	size_t i;

	for (i = 0; i < statuses->count; i++) {
		int first = statuses->ranges[i].first;
		int last = statuses->ranges[i].last;

		fprintf(out, "%s%d", i > 0 ? "," : "", first);
		if (last != first)
			fprintf(out, "-%d", last);
	}
}

static void render_backend(FILE *out, const struct config *config, const struct haproxy_server *servers, size_t count)
{
	char settings[512];
	size_t i;

	fprintf(out, "\nbackend " HAPROXY_BACKEND "\n"
		     "\tbalance leastconn\n"
		     "\toption httpchk\n"
		     "\thttp-check send meth GET uri %s ver HTTP/1.1 hdr Host %s hdr User-Agent openbell-balancer\n"
		     "\thttp-check expect status ",
		config->health.path, config->monitor.http.host != NULL ? config->monitor.http.host : config->fleet);
	render_statuses(out, &config->health.status);
	fputc('\n', out);
	for (i = 0; i < count; i++) {
		haproxy_conf_server(config, &servers[i], settings, sizeof settings);
		fprintf(out, "\tserver %s%s\n", settings, servers[i].ready ? "" : " disabled");
	}
}

void haproxy_conf_server(const struct config *config, const struct haproxy_server *server, char *ret_text, size_t size)
{
	int64_t fast_ms = config->health.every_ms < FAST_CHECK_MAX_MS ? config->health.every_ms : FAST_CHECK_MAX_MS;

	/* Idle connections go before httpd's KeepAliveTimeout can close them under a request. */
	snprintf(ret_text, size,
		 "%s %s check inter %" PRId64 " fastinter %" PRId64 " downinter %" PRId64 " fall %d rise %d "
		 "observe layer4 error-limit 3 on-error mark-down pool-max-conn 128 pool-purge-delay 5s weight %d",
		 server->id, server->address, config->health.every_ms, fast_ms, fast_ms, config->health.unhealthy,
		 config->health.healthy, server->weight);
}

char *haproxy_conf_render(const struct config *config, const char *user, int max_connections,
			  const struct haproxy_server *servers, size_t count)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	render_global(out, user, max_connections);
	render_defaults(out, config);
	render_frontend(out, config);
	render_backend(out, config, servers, count);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
