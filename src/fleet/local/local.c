/* local.c: see local.h. */
#define _GNU_SOURCE
#include "fleet/local/local.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/process.h"
#include "config/config.h"
#include "fleet/idgen.h"
#include "fleet/local/balancer.h"
#include "fleet/local/httpd.h"
#include "fleet/local/local_internal.h"
#include "fleet/local/site.h"
#include "fleet/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define BALANCER_GRACE_MS 1000   /* for requests under way when the fleet goes down */

static struct local *local_of(struct driver *driver)
{
	return (struct local *)driver;
}

static struct local_instance *instance_of(struct instance *instance)
{
	return (struct local_instance *)instance;
}

static struct instance *find_instance(struct local *local, const char *id)
{
	struct instance *instance = local->base.instances;

	while (instance != NULL && strcmp(instance->id, id) != 0)
		instance = instance->next;
	return instance;
}

void local_free_if_idle(struct local *local)
{
	if (!local->closed || local->works > 0)
		return;
	site_free(local->site);
	free(local->folder);
	free(local->instances);
	free(local->mark);
	free(local);
}

/* --- Opening. */

static void on_first_release(void *arg, const struct failure *failure)
{
	struct local *local = arg;

	if (failure != NULL)
		local->base.events->opened(local->base.arg, failure);
	else
		balancer_start(local->balancer);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_opening(uv_timer_t *timer)
{
	struct local *local = timer->data;
	struct failure failure;
	int r;

	uv_close((uv_handle_t *)timer, on_timer_closed);
	local->works--;
	if (local->closed) {
		local_free_if_idle(local);
		return;
	}
	r = local_find(local, &failure);
	if (r < 0)
		local->base.events->opened(local->base.arg, &failure);
	else if (local->base.only_to_shut_down)
		balancer_adopt(local->balancer);
	else if (site_current(local->site) == 0 ||
		 (local->base.instances == NULL && site_source_changed(local->site, local->config->site)))
		local_publish(&local->base, NULL, on_first_release, local);
	else
		balancer_start(local->balancer);
}

static void local_open(struct driver *driver)
{
	struct local *local = local_of(driver);
	uv_timer_t *timer = calloc(1, sizeof *timer);

	if (timer == NULL)
		abort();
	local->works++;
	uv_timer_init(local->loop, timer);
	timer->data = local;
	uv_timer_start(timer, on_opening, 0, 0);
}

static void on_balancer_started(void *arg, const struct failure *failure)
{
	struct local *local = arg;
	struct instance *instance;

	for (instance = local->base.instances; instance != NULL; instance = instance->next)
		instance->state = instance->pid == 0 ? INSTANCE_UNHEALTHY
				  : balancer_is_admitted(local->balancer, instance->id) ? INSTANCE_IN_SERVICE
											: INSTANCE_PENDING;
	local->base.balancer_up = failure == NULL;
	local->base.events->opened(local->base.arg, failure);
	if (failure == NULL)
		local_prune(local);
}

/* --- Instances. */

static int local_launch(struct driver *driver, struct instance **ret_instance, struct failure *ret_failure)
{
	struct local *local = local_of(driver);
	struct local_instance *instance = NULL;
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];
	int r = idgen_next(local->folder, id);

	if (r < 0)
		return failure_set(ret_failure, -r, "%s can't be written: %s", local->folder, strerror(-r));
	r = local_free_address(local, address, sizeof address);
	if (r < 0)
		return failure_set(ret_failure, -r, "no loopback address is free on port %d", HTTPD_PORT);
	instance = local_instance_new(local, id, address);
	if (instance == NULL)
		return failure_set(ret_failure, ENOMEM, "no memory");
	r = httpd_prepare(instance->folder, address, local->config, &local->programs, ret_failure);
	if (r == 0) {
		instance->release = site_current(local->site);
		r = httpd_use_release(instance->folder, instance->release);
		if (r == 0)
			r = balancer_add(local->balancer, id, address, 100);
		if (r < 0) {
			failure_set(ret_failure, -r, "%s can't be written: %s", instance->folder, strerror(-r));
			path_remove_tree(instance->folder);
		}
	}
	if (r < 0) {
		local_instance_free(instance);
		return r;
	}
	local_instance_start(instance);
	*ret_instance = &instance->base;
	return 0;
}

static void local_admit(struct driver *driver, struct instance *instance)
{
	process_group_relax(instance->pid);
	balancer_admit(local_of(driver)->balancer, instance->id);
}

static void local_hold(struct driver *driver, struct instance *instance)
{
	balancer_hold(local_of(driver)->balancer, instance->id);
}

static void local_drain(struct driver *driver, struct instance *instance, uint64_t timeout_ms)
{
	balancer_drain(local_of(driver)->balancer, instance->id, timeout_ms);
}

static void local_refresh(struct driver *driver, struct instance *base)
{
	struct local *local = local_of(driver);
	struct local_instance *instance = instance_of(base);
	unsigned release = site_current(local->site);
	struct failure failure;
	int r = httpd_use_release(instance->folder, release);

	if (r < 0) {
		failure_set(&failure, -r, "%s can't be written: %s", instance->folder, strerror(-r));
		local_instance_refreshed(instance, &failure);
		return;
	}
	instance->release = release;
	local_instance_refreshed(instance, NULL);
	local_prune(local);
}

static void local_restart(struct driver *driver, struct instance *instance)
{
	balancer_hold(local_of(driver)->balancer, instance->id);
	local_instance_start(instance_of(instance));
}

static void local_terminate(struct driver *driver, struct instance *instance)
{
	(void)driver;
	local_instance_stop(instance_of(instance));
}

