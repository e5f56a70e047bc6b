/* path.c: see path.h. */
#define _GNU_SOURCE
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVE_DESCRIPTORS 16

char *path_format(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? NULL : text;
}

static const char *home(void)
{
	const char *path = getenv("HOME");
	const struct passwd *entry;

	if (path != NULL && path[0] == '/')
		return path;
	entry = getpwuid(getuid());
	return entry != NULL ? entry->pw_dir : "/";
}

char *path_absolute(const char *folder, const char *path)
{
	if (path[0] == '/')
		return strdup(path);
	if (path[0] == '~' && (path[1] == '\0' || path[1] == '/'))
		return path_format("%s%s", home(), path + 1);
	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	if (strcmp(path, ".") == 0 || path[0] == '\0')
		return strdup(folder);
	return path_format("%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", path);
}

int path_make_folders(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	struct stat info;
	char *p;
	int r = 0;

	if (copy == NULL)
		return -ENOMEM;
	for (p = copy + 1; r == 0; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST) {
			/* A parent on a read-only or foreign file system may refuse even what exists. */
			r = -errno;
			if (stat(copy, &info) == 0 && S_ISDIR(info.st_mode))
				r = 0;
		}
		*p = end;
		if (end == '\0')
			break;
	}
	free(copy);
	if (r == 0 && stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
		r = -ENOTDIR;
	return r;
}

int path_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	size_t size = 0;
	char *text = NULL;
	int r = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		if (length + 1 >= size) {
			char *larger;

			size = size == 0 ? 4096 : size * 2;
			larger = realloc(text, size);
			if (larger == NULL) {
				r = -ENOMEM;
				break;
			}
			text = larger;
		}
		n = read(fd, text + length, size - length - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		length += (size_t)n;
		if (length > max_bytes) {
			r = -EFBIG;
			break;
		}
	}
	close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	text[length] = '\0';
	*ret_text = text;
	if (ret_length != NULL)
		*ret_length = length;
	return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

int path_write(const char *path, const char *text, size_t length, mode_t mode, bool durable)
{
	char *temporary = path_format("%s.new", path);
	int fd;
	int r;

	if (temporary == NULL)
		return -ENOMEM;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0) {
		r = -errno;
		free(temporary);
		return r;
	}
	r = write_all(fd, text, length);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	free(temporary);
	return r;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path) < 0 && errno != ENOENT ? -errno : 0;
}

int path_remove_tree(const char *path)
{
	int r = nftw(path, remove_entry, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (r == -1)
		return errno == ENOENT ? 0 : -errno;
	return r;
}
