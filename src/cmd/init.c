/* init.c: `openbell init`: writes a commented openbell.yaml. */
#include "base/log.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE 0644

/* Written whole, or not at all. */
static int write_template(const char *file)
{
	int r = path_write(file, config_template, strlen(config_template), FILE_MODE, true);

	if (r < 0)
		log_error("%s: can't be written: %s", file, strerror(-r));
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void say_next(const struct cmd_options *options, const char *file)
{
	bool named = options->config_file != NULL && strcmp(file, "openbell.yaml") != 0;

	if (options->quiet)
		return;
	printf("%s written: every key with its default. Look through it, then bring the fleet up:\n  openbell up%s%s\n",
	       file, named ? " --config " : "", named ? file : "");
}

int cmd_init(const struct cmd_options *options, int argc, char **argv)
{
	const char *file = options->config_file != NULL ? options->config_file : "openbell.yaml";
	bool force = false;
	int i;
	int r;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--force") != 0)
			return cmd_usage("init", "\"%s\" isn't understood", argv[i]);
		force = true;
	}
	if (!force && access(file, F_OK) == 0) {
		log_error("%s is there already and stays as it is: --force replaces it, --config FILE writes another",
			  file);
		return EXIT_USAGE;
	}
	r = write_template(file);
	if (r == EXIT_DONE && options->json)
		printf("{\"schema\": 1, \"written\": true}\n");
	else if (r == EXIT_DONE)
		say_next(options, file);
	return r;
}
