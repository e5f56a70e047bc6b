/* status.c: `openbell status`: the fleet now. */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "cmd/view.h"
#include "config/config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCH_EVERY_MS 1000

static int show(const struct cmd_options *options, const struct config *config, bool clear)
{
	json_t *status;
	int r;

	if (view_status(config, &status) < 0)
		return EXIT_FAILED;
	r = view_is_unhealthy(status) ? EXIT_UNHEALTHY : EXIT_DONE;
	/* Home and erase, so that the picture stands still. */
	if (clear)
		fputs("\033[H\033[2J", stdout);
	if (options->json) {
		json_dumpf(status, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
		putchar('\n');
	} else {
		view_print(status);
	}
	json_decref(status);
	if (fflush(stdout) != 0)
		return EXIT_FAILED;
	return r;
}

int cmd_status(const struct cmd_options *options, int argc, char **argv)
{
	bool watch = false;
	struct config *config;
	int i;
	int r;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--watch") != 0)
			return cmd_usage("status", "\"%s\" is not understood", argv[i]);
		watch = true;
	}
	log_start(options->quiet ? LOG_WARNINGS : LOG_NORMAL, false);
	config = cmd_read_config(options);
	if (config == NULL || !cmd_is_built(config)) {
		config_free(config);
		return EXIT_USAGE;
	}
	do {
		r = show(options, config, watch && !options->json && isatty(STDOUT_FILENO));
		if (watch)
			poll(NULL, 0, WATCH_EVERY_MS);
	} while (watch && !ferror(stdout));
	config_free(config);
	return r;
}
