/* up.c: `openbell up`: bring the fleet up, or to what the configuration says now. */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/path.h"
#include "base/units.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "config/config.h"
#include "fleet/lock.h"
#include "fleet/paths.h"
#include "watch/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIMEOUT_MS (2 * 60 * 1000)
#define LOOK_AGAIN_MS 20
#define LOG_MAX_BYTES (8 * 1024 * 1024)

struct up {
	const struct cmd_options *options;
	const struct config *config;
	struct progress progress;
	int64_t deadline_ms;
	bool started;            /* the controller, by us: it has just read the configuration */
};

/* --- Starting the controller that stays. */

static int open_log(const struct config *config)
{
	char *path = fleet_path(config, FLEET_LOG);
	char *old = path != NULL ? path_format("%s.1", path) : NULL;
	struct stat info;
	int fd;

	if (old != NULL && stat(path, &info) == 0 && info.st_size > LOG_MAX_BYTES)
		rename(path, old);
	fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640) : -1;
	free(path);
	free(old);
	return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* In the child: nothing of ours stays open but the way back, which exec keeps. */
static void become_controller(const struct config *config, int log, int report_to)
{
	char number[16];
	const char *argv[8] = { "openbell", "run", "--report-to", number };
	char *folder = fleet_folder(config);
	int input = open("/dev/null", O_RDONLY);

	snprintf(number, sizeof number, "%d", report_to);
	if (config->file != NULL) {
		argv[4] = "--config";
		argv[5] = config->file;
	}
	setsid();
	dup2(input, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	fcntl(report_to, F_SETFD, 0);
	if (folder == NULL || chdir(folder) < 0)
		_exit(127);
	execv("/proc/self/exe", (char *const *)argv);
	_exit(127);
}

/* "EXIT MESSAGE": what the controller says of its opening.  Nothing: it died. */
static int read_report(struct up *up, int report, char *ret_message, size_t size)
{
	char text[640];
	size_t length = 0;
	char *end;
	int exit_status;

	while (length < sizeof text - 1 && client_now_ms() < up->deadline_ms) {
		struct pollfd poll_fd = { .fd = report, .events = POLLIN };
		ssize_t n;

		if (poll(&poll_fd, 1, 100) <= 0) {
			progress_say(&up->progress, NULL);
			continue;
		}
		n = read(report, text + length, sizeof text - 1 - length);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	exit_status = (int)strtol(text, &end, 10);
	if (end == text && client_now_ms() >= up->deadline_ms) {
		snprintf(ret_message, size, "%s is not up yet: its site is still being copied, or its disk is slow; openbell "
			 "goes on trying", up->config->fleet);
		return EXIT_TIMEOUT;
	}
	if (end == text) {
		snprintf(ret_message, size, "the controller ended without a word: see %s/%s/" FLEET_LOG, up->config->state,
			 up->config->fleet);
		return EXIT_FAILED;
	}
	snprintf(ret_message, size, "%s", *end == ' ' ? end + 1 : end);
	return exit_status;
}

static int start_controller(struct up *up, char *ret_message, size_t size)
{
	int report[2];
	int log;
	int r;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0) {
		snprintf(ret_message, size, "can't start the controller: %s", strerror(errno));
		return EXIT_FAILED;
	}
	log = open_log(up->config);
	pid = fork();
	if (pid == 0)
		become_controller(up->config, log, report[1]);
	close(report[1]);
	if (log >= 0)
		close(log);
	if (pid < 0) {
		snprintf(ret_message, size, "can't start the controller: %s", strerror(errno));
		r = EXIT_FAILED;
	} else {
		r = read_report(up, report[0], ret_message, size);
	}
	close(report[0]);
	return r;
}

/* --- Asking the controller that is there. */

static void sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* What the fleet is like now. */
static int say_up(const struct up *up, const struct client_reply *reply)
{
	const json_t *capacity = json_object_get(reply->result, "capacity");
	const char *url = json_string_value(json_object_get(reply->result, "url"));
	char elapsed[24];

	if (up->options->json) {
		json_dumpf(reply->result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
		putchar('\n');
		return EXIT_DONE;
	}
	progress_elapsed(&up->progress, elapsed, sizeof elapsed);
	printf("%s is up: %d of %d instances in service, in %s\n%s\n", up->config->fleet,
	       (int)json_integer_value(json_object_get(capacity, "in_service")),
	       (int)json_integer_value(json_object_get(capacity, "desired")), elapsed, url != NULL ? url : "");
	return EXIT_DONE;
}

static int say_timeout(const struct up *up)
{
	log_error("%s is not up yet; openbell goes on trying: see `openbell status` and `openbell history`",
		  up->config->fleet);
	return EXIT_TIMEOUT;
}

/* Returns an exit status, or -EAGAIN: look again. */
static int ask(struct up *up)
{
	struct client_reply reply = { 0 };
	json_t *request = json_pack("{s:s, s:b, s:o}", "verb", "up", "reload", !up->started, "config",
				    client_path(up->config->file));
	int r = client_ask(up->config, request, up->deadline_ms - client_now_ms(), progress_say, &up->progress, &reply);

	progress_end(&up->progress);
	if (r == -ETIMEDOUT)
		return say_timeout(up);
	if (r == -EACCES) {
		log_error("the controller of %s is another user's: become that user", up->config->fleet);
		return EXIT_FAILED;
	}
	if (r < 0)
		return -EAGAIN;
	if (reply.exit_status == CONTROL_GOING_DOWN)
		r = -EAGAIN;
	else if (reply.exit_status == 0)
		r = say_up(up, &reply);
	else
		r = reply.exit_status;
	if (r > 0)
		log_error("%s%s", reply.error,
			  r == EXIT_FAILED ? ": openbell goes on trying; `openbell down` ends that" : "");
	client_reply_free(&reply);
	return r;
}

static int start_if_nobody(struct up *up)
{
	struct failure failure;
	char message[512];
	pid_t holder;
	int lock = fleet_lock(up->config, &holder, &failure);
	int r;

	if (lock == -EAGAIN)
		return -EAGAIN;
	if (lock < 0) {
		log_error("%s", failure.message);
		return EXIT_FAILED;
	}
	close(lock);
	r = start_controller(up, message, sizeof message);
	up->started = r == EXIT_DONE;
	if (r == EXIT_DONE || r == EXIT_HELD)
		return -EAGAIN;
	progress_end(&up->progress);
	log_error("%s", message);
	return r;
}

static int bring_up(struct up *up)
{
	int r = start_if_nobody(up);

	while (r == -EAGAIN) {
		if (client_now_ms() >= up->deadline_ms)
			return say_timeout(up);
		r = ask(up);
		if (r != -EAGAIN)
			break;
		/* Somebody holds the fleet and does not answer: it begins, or it ends. */
		sleep_ms(LOOK_AGAIN_MS);
		progress_say(&up->progress, NULL);
		r = start_if_nobody(up);
	}
	return r;
}

int cmd_up(const struct cmd_options *options, int argc, char **argv)
{
	struct up up = { .options = options };
	int64_t timeout_ms = TIMEOUT_MS;
	struct config *config;
	char what[64];
	int i;
	int r;

	for (i = 1; i < argc; i++) {
		const char *value;

		if (!cmd_flag_value("--timeout", argc, argv, &i, &value))
			return cmd_usage("up", "\"%s\" is not understood", argv[i]);
		if (value == NULL || units_parse_duration(value, &timeout_ms) < 0)
			return cmd_usage("up", "--timeout takes a duration, such as 30s");
	}
	log_start(options->quiet ? LOG_WARNINGS : LOG_NORMAL, false);
	config = cmd_read_config(options);
	if (config == NULL || !cmd_is_built(config)) {
		config_free(config);
		return EXIT_USAGE;
	}
	up.config = config;
	up.deadline_ms = client_now_ms() + timeout_ms;
	snprintf(what, sizeof what, "bringing %s up", config->fleet);
	progress_start(&up.progress, options->quiet, what);
	r = bring_up(&up);
	progress_end(&up.progress);
	config_free(config);
	return r;
}
