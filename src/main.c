/* main.c: the verbs, and which of them is meant. */
#define _GNU_SOURCE
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
	const char *name;
	cmd_main *main;
	const char *arguments;
	const char *does;
	const char *flags;           /* its own, for its help */
} verbs[] = {
	{ "init", cmd_init, "", "write a commented openbell.yaml",
	  "  --force            write over a file that is there\n" },
	{ "config", cmd_config, "", "print the effective configuration, or all that is wrong with it", "" },
	{ "up", cmd_up, "", "bring the tier up, or to what the configuration says now",
	  "  --timeout TIME     how long to wait for it, such as 30s (2m)\n" },
	{ "down", cmd_down, "", "take the tier down",
	  "  -y, --yes          don't ask for the fleet's name\n"
	  "  --timeout TIME     how long to wait for it, such as 30s (2m)\n" },
	{ "run", cmd_run, "", "run the controller in the foreground", "" },
	{ "status", cmd_status, "", "show the fleet now",
	  "  --watch            again every second, until Ctrl-C\n" },
	{ "sweep", cmd_sweep, "", "check every instance now", "" },
	{ "history", cmd_history, "", "show recorded sweeps and events",
	  "  --since TIME       from then on: RFC 3339, a date, or a time ago such as 2h\n"
	  "  --until TIME       up to then\n"
	  "  --instance ID      of one instance\n"
	  "  --limit N          the newest N\n" },
	{ "deploy", cmd_deploy, "DIR", "new content, instance by instance, with no failed request",
	  "  --timeout TIME     how long to wait for it, such as 5m (10m)\n" },
};

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static const char common_flags[] = "  -c, --config FILE  the configuration, instead of the one that is found\n"
				   "  --json             one JSON document on standard output\n"
				   "  --quiet            errors and warnings alone on standard error\n"
				   "  -h, --help         this text\n"
				   "  --version          the version\n";

static int help(FILE *out)
{
	size_t i;

	fprintf(out, "openbell keeps a web tier up from the opening bell to the closing bell.\n\n"
		     "usage: openbell VERB [FLAGS]\n\n");
	for (i = 0; i < VERB_COUNT; i++)
		fprintf(out, "  %-8s %-4s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].does);
	fprintf(out, "\nEvery verb takes:\n%s\n"
		     "Exit status: 0 done, 1 failed, 2 usage or configuration, 3 unhealthy, 4 closed,\n"
		     "5 another openbell holds this fleet, 6 --timeout passed, 7 changes.\n",
		common_flags);
	return fflush(out) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int help_verb(const struct verb *verb)
{
	printf("usage: openbell %s%s%s [FLAGS]: %s\n\n%s%s", verb->name, verb->arguments[0] != '\0' ? " " : "", verb->arguments,
	       verb->does, verb->flags, common_flags);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* What the common flags ask for. */
struct request {
	struct cmd_options options;
	bool help;
	bool version;
	bool bad;
	int argc;                    /* the rest: verb and its own words */
	char **argv;
};

static void take_flags(struct request *request, int argc, char **argv)
{
	bool rest = false;
	int i;

	for (i = 1; i < argc; i++) {
		const char *value;

		if (rest)
			request->argv[request->argc++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			rest = true;
		else if (cmd_flag_value("--config", argc, argv, &i, &value) || cmd_flag_value("-c", argc, argv, &i, &value)) {
			request->options.config_file = value;
			if (value == NULL || value[0] == '\0') {
				fprintf(stderr, "openbell: --config needs the name of a file\n");
				request->bad = true;
			}
		} else if (strcmp(argv[i], "--json") == 0)
			request->options.json = true;
		else if (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "-q") == 0)
			request->options.quiet = true;
		else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			request->help = true;
		else if (strcmp(argv[i], "--version") == 0)
			request->version = true;
		else
			request->argv[request->argc++] = argv[i];
	}
	request->argv[request->argc] = NULL;
}

static int dispatch(const struct request *request)
{
	const struct verb *verb;

	if (request->version) {
		printf("openbell %s\n", OPENBELL_VERSION);
		return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
	}
	if (request->argc == 0 && !request->help)
		help(stderr);
	if (request->argc == 0)
		return request->help ? help(stdout) : EXIT_USAGE;
	if (strcmp(request->argv[0], "help") == 0) {
		verb = request->argc > 1 ? find_verb(request->argv[1]) : NULL;
		return verb != NULL ? help_verb(verb) : help(stdout);
	}
	verb = find_verb(request->argv[0]);
	if (verb == NULL) {
		fprintf(stderr, "openbell: there is no verb \"%s\": see `openbell --help`\n", request->argv[0]);
		return EXIT_USAGE;
	}
	if (request->help)
		return help_verb(verb);
	return verb->main(&request->options, request->argc, request->argv);
}

int main(int argc, char **argv)
{
	struct request request = { .options.program = argc > 0 ? argv[0] : "openbell" };
	int exit_status;

	request.argv = calloc((size_t)argc + 1, sizeof *request.argv);
	if (request.argv == NULL)
		return EXIT_FAILED;
	take_flags(&request, argc, argv);
	exit_status = request.bad ? EXIT_USAGE : dispatch(&request);
	/* A reader that has seen enough is no failure. */
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && exit_status == EXIT_DONE && errno != EPIPE) {
		fprintf(stderr, "openbell: standard output can't be written: %s\n",
			strerror(errno != 0 ? errno : EIO));
		exit_status = EXIT_FAILED;
	}
	free(request.argv);
	return exit_status;
}