void local_instance_gone(struct local *local)
{
	if (!local->shutting_down)
		local_prune(local);
	else if (local->base.instances == NULL && local->down_cb != NULL) {
		driver_done_cb *cb = local->down_cb;

		local->down_cb = NULL;
		cb(local->down_arg, NULL);
	}
}

/* --- What the balancer says. */

static void on_judged(void *arg, const char *id, bool up, const char *why)
{
	struct local *local = arg;
	struct instance *instance = find_instance(local, id);

	if (instance != NULL)
		local->base.events->judged(local->base.arg, instance, up, why);
}

static void on_drained(void *arg, const char *id)
{
	struct local *local = arg;
	struct instance *instance = find_instance(local, id);

	if (instance != NULL)
		local->base.events->drained(local->base.arg, instance);
}

static void on_removed(void *arg, const char *id)
{
	struct instance *instance = find_instance(arg, id);

	if (instance != NULL)
		local_instance_removed(instance_of(instance));
}

static void on_balancer_event(void *arg, const char *event, const char *detail)
{
	struct local *local = arg;

	local->base.balancer_up = balancer_is_up(local->balancer);
	local->base.balancer_changing = balancer_is_changing(local->balancer);
	local->base.events->fleet_event(local->base.arg, event, detail);
}

/* --- The whole. */

static int local_reconfigure(struct driver *driver, const struct config *config, struct failure *ret_failure)
{
	struct local *local = local_of(driver);
	int r = balancer_reconfigure(local->balancer, config, ret_failure);

	if (r == 0)
		local->config = config;
	local->base.balancer_changing = balancer_is_changing(local->balancer);
	return r;
}

static int local_checker_connected(struct driver *driver)
{
	/* Loopback is never cut off. */
	(void)driver;
	return 1;
}

/* What only a HAProxy that runs needs. */
static void remove_files(const struct local *local)
{
	static const char *const names[] = { "haproxy.cfg", "haproxy.sock" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *path = path_format("%s/%s", local->folder, names[i]);

		if (path != NULL)
			unlink(path);
		free(path);
	}
}

static void on_balancer_stopped(void *arg)
{
	struct local *local = arg;
	struct instance *instance;

	local->base.balancer_up = false;
	remove_files(local);
	if (local->base.instances == NULL) {
		local_instance_gone(local);
		return;
	}
	for (instance = local->base.instances; instance != NULL; instance = instance->next)
		local_instance_stop(instance_of(instance));
}

static void local_shut_down(struct driver *driver, driver_done_cb *cb, void *arg)
{
	struct local *local = local_of(driver);

	local->shutting_down = true;
	local->down_cb = cb;
	local->down_arg = arg;
	balancer_stop(local->balancer, BALANCER_GRACE_MS, on_balancer_stopped, local);
}

static void local_close(struct driver *driver)
{
	struct local *local = local_of(driver);

	while (local->base.instances != NULL)
		local_instance_free(instance_of(local->base.instances));
	balancer_free(local->balancer);
	process_set_free(local->processes);
	local->closed = true;
	local_free_if_idle(local);
}

static const struct driver_ops local_ops = {
	.open = local_open,
	.launch = local_launch,
	.admit = local_admit,
	.hold = local_hold,
	.drain = local_drain,
	.refresh = local_refresh,
	.restart = local_restart,
	.terminate = local_terminate,
	.publish = local_publish,
	.revert = local_revert,
	.site_changed = local_site_changed,
	.is_current = local_is_current,
	.reconfigure = local_reconfigure,
	.checker_connected = local_checker_connected,
	.shut_down = local_shut_down,
	.close = local_close,
};

int local_new(struct uv_loop_s *loop, struct clock *clock, const struct config *config, bool only_to_shut_down,
	      const struct driver_events *events, void *arg, struct driver **ret_driver, struct failure *ret_failure)
{
	static const struct balancer_events balancer_events = {
		.started = on_balancer_started,
		.judged = on_judged,
		.drained = on_drained,
		.removed = on_removed,
		.event = on_balancer_event,
	};
	struct local *local = calloc(1, sizeof *local);
	char *folder = fleet_folder(config);
	int r = -ENOMEM;

	if (local == NULL || folder == NULL)
		goto fail;
	r = programs_find(&local->programs, ret_failure);
	if (r < 0 && !only_to_shut_down)
		goto found_nothing;
	r = -ENOMEM;
	local->base.ops = &local_ops;
	local->base.events = events;
	local->base.arg = arg;
	local->base.only_to_shut_down = only_to_shut_down;
	local->loop = loop;
	local->clock = clock;
	local->config = config;
	/* Processes are known by this path: it must not depend on how it was spelled. */
	local->folder = realpath(folder, NULL);
	if (local->folder != NULL)
		local->instances = path_format("%s/instances", local->folder);
	if (local->instances != NULL)
		local->mark = httpd_mark(local->instances);
	if (local->mark != NULL)
		local->site = site_new(local->folder, local->programs.drop, local->programs.gid);
	if (local->site != NULL)
		local->processes = process_set_new(loop);
	if (local->processes != NULL)
		local->balancer = balancer_new(loop, clock, local->processes, &local->programs, config, local->folder,
					       &balancer_events, local);
	if (local->balancer == NULL)
		goto fail;
	free(folder);
	*ret_driver = &local->base;
	return 0;
fail:
	failure_set(ret_failure, -r, "the fleet can't be opened: %s", strerror(-r));
found_nothing:
	free(folder);
	if (local != NULL) {
		process_set_free(local->processes);
		site_free(local->site);
		free(local->mark);
		free(local->instances);
		free(local->folder);
		free(local);
	}
	return r;
}
