/* progress.h: what a long verb says on standard error while it works. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool quiet;
	bool terminal;
	int64_t since_ms;
	char what[256];          /* shown with the time that passed, on a terminal */
	bool shown;
};

void progress_start(struct progress *progress, bool quiet, const char *what);

/* A client_progress_cb: a line for what happened; NULL: only time passed. */
void progress_say(void *progress, const char *text);

/* Erase the line that tells the time. */
void progress_end(struct progress *progress);

/* "0.3 s" since the start. */
void progress_elapsed(const struct progress *progress, char *ret_text, unsigned long size);

#endif
