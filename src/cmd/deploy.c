/* deploy.c: `openbell deploy DIR`: new content, instance by instance. */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/units.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS (10 * 60 * 1000)

static int ask(const struct cmd_options *options, const struct config *config, const char *folder, int64_t timeout_ms)
{
	struct client_reply reply = { 0 };
	struct progress progress;
	char elapsed[24];
	int r;

	progress_start(&progress, options->quiet, "deploying");
	r = client_ask(config, json_pack("{s:s, s:o}", "verb", "deploy", "folder", client_path(folder)), timeout_ms, progress_say,
		       &progress, &reply);
	progress_end(&progress);
	progress_elapsed(&progress, elapsed, sizeof elapsed);
	if (r == -ETIMEDOUT) {
		log_error("the deployment is not over yet; it goes on: see `openbell history`");
		return EXIT_TIMEOUT;
	}
	if (r == -EACCES) {
		log_error("the controller of %s is another user's: become that user", config->fleet);
		return EXIT_FAILED;
	}
	if (r == -ENOTCONN) {
		log_error("no controller runs for %s: bring it up first with `openbell up`", config->fleet);
		return EXIT_FAILED;
	}
	if (r < 0) {
		log_error("the controller ended before the deployment did: see `openbell status`");
		return EXIT_FAILED;
	}
	r = reply.exit_status;
	if (r != 0) {
		log_error("%s: what was deployed before is served", reply.error);
	} else if (options->json) {
		json_dumpf(reply.result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
		putchar('\n');
	} else {
		printf("%s is deployed to %s, in %s\n", folder, config->fleet, elapsed);
	}
	client_reply_free(&reply);
	return r;
}

int cmd_deploy(const struct cmd_options *options, int argc, char **argv)
{
	int64_t timeout_ms = TIMEOUT_MS;
	const char *given = NULL;
	struct config *config;
	char *folder;
	DIR *listed;
	int i;
	int r;

	for (i = 1; i < argc; i++) {
		const char *value;

		if (cmd_flag_value("--timeout", argc, argv, &i, &value)) {
			if (value == NULL || units_parse_duration(value, &timeout_ms) < 0)
				return cmd_usage("deploy", "--timeout takes a duration, such as 5m");
		} else if (argv[i][0] == '-' || given != NULL) {
			return cmd_usage("deploy", "\"%s\" is not understood", argv[i]);
		} else {
			given = argv[i];
		}
	}
	if (given == NULL)
		return cmd_usage("deploy", "name the folder to deploy");
	log_start(options->quiet ? LOG_WARNINGS : LOG_NORMAL, false);
	config = cmd_read_config(options);
	if (config == NULL || !cmd_is_built(config)) {
		config_free(config);
		return EXIT_USAGE;
	}
	folder = realpath(given, NULL);
	listed = folder != NULL ? opendir(folder) : NULL;
	if (listed == NULL) {
		log_error("%s can't be deployed: %s", given, strerror(errno));
		r = EXIT_USAGE;
	} else {
		closedir(listed);
		r = ask(options, config, folder, timeout_ms);
	}
	free(folder);
	config_free(config);
	return r;
}
