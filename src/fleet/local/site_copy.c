/* site_copy.c: see site_copy.h. */
#define _GNU_SOURCE
#include "fleet/local/site_copy.h"

#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_CHUNK_BYTES (16 * 1024 * 1024)

static const char hello[] = "<h1>Hello World</h1>\n";

struct copy {
	const char *source; /* for messages, as the next */
	const char *target;
	bool shared;
	gid_t gid;
	struct failure *failure;
};

static int copy_folder(const struct copy *copy, int from, int to, const char *shown, int depth);

static int refuse_read(const struct copy *copy, int error, const char *shown)
{
	return failure_set(copy->failure, error, "%s%s can't be read: %s", copy->source, shown, strerror(error));
}

static int refuse_copy(const struct copy *copy, int error, const char *shown)
{
	return failure_set(copy->failure, error, "%s%s can't be copied to %s: %s", copy->source, shown, copy->target,
			   strerror(error));
}

/* Readable by httpd's group when it is not ours; otherwise as it was. */
static int own(const struct copy *copy, int fd, mode_t mode)
{
	bool folder = S_ISDIR(mode);

	if (!copy->shared)
		return fchmod(fd, (mode & 07777) | (folder ? 0700 : 0600)) < 0 ? -errno : 0;
	if (fchown(fd, (uid_t)-1, copy->gid) < 0 || fchmod(fd, folder ? 0750 : 0640) < 0)
		return -errno;
	return 0;
}

static int copy_bytes(int from, int to)
{
	ssize_t n;

	/* Shares the blocks where the file system can. */
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	do
		n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK_BYTES, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0)
		return 0;
	if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	for (;;) {
		char buffer[65536];
		ssize_t done = 0;

		n = read(from, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		while (done < n) {
			ssize_t written = write(to, buffer + done, (size_t)(n - done));

			if (written < 0 && errno != EINTR)
				return -errno;
			if (written > 0)
				done += written;
		}
	}
}

/* The time stays, so that a browser's cached copy of an unchanged file does too. */
static int copy_file(const struct copy *copy, int from, int to, const char *name, const char *shown,
		     const struct stat *info)
{
	struct timespec times[2] = { info->st_atim, info->st_mtim };
	int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int out;
	int r;

	if (in < 0)
		return refuse_read(copy, errno, shown);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = out < 0 ? -errno : copy_bytes(in, out);
	if (r == 0)
		r = own(copy, out, info->st_mode);
	if (r == 0 && (futimens(out, times) < 0))
		r = -errno;
	if (out >= 0)
		close(out);
	close(in);
	return r < 0 ? refuse_copy(copy, -r, shown) : 0;
}

/* Whether a relative link at that depth stays within the folder that is copied. */
static bool stays_inside(const char *link, int depth)
{
	if (link[0] == '/')
		return false;
	while (*link != '\0') {
		size_t length = strcspn(link, "/");

		if (length == 2 && strncmp(link, "..", 2) == 0)
			depth--;
		else if (length > 0 && !(length == 1 && *link == '.'))
			depth++;
		if (depth < 0)
			return false;
		link += length + strspn(link + length, "/");
	}
	return true;
}

static int copy_link(const struct copy *copy, int from, int to, const char *name, const char *shown, int depth)
{
	char link[PATH_MAX];
	char *outside = NULL;
	ssize_t n = readlinkat(from, name, link, sizeof link - 1);
	int r = 0;

	if (n < 0)
		return refuse_read(copy, errno, shown);
	link[n] = '\0';
	if (link[0] != '/' && !stays_inside(link, depth)) {
		char *folder = path_format("%s%.*s", copy->source, (int)(strrchr(shown, '/') - shown), shown);

		outside = folder != NULL ? path_format("%s/%s", folder, link) : NULL;
		free(folder);
		if (outside == NULL)
			return -ENOMEM;
	}
	if (symlinkat(outside != NULL ? outside : link, to, name) < 0)
		r = refuse_copy(copy, errno, shown);
	free(outside);
	return r;
}

