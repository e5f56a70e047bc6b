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
#include <unistd.h>

#define COMMAND_LINE_MAX_BYTES 65536

/* A zombie's command line is empty. */
static bool has_word(pid_t pid, const char *word)
{
	size_t word_length = strlen(word);
	char path[64];
	char *text;
	size_t length;
	bool found = false;
	const char *p;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	if (path_read(path, COMMAND_LINE_MAX_BYTES, &text, &length) < 0)
		return false;
	for (p = text; !found && p < text + length; p += strlen(p) + 1)
		found = strncmp(p, word, word_length) == 0 &&
			(p[word_length] == '\0' || word[word_length - 1] == '/');
	free(text);
	return found;
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

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (pid_t)atoi(entry->d_name);
		if (pid == getpid() || !has_word(pid, word) || !is_trusted(pid, uid))
			continue;
		pgid = getpgid(pid);
		if (pgid > 1)
			cb(arg, pid, pgid, pgid == pid);
	}
	closedir(processes);
}
