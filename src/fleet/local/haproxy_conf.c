/* haproxy_conf.c: see haproxy_conf.h. */
#define _GNU_SOURCE
#include "fleet/local/haproxy_conf.h"

#include "config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* One argument, whatever is in it.  Configuration Manual, 2.2; a log-format has a '%' of its own. */
static void render_quoted(FILE *out, const char *text, bool log_format)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (strchr("\\\"$", *text) != NULL)
			fputc('\\', out);
		if (*text == '%' && log_format)
			fputc('%', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void render_backend(FILE *out, const struct config *config, const struct haproxy_server *servers, size_t count)
{
	char settings[512];
	size_t i;

	fprintf(out, "\nbackend " HAPROXY_BACKEND "\n"
		     "\tbalance leastconn\n"
		     "\toption httpchk\n"
		     "\thttp-check send meth GET uri ");
	render_quoted(out, config->health.path, false);
	fprintf(out, " ver HTTP/1.1 hdr Host ");
	render_quoted(out, config->monitor.http.host != NULL ? config->monitor.http.host : config->fleet, true);
	fprintf(out, " hdr User-Agent openbell-balancer\n"
		     "\thttp-check expect status ");
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

uint64_t haproxy_conf_settings(const struct config *config)
{
	static const struct haproxy_server any = { .id = "any", .address = "127.0.0.1:1", .weight = 1, .ready = true };
	char *text = haproxy_conf_render(config, NULL, 1, &any, 1);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const char *p;

	for (p = text; p != NULL && *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	free(text);
	return hash;
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