static int copy_subfolder(const struct copy *copy, int from, int to, const char *name, const char *shown,
			  const struct stat *info, int depth)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int out = -1;
	int r;

	if (in < 0)
		return refuse_read(copy, errno, shown);
	if (depth >= SITE_DEPTH_MAX)
		r = refuse_copy(copy, ELOOP, shown);
	else if (mkdirat(to, name, 0700) < 0)
		r = refuse_copy(copy, errno, shown);
	else if ((out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		r = refuse_copy(copy, errno, shown);
	else
		r = copy_folder(copy, in, out, shown, depth + 1);
	if (r == 0 && (r = own(copy, out, info->st_mode)) < 0)
		r = refuse_copy(copy, -r, shown);
	if (out >= 0)
		close(out);
	close(in);
	return r;
}

static int copy_entry(const struct copy *copy, int from, int to, const char *name, const char *shown, int depth)
{
	struct stat info;

	if (fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse_read(copy, errno, shown);
	if (S_ISREG(info.st_mode))
		return copy_file(copy, from, to, name, shown, &info);
	if (S_ISDIR(info.st_mode))
		return copy_subfolder(copy, from, to, name, shown, &info, depth);
	if (S_ISLNK(info.st_mode))
		return copy_link(copy, from, to, name, shown, depth);
	return failure_set(copy->failure, EINVAL,
			   "%s%s is neither a file nor a folder nor a link: take it out of the site", copy->source,
			   shown);
}

/* `from` is borrowed.  `shown` is the folder's path below the source, "" at the top. */
static int copy_folder(const struct copy *copy, int from, int to, const char *shown, int depth)
{
	int listed = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = listed >= 0 ? fdopendir(listed) : NULL;
	const struct dirent *entry;
	int r = 0;

	if (folder == NULL) {
		r = refuse_read(copy, errno, shown);
		if (listed >= 0)
			close(listed);
		return r;
	}
	while (r == 0 && (entry = readdir(folder)) != NULL) {
		char *below;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		below = path_format("%s/%s", shown, entry->d_name);
		r = below != NULL ? copy_entry(copy, from, to, entry->d_name, below, depth) : -ENOMEM;
		free(below);
	}
	closedir(folder);
	if (r == 0 && fsync(to) < 0)
		r = refuse_copy(copy, errno, shown);
	return r;
}

static int write_hello(const struct copy *copy, int to)
{
	int fd = openat(to, "index.html", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, hello, sizeof hello - 1) != (ssize_t)sizeof hello - 1)
		r = errno != 0 ? -errno : -ENOSPC;
	if (r == 0)
		r = own(copy, fd, S_IFREG | 0644);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int fill(const struct copy *copy, const char *source, int to)
{
	struct stat info;
	int from;
	int r;

	if (source == NULL) {
		r = write_hello(copy, to);
		if (r == 0)
			r = own(copy, to, S_IFDIR | 0755);
		return r < 0 ? failure_set(copy->failure, -r, "the site can't be written: %s", strerror(-r)) : 0;
	}
	from = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return failure_set(copy->failure, errno,
				   errno == ENOENT ? "the site folder %s does not exist: make it, or set `site`"
				   : errno == ENOTDIR
					   ? "the site %s is not a folder: name the folder that holds index.html"
					   : "the site folder %s can't be read: check its permissions, or set `site`",
				   source);
	r = copy_folder(copy, from, to, "", 0);
	if (r == 0 && (fstat(from, &info) < 0 || (r = own(copy, to, info.st_mode)) < 0))
		r = refuse_copy(copy, r < 0 ? -r : errno, "");
	close(from);
	return r;
}

int site_copy_tree(const char *source, const char *target, bool shared, gid_t gid, struct failure *ret_failure)
{
	struct copy copy = { .source = source != NULL ? source : "",
			     .target = target,
			     .shared = shared,
			     .gid = gid,
			     .failure = ret_failure };
	char *temporary = path_format("%s.new", target);
	int to = -1;
	int r = temporary != NULL ? path_remove_tree(temporary) : -ENOMEM;

	if (r == 0 && mkdir(temporary, 0700) < 0)
		r = -errno;
	if (r == 0 && (to = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = -errno;
	if (r < 0) {
		failure_set(ret_failure, -r, "%s can't be made: %s", target, strerror(-r));
	} else {
		r = fill(&copy, source, to);
		/* All of it at once: one sync a file takes minutes for a large site. */
		if (r == 0 && syncfs(to) < 0)
			r = failure_set(ret_failure, errno, "%s can't be written: %s", target, strerror(errno));
		if (r == 0 && rename(temporary, target) < 0)
			r = failure_set(ret_failure, errno, "%s can't be made: %s", target, strerror(errno));
	}
	if (to >= 0)
		close(to);
	if (r < 0 && temporary != NULL)
		path_remove_tree(temporary);
	free(temporary);
	return r;
}

/* --- The fingerprint: FNV-1a over what `ls -lR` would show, summed so that the order of names does not matter. */

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *p = data;

	for (; length > 0; length--, p++)
		hash = (hash ^ *p) * UINT64_C(0x100000001b3);
	return hash;
}

#define FNV_START UINT64_C(0xcbf29ce484222325)

static int add_folder(int fd, const char *shown, int depth, uint64_t *sum)
{
	DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (folder == NULL) {
		close(fd);
		return -errno;
	}
	while (r == 0 && (entry = readdir(folder)) != NULL) {
		uint64_t hash = FNV_START;
		struct stat info;
		char *below;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
			r = -errno;
			break;
		}
		below = path_format("%s/%s", shown, entry->d_name);
		if (below == NULL) {
			r = -ENOMEM;
			break;
		}
		hash = mix(hash, below, strlen(below) + 1);
		hash = mix(hash, &info.st_mode, sizeof info.st_mode);
		if (S_ISDIR(info.st_mode)) {
			int inner =
				openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

			r = inner < 0                 ? -errno
			    : depth >= SITE_DEPTH_MAX ? -ELOOP
						      : add_folder(inner, below, depth + 1, sum);
			if (inner >= 0 && r == -ELOOP)
				close(inner);
		} else {
			hash = mix(hash, &info.st_size, sizeof info.st_size);
			hash = mix(hash, &info.st_mtim.tv_sec, sizeof info.st_mtim.tv_sec);
			hash = mix(hash, &info.st_mtim.tv_nsec, sizeof info.st_mtim.tv_nsec);
			hash = mix(hash, &info.st_ino, sizeof info.st_ino);
		}
		*sum += hash;
		free(below);
	}
	closedir(folder);
	return r;
}

uint64_t site_fingerprint(const char *source)
{
	uint64_t sum;
	int fd;

	if (source == NULL)
		return 1;
	sum = mix(FNV_START, source, strlen(source));
	fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || add_folder(fd, "", 0, &sum) < 0)
		return 0;
	return sum;
}
