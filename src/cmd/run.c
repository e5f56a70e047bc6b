/* run.c: `openbell run`: the controller in the foreground. */
#define _GNU_SOURCE
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/session.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_run(const struct cmd_options *options, int argc, char **argv)
{
	struct session_options session = { .config_file = options->config_file, .quiet = options->quiet, .report = -1 };
	struct config *config;
	int i;

	for (i = 1; i < argc; i++) {
		const char *value;

		/* Not in the help: how `up` starts the controller that it leaves behind. */
		if (cmd_flag_value("--report-to", argc, argv, &i, &value) && value != NULL) {
			session.report = atoi(value);
			session.detached = true;
		} else {
			return cmd_usage("run", "\"%s\" is not understood", argv[i]);
		}
	}
	log_start(options->quiet ? LOG_WARNINGS : LOG_NORMAL, session.detached || !isatty(STDERR_FILENO));
	config = cmd_read_config(options);
	if (config == NULL || !cmd_is_built(config)) {
		config_free(config);
		return EXIT_USAGE;
	}
	return session_run(&session, config);
}
