/* session.c: see session.h. */
#define _GNU_SOURCE
#include "cmd/session.h"

#include "base/clock.h"
#include "base/failure.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "fleet/local/local.h"
#include "fleet/lock.h"
#include "fleet/paths.h"
#include "record/record.h"
#include "watch/control.h"
#include "watch/controller.h"
#include "watch/status.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define RECORD_CLOSE_MS 3000

enum { SIGNAL_TERM, SIGNAL_INT, SIGNAL_HUP, SIGNAL_COUNT };

/*
 * Opening:    `opened` false; a signal to end is kept for its end.
 * Running.
 * Going down: `down` true; ends when the controller says so.
 * Ending:     `ending` true: the record writes what it has, handles close.
 */
struct session {
	struct session_options options;
	struct config *config;
	uv_loop_t loop;
	struct clock *clock;
	struct record *record;
	struct controller *controller;
	struct control *control;
	uv_signal_t signals[SIGNAL_COUNT];
	int lock;
	bool opened;
	bool down;
	bool ending;
	bool interrupted;            /* SIGINT came while opening */
	int exit_status;
};

/* --- Ending. */

static void on_record_closed(void *arg)
{
	struct session *session = arg;

	session->record = NULL;
}

static void end(struct session *session, int exit_status)
{
	int i;

	if (session->ending)
		return;
	session->ending = true;
	session->exit_status = exit_status;
	control_free(session->control);
	session->control = NULL;
	controller_close(session->controller);
	session->controller = NULL;
	for (i = 0; i < SIGNAL_COUNT; i++)
		uv_close((uv_handle_t *)&session->signals[i], NULL);
	record_close(session->record, RECORD_CLOSE_MS, on_record_closed, session);
}

static void report(struct session *session, int exit_status, const char *message)
{
	if (session->options.report < 0)
		return;
	dprintf(session->options.report, "%d %s\n", exit_status, message);
	close(session->options.report);
	session->options.report = -1;
}

static void on_down(void *arg, const struct failure *failure)
{
	struct session *session = arg;

	if (failure != NULL)
		log_error("%s", failure->message);
	control_down_done(session->control, failure);
	end(session, failure != NULL ? EXIT_FAILED : EXIT_DONE);
}

static void go_down(struct session *session)
{
	if (session->down || session->ending)
		return;
	session->down = true;
	controller_down(session->controller, on_down, session);
}

static void leave(struct session *session)
{
	if (session->down || session->ending)
		return;
	log_info("the controller ends; the fleet goes on serving: `openbell up` watches it again, `openbell down` ends it");
	end(session, EXIT_DONE);
}

/* --- Configuration. */

static int reload(void *arg, const char *config_file, struct failure *ret_failure)
{
	struct session *session = arg;
	struct config_findings findings = { 0 };
	struct config *config = NULL;
	int r = config_read(config_file, &config, &findings);

	if (r < 0) {
		size_t i;

		for (i = 0; i < findings.count; i++)
			log_error("%s", findings.lines[i]);
		failure_set(ret_failure, EINVAL, "%s%s", findings.count > 0 ? findings.lines[0] : "no memory",
			    findings.count > 1 ? " (and more): `openbell config` lists all" : "");
	} else if (!cmd_is_built(config)) {
		r = failure_set(ret_failure, EINVAL, "the configuration asks for what this version can't do");
		config_free(config);
	} else {
		r = controller_reconfigure(session->controller, config, true, ret_failure);
		config_free(r < 0 ? config : session->config);
		if (r == 0)
			session->config = config;
	}
	config_findings_free(&findings);
	return r;
}

static void on_hangup(struct session *session)
{
	struct failure failure;

	if (!session->opened || session->down)
		return;
	if (reload(session, session->config->file, &failure) < 0)
		log_error("the configuration was not taken over, the one before goes on: %s", failure.message);
}

/* --- Signals. */

static void on_signal(uv_signal_t *handle, int number)
{
	struct session *session = handle->data;

	if (number == SIGHUP) {
		on_hangup(session);
	} else if (number == SIGTERM) {
		leave(session);
	} else if (!session->opened) {
		session->interrupted = true;
	} else if (!session->options.detached && controller_began_empty(session->controller)) {
		log_info("taking the fleet down");
		go_down(session);
	} else {
		leave(session);
	}
}

static void start_signals(struct session *session)
{
	static const int numbers[SIGNAL_COUNT] = { SIGTERM, SIGINT, SIGHUP };
	int i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < SIGNAL_COUNT; i++) {
		uv_signal_init(&session->loop, &session->signals[i]);
		session->signals[i].data = session;
		uv_signal_start(&session->signals[i], on_signal, numbers[i]);
	}
}

