/* local_site.c: releases made and removed, on worker threads. */
#define _GNU_SOURCE
#include "config/config.h"
#include "fleet/local/local_internal.h"
#include "fleet/local/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define IN_USE_MAX 1024

static struct local *local_of(struct driver *driver)
{
	return (struct local *)driver;
}

/* --- Releases: copied on a worker thread. */

struct publication {
	uv_work_t work;
	struct local *local;
	char *source;                /* NULL: the built-in site */
	bool from_config;
	unsigned release;
	int result;
	struct failure failure;
	driver_done_cb *cb;
	void *arg;
};

static void copy_work(uv_work_t *work)
{
	struct publication *publication = work->data;

	publication->result = site_copy(publication->local->site, publication->source, publication->release,
					&publication->failure);
}

static void on_copied(uv_work_t *work, int status)
{
	struct publication *publication = work->data;
	struct local *local = publication->local;
	unsigned before = site_current(local->site);

	(void)status;
	local->works--;
	if (local->closed) {
		local_free_if_idle(local);
	} else if (publication->result < 0) {
		publication->cb(publication->arg, &publication->failure);
	} else {
		site_use(local->site, publication->release, publication->from_config, publication->source);
		local->previous_release = before;
		local->published_config = publication->from_config;
		publication->cb(publication->arg, NULL);
	}
	free(publication->source);
	free(publication);
}

void local_publish(struct driver *driver, const char *folder, driver_done_cb *cb, void *arg)
{
	struct local *local = local_of(driver);
	const char *source = folder != NULL ? folder : local->config->site;
	struct publication *publication = calloc(1, sizeof *publication);

	if (publication == NULL)
		abort();
	publication->local = local;
	publication->source = source != NULL ? strdup(source) : NULL;
	publication->from_config = folder == NULL;
	publication->release = site_next(local->site);
	publication->cb = cb;
	publication->arg = arg;
	publication->work.data = publication;
	local->works++;
	uv_queue_work(local->loop, &publication->work, copy_work, on_copied);
}

int local_revert(struct driver *driver)
{
	struct local *local = local_of(driver);

	if (local->previous_release == 0)
		return -ENOENT;
	if (local->published_config)
		site_forget_source(local->site);
	return site_use(local->site, local->previous_release, false, NULL);
}

bool local_site_changed(struct driver *driver)
{
	struct local *local = local_of(driver);

	return site_current(local->site) == 0 || site_source_changed(local->site, local->config->site);
}

bool local_is_current(struct driver *driver, const struct instance *instance)
{
	return ((const struct local_instance *)instance)->release == site_current(local_of(driver)->site);
}

/* --- Releases that nobody serves any more: removed on a worker thread, which gets a list of its own. */

struct pruning {
	uv_work_t work;
	struct local *local;
	unsigned next;               /* this and later ones may be copied meanwhile */
	size_t count;
	unsigned in_use[IN_USE_MAX];
};

static bool is_in_use(void *arg, unsigned release)
{
	const struct pruning *pruning = arg;
	size_t i;

	if (release >= pruning->next)
		return true;
	for (i = 0; i < pruning->count; i++)
		if (pruning->in_use[i] == release)
			return true;
	return false;
}

static void prune_work(uv_work_t *work)
{
	struct pruning *pruning = work->data;

	site_prune(pruning->local->site, is_in_use, pruning);
}

static void on_pruned(uv_work_t *work, int status)
{
	struct pruning *pruning = work->data;
	struct local *local = pruning->local;

	(void)status;
	local->works--;
	local->pruning = false;
	local_free_if_idle(local);
	free(pruning);
}

void local_prune(struct local *local)
{
	struct pruning *pruning;
	const struct instance *instance;

	/* A copy under way has no name yet that could be spared. */
	if (local->works > 0 || local->pruning)
		return;
	pruning = calloc(1, sizeof *pruning);
	if (pruning == NULL)
		return;
	pruning->local = local;
	pruning->work.data = pruning;
	pruning->next = site_next(local->site);
	pruning->in_use[pruning->count++] = local->previous_release;
	pruning->in_use[pruning->count++] = site_current(local->site);
	for (instance = local->base.instances; instance != NULL && pruning->count < IN_USE_MAX; instance = instance->next)
		pruning->in_use[pruning->count++] = ((const struct local_instance *)instance)->release;
	if (pruning->count == IN_USE_MAX) {
		free(pruning);
		return;
	}
	local->pruning = true;
	local->works++;
	uv_queue_work(local->loop, &pruning->work, prune_work, on_pruned);
}
