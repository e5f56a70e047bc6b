/* down.c: `openbell down`: take the fleet down, whoever runs it. */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/units.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "cmd/session.h"
#include "config/config.h"
#include "fleet/lock.h"
#include "fleet/paths.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIMEOUT_MS (2 * 60 * 1000)
#define LOOK_AGAIN_MS 10

static bool is_sure(const struct config *config)
{
	char line[128];

	fprintf(stderr, "This takes %s down: its page will not be served any more.\nType the fleet's name to go on: ",
		config->fleet);
	if (fgets(line, sizeof line, stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, config->fleet) == 0;
}

static bool was_ever_up(const struct config *config)
{
	char *folder = fleet_path(config, FLEET_LOCK);
	struct stat info;
	bool exists = folder != NULL && stat(folder, &info) == 0;

	free(folder);
	return exists;
}

/* Ask whoever holds the fleet.  Returns an exit status, or -EAGAIN: look again. */
static int ask(const struct config *config, struct progress *progress, int64_t deadline_ms)
{
	struct client_reply reply = { 0 };
	int r = client_ask(config, json_pack("{s:s}", "verb", "down"), deadline_ms - client_now_ms(), progress_say,
			   progress, &reply);

	if (r == -EACCES) {
		log_error("the controller of %s is another user's: become that user", config->fleet);
		return EXIT_FAILED;
	}
	/* Also when it ended before it answered: then the next look finds nobody. */
	if (r < 0)
		return -EAGAIN;
	if (reply.exit_status != 0) {
		log_error("%s", reply.error);
		r = EXIT_FAILED;
	} else {
		r = EXIT_DONE;
	}
	client_reply_free(&reply);
	return r;
}

/* Until the fleet is down and nobody holds it. */
static int take_down(const struct cmd_options *options, struct config **config, struct progress *progress,
		     int64_t deadline_ms)
{
	pid_t asked = 0;

	for (;;) {
		pid_t holder = fleet_lock_holder(*config);
		int r;

		/* Gone; or somebody has brought the fleet up again since. */
		if (asked != 0 && holder != asked)
			return EXIT_DONE;
		if (holder == 0) {
			struct session_options session = { .config_file = options->config_file, .only_down = true,
							   .quiet = options->quiet, .report = -1 };
			struct config *given = *config;

			*config = NULL;
			return session_run(&session, given);
		}
		if (client_now_ms() >= deadline_ms)
			return EXIT_TIMEOUT;
		r = asked != 0 ? -EAGAIN : ask(*config, progress, deadline_ms);
		if (r == EXIT_DONE)
			asked = holder;
		else if (r > 0)
			return r;
		poll(NULL, 0, LOOK_AGAIN_MS);
		progress_say(progress, NULL);
	}
}

int cmd_down(const struct cmd_options *options, int argc, char **argv)
{
	int64_t timeout_ms = TIMEOUT_MS;
	struct progress progress;
	struct config *config;
	bool yes = false;
	char fleet[64];
	char elapsed[24];
	char what[96];
	int i;
	int r;

	for (i = 1; i < argc; i++) {
		const char *value;

		if (strcmp(argv[i], "--yes") == 0 || strcmp(argv[i], "-y") == 0)
			yes = true;
		else if (!cmd_flag_value("--timeout", argc, argv, &i, &value))
			return cmd_usage("down", "\"%s\" is not understood", argv[i]);
		else if (value == NULL || units_parse_duration(value, &timeout_ms) < 0)
			return cmd_usage("down", "--timeout takes a duration, such as 30s");
	}
	log_start(options->quiet ? LOG_WARNINGS : LOG_NORMAL, false);
	config = cmd_read_config(options);
	if (config == NULL || !cmd_is_built(config)) {
		config_free(config);
		return EXIT_USAGE;
	}
	snprintf(fleet, sizeof fleet, "%s", config->fleet);
	if (!was_ever_up(config)) {
		if (options->json)
			printf("{\"schema\":1,\"fleet\":\"%s\",\"down\":true}\n", fleet);
		else
			printf("%s is down: there is no fleet in %s\n", fleet, config->state);
		config_free(config);
		return EXIT_DONE;
	}
	if (!yes && !is_sure(config)) {
		log_error("nothing was changed: type the fleet's name, or say --yes");
		config_free(config);
		return EXIT_USAGE;
	}
	snprintf(what, sizeof what, "taking %s down", fleet);
	progress_start(&progress, options->quiet, what);
	r = take_down(options, &config, &progress, client_now_ms() + timeout_ms);
	progress_end(&progress);
	progress_elapsed(&progress, elapsed, sizeof elapsed);
	if (r == EXIT_DONE && options->json)
		printf("{\"schema\":1,\"fleet\":\"%s\",\"down\":true}\n", fleet);
	else if (r == EXIT_DONE)
		printf("%s is down, in %s\n", fleet, elapsed);
	else if (r == EXIT_TIMEOUT)
		log_error("%s is not down yet: it goes on; look again with `openbell status`", fleet);
	config_free(config);
	return r;
}
