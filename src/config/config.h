/* config.h: the configuration, openbell.yaml as a struct. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_STATUS_RANGES_MAX 8
#define CONFIG_HOSTS_MAX 10000

enum config_provider { PROVIDER_LOCAL, PROVIDER_HOSTS, PROVIDER_AWS };

/* Where something listens: `host` is numeric ("127.0.0.1", "::1", "0.0.0.0"), without brackets. */
struct config_endpoint {
	char *host;
	uint16_t port;
};

/* HTTP statuses that pass: "200", "200-299", [200, 301-308]. */
struct config_statuses {
	size_t count;
	struct {
		int first;
		int last;
	} ranges[CONFIG_STATUS_RANGES_MAX];
};

/* A time of day in the market's zone, or a distance from the session's bell. */
struct config_bell_time {
	bool from_bell;
	int minutes;   /* after midnight, or after the bell (negative: before) */
};

struct config_host {
	char *address;
	char *id;      /* the address where none is given */
	char *user;    /* NULL: monitor.ssh.user */
	uint16_t port; /* httpd's */
	int weight;
};

/* Every string is owned by the struct; paths are absolute; NULL where the contract says null. */
struct config {
	char *file;    /* what it was read from; NULL: the built-in defaults */
	char *folder;  /* where relative paths start */

	char *fleet;
	enum config_provider provider;
	char *site;    /* NULL: the built-in Hello World; not given: site/ beside the file, where there is one */
	struct config_endpoint listen;
	char *state;

	/* With `provider: hosts` and a list: what is not given follows the number of hosts. */
	struct {
		int open, closed, min, max;
	} capacity;
	struct {
		int requests_per_instance;
		int64_t warmup_ms, cooldown_ms;
	} scale;
	struct {
		char *calendar;    /* "always", "XLON", ..., or an absolute path of an .ics file */
		char *timezone;    /* NULL: the exchange's own, or Europe/London */
		struct config_bell_time open, close;
		int64_t lead_ms;
	} schedule;
	struct {
		char *path;
		struct config_statuses status;
		int64_t every_ms, timeout_ms;
		int unhealthy, healthy;
	} health;
	struct {
		int64_t every_ms, timeout_ms;
		struct {
			bool https;
			char *method;
			char *path;
			char *host;        /* NULL: the target's own address */
			struct config_statuses status;
			char *body;        /* a POSIX extended regular expression, or NULL */
			char *header;      /* likewise, against each "Name: value" */
			int redirects;
		} http;
		char *service;
		struct {
			bool enabled;      /* false: `ssh: none` */
			char *user;
			uint16_t port;
			char *key;
			char *known_hosts;
			int concurrency;
		} ssh;
		bool restart;
		int replace_after;
		int brake_permille;
	} monitor;
	struct {
		int at_minutes;        /* after midnight, in the market's zone */
		int64_t every_ms;
		char *to;              /* an absolute path, or "s3://bucket/prefix/"; NULL (aws only): the logging
					  bucket, whose name holds the account, below the fleet's name */
		bool zstd;
		int64_t keep_ms;
		int64_t pending_bytes;
	} archive;
	char *record;              /* "sqlite", or "dynamodb://table" */
	int64_t record_keep_ms;
	struct {
		bool enabled;
		char *smtp;
		bool tls_required;
		char *user;
		char *password_file;
		char *from;
		char **to;
		size_t to_count;
	} mail;
	struct {
		char *webhook;
		char *exec;
	} notify;
	struct {
		struct config_endpoint listen;
		char *token_file;
	} web;
	struct {
		struct config_host *list;
		size_t count;
		char *file;            /* a file to read them from; NULL: `list` */
	} hosts;
	struct {
		char *region;
		char *vpc;
		char **subnets;
		size_t subnet_count;
		char *instance_type;
		bool spot;
		int on_demand_base;
		char *config_bucket;
		char *logging_bucket;
		char *table;
		char *admin_cidr;
		char *certificate;
	} aws;
};

/*
 * What is wrong with a file: one line a finding, as
 * `openbell.yaml:12:3: unknown key "intervall", did you mean "interval"?`,
 * in the order of their lines.  Free with config_findings_free.
 */
struct config_findings {
	char **lines;
	size_t count;      /* errors */
	char **warnings;
	size_t warning_count;
};

/*
 * Find and read the configuration.  `file` NULL looks at ./openbell.yaml,
 * $XDG_CONFIG_HOME/openbell/openbell.yaml, /etc/openbell/openbell.yaml, and
 * takes the defaults when none of them exists.  All errors are found in one
 * pass.  Returns 0 with *ret_config owned by the caller; -EINVAL with the
 * errors in *ret_findings (also: a file that can't be read, said in it);
 * -ENOMEM.  Warnings may be there in every case.
 */
int config_read(const char *file, struct config **ret_config, struct config_findings *ret_findings);

void config_free(struct config *config);
void config_findings_free(struct config_findings *findings);

/* True when `status` is in one of the ranges. */
bool config_status_passes(const struct config_statuses *statuses, int status);

/* "127.0.0.1:8080", "[::1]:8080". */
void config_endpoint_format(const struct config_endpoint *endpoint, char *ret_text, size_t size);

/* The effective configuration as YAML that reads back the same, secrets masked. */
int config_print(const struct config *config, FILE *out);

/* The same as one JSON document with "schema": 1; free the text. */
char *config_to_json(const struct config *config);

/* What `init` writes: every key with its default and a comment. */
extern const char config_template[];

#endif