/* --- What the controller says. */

static void on_event(void *arg, const struct event *event, bool bad)
{
	const char *gap = event->instance[0] != '\0' ? " " : "";
	const char *colon = event->detail[0] != '\0' ? ": " : "";

	(void)arg;
	if (bad)
		log_warning("%s%s%s%s%s", event->instance, gap, event->event, colon, event->detail);
	else
		log_info("%s%s%s%s%s", event->instance, gap, event->event, colon, event->detail);
}

static void on_up(void *arg, const struct failure *failure)
{
	struct session *session = arg;
	char url[128];

	status_url(session->config, url, sizeof url);
	if (failure == NULL)
		log_info("%s is up: %s", session->config->fleet, url);
	else if (!session->down)
		log_error("%s is not up yet: %s", session->config->fleet, failure->message);
}

static void on_opened(void *arg, const struct failure *failure)
{
	struct session *session = arg;

	session->opened = failure == NULL;
	if (failure != NULL) {
		if (session->options.report < 0)
			log_error("%s", failure->message);
		report(session, EXIT_FAILED, failure->message);
		end(session, EXIT_FAILED);
		return;
	}
	report(session, EXIT_DONE, "");
	if (session->options.only_down)
		go_down(session);
	else if (session->interrupted)
		on_signal(&session->signals[SIGNAL_INT], SIGINT);
	else
		controller_wait(session->controller, NULL, on_up, session);
}

static void on_record_state(void *arg, const struct record_state *state)
{
	(void)arg;
	if (state->ok)
		log_info("the record is written again");
	else
		log_error("the record can't be written, it is kept in memory: %s", state->failure.message);
}

static int open_driver(void *arg, const struct driver_events *events, void *events_arg, struct driver **ret_driver,
		       struct failure *ret_failure)
{
	struct session *session = arg;

	return local_new(&session->loop, session->clock, session->config, session->options.only_down, events, events_arg,
			 ret_driver, ret_failure);
}

/* --- Beginning. */

static void on_order_down(void *arg)
{
	go_down(arg);
}

static int open_all(struct session *session, struct failure *ret_failure)
{
	struct controller_setup setup = {
		.clock = session->clock,
		.config = session->config,
		.open_driver = open_driver,
		.driver_arg = session,
		.open_checker = http_checker_open,
		.checker_arg = &session->loop,
		.log = on_event,
		.opened = on_opened,
		.arg = session,
	};
	struct control_hooks hooks = { .reload = reload, .down = on_order_down, .arg = session };
	char *folder = fleet_folder(session->config);
	char *path = fleet_path(session->config, FLEET_RECORD);
	int r = -ENOMEM;

	if (folder == NULL || path == NULL)
		failure_set(ret_failure, ENOMEM, "no memory");
	else if ((r = record_open_sqlite(&session->loop, session->clock, path, session->config->record_keep_ms,
					 on_record_state, session, &session->record)) < 0)
		failure_set(ret_failure, -r, "the record can't be opened: %s", strerror(-r));
	setup.record = session->record;
	if (r == 0)
		r = controller_new(&setup, &session->controller, ret_failure);
	if (r == 0)
		r = control_new(&session->loop, folder, session->controller, &hooks, &session->control, ret_failure);
	free(folder);
	free(path);
	return r;
}

static int say_failure(struct session *session, int exit_status, const char *message)
{
	if (session->options.report < 0)
		log_error("%s", message);
	report(session, exit_status, message);
	return exit_status;
}

int session_run(const struct session_options *options, struct config *config)
{
	struct session session = { .options = *options, .config = config };
	struct failure failure;
	pid_t holder = 0;
	int r;

	session.lock = fleet_lock(config, &holder, &failure);
	if (session.lock < 0) {
		r = say_failure(&session, session.lock == -EAGAIN ? EXIT_HELD : EXIT_FAILED, failure.message);
		config_free(config);
		return r;
	}
	uv_loop_init(&session.loop);
	session.clock = clock_new_real(&session.loop);
	start_signals(&session);
	if (session.clock == NULL || open_all(&session, &failure) < 0) {
		say_failure(&session, EXIT_FAILED, failure.message);
		end(&session, EXIT_FAILED);
	}
	uv_run(&session.loop, UV_RUN_DEFAULT);
	clock_free(session.clock);
	if (uv_loop_close(&session.loop) != 0)
		log_warning("a handle was left open at the end");
	config_free(session.config);
	/* The lock is the kernel's to release: whoever finds it free finds this process gone. */
	return session.exit_status;
}
