/* site.c: see site.h.  The copy itself is site_copy.c. */
#define _GNU_SOURCE
#include "fleet/local/site.h"

#include "base/path.h"
#include "fleet/local/site_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAX_BYTES 256

struct site {
	char *folder;
	bool shared;
	gid_t gid;
	unsigned current;
	uint64_t fingerprint;        /* of what was last used from the configuration */
};

/* "CURRENT FINGERPRINT" in the file `site`. */
static void read_state(struct site *site)
{
	char *path = path_format("%s/site", site->folder);
	char *text;

	if (path != NULL && path_read(path, STATE_MAX_BYTES, &text, NULL) == 0) {
		if (sscanf(text, "%u %" SCNx64, &site->current, &site->fingerprint) != 2)
			site->current = 0;
		free(text);
	}
	free(path);
}

static int write_state(const struct site *site, unsigned current, uint64_t fingerprint)
{
	char *path = path_format("%s/site", site->folder);
	char text[STATE_MAX_BYTES];
	int length = snprintf(text, sizeof text, "%u %016" PRIx64 "\n", current, fingerprint);
	int r = path != NULL ? path_write(path, text, (size_t)length, 0600, true) : -ENOMEM;

	free(path);
	return r;
}

static bool release_exists(const struct site *site, unsigned release)
{
	char *path = path_format("%s/releases/%u", site->folder, release);
	struct stat info;
	bool exists = path != NULL && stat(path, &info) == 0 && S_ISDIR(info.st_mode);

	free(path);
	return exists;
}

struct site *site_new(const char *folder, bool shared, gid_t gid)
{
	struct site *site = calloc(1, sizeof *site);

	if (site == NULL)
		return NULL;
	site->folder = path_format("%s", folder);
	if (site->folder == NULL) {
		free(site);
		return NULL;
	}
	site->shared = shared;
	site->gid = gid;
	read_state(site);
	if (site->current != 0 && !release_exists(site, site->current))
		site->current = 0;
	return site;
}

void site_free(struct site *site)
{
	if (site != NULL)
		free(site->folder);
	free(site);
}

unsigned site_current(const struct site *site)
{
	return site->current;
}

/* Call `cb` with the number of each release there is. */
static void each_release(const struct site *site, void (*cb)(void *arg, unsigned release), void *arg)
{
	char *path = path_format("%s/releases", site->folder);
	DIR *releases = path != NULL ? opendir(path) : NULL;
	const struct dirent *entry;

	free(path);
	if (releases == NULL)
		return;
	while ((entry = readdir(releases)) != NULL) {
		char *end;
		unsigned long number = strtoul(entry->d_name, &end, 10);

		/* "7.new" is what a copy that was cut short left behind. */
		if (end != entry->d_name && (*end == '\0' || strcmp(end, ".new") == 0) && number < UINT32_MAX)
			cb(arg, (unsigned)number);
	}
	closedir(releases);
}

static void keep_largest(void *arg, unsigned release)
{
	unsigned *largest = arg;

	if (release > *largest)
		*largest = release;
}

unsigned site_next(const struct site *site)
{
	unsigned largest = site->current;

	each_release(site, keep_largest, &largest);
	return largest + 1;
}

/* Whether `folder` is `source`, or below it. */
static bool holds(const char *source, const char *folder)
{
	char *outer = realpath(source, NULL);
	char *inner = realpath(folder, NULL);
	size_t length = outer != NULL ? strlen(outer) : 0;
	bool held = outer != NULL && inner != NULL && strncmp(outer, inner, length) == 0 &&
		    (inner[length] == '\0' || inner[length] == '/' || length == 1);

	free(outer);
	free(inner);
	return held;
}

int site_copy(const struct site *site, const char *source, unsigned release, struct failure *ret_failure)
{
	char *target = path_format("%s/releases/%u", site->folder, release);
	char *releases = path_format("%s/releases", site->folder);
	int r = -ENOMEM;

	if (target != NULL && releases != NULL)
		r = path_make_folders(releases, 0711);
	if (r < 0)
		failure_set(ret_failure, -r, "%s/releases can't be written: %s", site->folder, strerror(-r));
	else if (source != NULL && holds(source, site->folder))
		r = failure_set(ret_failure, EINVAL,
				"the site %s holds openbell's own state in %s: name a folder of its own", source,
				site->folder);
	else
		r = site_copy_tree(source, target, site->shared, site->gid, ret_failure);
	free(target);
	free(releases);
	return r;
}

int site_use(struct site *site, unsigned release, bool from_config, const char *source)
{
	uint64_t fingerprint = from_config ? site_fingerprint(source) : site->fingerprint;
	int r = write_state(site, release, fingerprint);

	/* What serves must not wait for a disk that is full; the next start then serves the one before. */
	site->current = release;
	site->fingerprint = fingerprint;
	return r;
}

void site_forget_source(struct site *site)
{
	site->fingerprint = 0;
}

bool site_source_changed(const struct site *site, const char *source)
{
	return site_fingerprint(source) != site->fingerprint;
}

struct prune {
	const struct site *site;
	bool (*in_use)(void *arg, unsigned release);
	void *arg;
};

static void prune_one(void *arg, unsigned release)
{
	const struct prune *prune = arg;
	char *path;

	if (prune->in_use(prune->arg, release))
		return;
	path = path_format("%s/releases/%u", prune->site->folder, release);
	if (path != NULL)
		path_remove_tree(path);
	free(path);
	path = path_format("%s/releases/%u.new", prune->site->folder, release);
	if (path != NULL)
		path_remove_tree(path);
	free(path);
}

void site_prune(const struct site *site, bool (*in_use)(void *arg, unsigned release), void *arg)
{
	struct prune prune = { .site = site, .in_use = in_use, .arg = arg };

	each_release(site, prune_one, &prune);
}
