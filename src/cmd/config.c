/* config.c: `openbell config`: prints the effective configuration, or what is wrong with it. */
#include "config/config.h"

#include "base/log.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The findings begin with file, line and column, nothing before: editors jump to such lines. */
static void print_findings(const struct cmd_options *options, const struct config_findings *findings)
{
	const char *file = options->config_file != NULL ? options->config_file : "openbell.yaml";
	size_t i;

	for (i = 0; i < findings->warning_count && !options->quiet; i++)
		fprintf(stderr, "%s\n", findings->warnings[i]);
	for (i = 0; i < findings->count; i++)
		fprintf(stderr, "%s\n", findings->lines[i]);
	if (findings->count > 0)
		fprintf(stderr, "%zu %s in %s: nothing was changed\n", findings->count,
			findings->count == 1 ? "error" : "errors", file);
}

static int print_config(const struct cmd_options *options, const struct config *config)
{
	char *text;
	int r;

	if (!options->json) {
		r = config_print(config, stdout);
	} else {
		text = config_to_json(config);
		r = text == NULL ? -ENOMEM : puts(text) == EOF || fflush(stdout) != 0 ? -EIO : 0;
		free(text);
	}
	if (r < 0)
		log_error("the configuration can't be printed: %s", strerror(-r));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_config(const struct cmd_options *options, int argc, char **argv)
{
	struct config_findings findings;
	struct config *config;
	int r;

	if (argc > 1)
		return cmd_usage("config", "\"%s\" isn't understood", argv[1]);
	r = config_read(options->config_file, &config, &findings);
	print_findings(options, &findings);
	config_findings_free(&findings);
	if (r == -EINVAL)
		return EXIT_USAGE;
	if (r < 0) {
		log_error("the configuration can't be read: %s", strerror(-r));
		return EXIT_FAILED;
	}
	r = print_config(options, config);
	config_free(config);
	return r;
}
