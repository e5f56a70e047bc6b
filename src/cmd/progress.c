/* progress.c: see progress.h. */
#define _GNU_SOURCE
#include "cmd/progress.h"

#include "base/units.h"
#include "cmd/client.h"

#include <stdio.h>
#include <unistd.h>

void progress_start(struct progress *progress, bool quiet, const char *what)
{
	*progress = (struct progress){ .quiet = quiet, .terminal = isatty(STDERR_FILENO) != 0,
				       .since_ms = client_now_ms() };
	snprintf(progress->what, sizeof progress->what, "%s", what);
}

void progress_elapsed(const struct progress *progress, char *ret_text, unsigned long size)
{
	units_format_elapsed(client_now_ms() - progress->since_ms, ret_text, size);
}

static void show_time(struct progress *progress)
{
	char elapsed[24];

	progress_elapsed(progress, elapsed, sizeof elapsed);
	fprintf(stderr, "\r\033[K%s … %s", progress->what, elapsed);
	fflush(stderr);
	progress->shown = true;
}

void progress_say(void *arg, const char *text)
{
	struct progress *progress = arg;

	if (progress->quiet)
		return;
	if (text != NULL)
		fprintf(stderr, "%s%s\n", progress->shown ? "\r\033[K" : "", text);
	if (progress->terminal)
		show_time(progress);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
	progress->shown = false;
}
