/* adopt.c: see adopt.h. */
#define _GNU_SOURCE
#include "fleet/local/adopt.h"

#include "base/path.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_LINE_MAX_BYTES 65536

/*
 * The argument that has the word, without it; NULL: none has.  A zombie's
 * command line is empty.  Free the text.
 */
static char *find_word(pid_t pid, const char *word)
{
	size_t word_length = strlen(word);
	bool prefix = word_length > 0 && word[word_length - 1] == '/';
	char path[64];
	char *text;
	char *rest = NULL;
	size_t length;
	const char *p;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	if (path_read(path, COMMAND_LINE_MAX_BYTES, &text, &length) < 0)
		return NULL;
	for (p = text; rest == NULL && p < text + length; p += strlen(p) + 1)
		if (strncmp(p, word, word_length) == 0 && (p[word_length] == '\0' || prefix))
			rest = strdup(p + word_length);
	free(text);
	return rest;
}

static bool is_trusted(pid_t pid, uid_t uid)
{
	struct stat info;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	return stat(path, &info) == 0 && (info.st_uid == geteuid() || info.st_uid == uid);
}

void adopt_scan(const char *word, uid_t uid, adopt_cb *cb, void *arg)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;

	if (processes == NULL)
		return;
	while ((entry = readdir(processes)) != NULL) {
		pid_t pid;
		pid_t pgid;
		char *rest;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (pid_t)atoi(entry->d_name);
		if (pid == getpid() || !is_trusted(pid, uid))
			continue;
		rest = find_word(pid, word);
		pgid = rest != NULL ? getpgid(pid) : -1;
		if (pgid > 1)
			cb(arg, rest, pid, pgid, pgid == pid);
		free(rest);
	}
	closedir(processes);
}

/* Field 22 of its stat; the name in field 2 may hold anything, so count from its last ')'. */
uint64_t adopt_start_ticks(pid_t pid)
{
	char path[64];
	char *text;
	const char *p;
	uint64_t ticks = 0;
	int field;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (path_read(path, 4096, &text, NULL) < 0)
		return 0;
	p = strrchr(text, ')');
	for (field = 2; p != NULL && field < 22; field++) {
		p = strchr(p, ' ');
		p = p != NULL ? p + 1 : NULL;
	}
	if (p != NULL)
		ticks = strtoull(p, NULL, 10);
	free(text);
	return ticks;
}

int64_t adopt_started_ms(pid_t pid)
{
	uint64_t ticks = adopt_start_ticks(pid);
	struct timespec boot;
	struct timespec now;

	if (ticks == 0 || clock_gettime(CLOCK_BOOTTIME, &boot) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return 0;
	return (int64_t)(now.tv_sec - boot.tv_sec) * 1000 + (now.tv_nsec - boot.tv_nsec) / 1000000 +
	       (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}
