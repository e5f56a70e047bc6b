/* lock.c: see lock.h. */
#define _GNU_SOURCE
#include "fleet/lock.h"

#include "base/path.h"
#include "config/config.h"
#include "fleet/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Others may pass through (httpd runs as somebody else) but not look around. */
#define FOLDER_MODE 0711
#define PID_BYTES 12

/* Who holds it has written its pid; -1 where that could not be read. */
static int holder_of(int fd, pid_t *ret_holder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[PID_BYTES + 1] = "";

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	*ret_holder = 0;
	if (lock.l_type == F_UNLCK)
		return 0;
	*ret_holder = pread(fd, text, PID_BYTES, 0) > 0 && atoi(text) > 0 ? (pid_t)atoi(text) : -1;
	return 0;
}

static void write_pid(int fd)
{
	char text[PID_BYTES + 1];

	snprintf(text, sizeof text, "%*d\n", PID_BYTES - 1, (int)getpid());
	if (pwrite(fd, text, PID_BYTES, 0) < 0) {
		/* Then others can't name us. */
	}
}

static int open_lock(const struct config *config, struct failure *ret_failure)
{
	char *folder = fleet_folder(config);
	char *path = fleet_path(config, FLEET_LOCK);
	int r = folder == NULL || path == NULL ? -ENOMEM : path_make_folders(folder, FOLDER_MODE);

	if (r == 0) {
		r = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (r < 0)
			r = -errno;
	}
	if (r < 0)
		r = failure_set(ret_failure, -r,
				r == -ENOSPC ? "the state folder %s can't be written: %s: free some space, or name another "
					       "folder with `state`"
					     : "the state folder %s can't be written: %s: make it writable, or name another "
					       "folder with `state`",
				folder != NULL ? folder : config->state, strerror(-r));
	free(folder);
	free(path);
	return r;
}

int fleet_lock(const struct config *config, pid_t *ret_holder, struct failure *ret_failure)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_lock(config, ret_failure);
	pid_t holder = 0;

	if (fd < 0)
		return fd;
	/*
	 * Of the open file, not of the process: that one ends when anything in
	 * the process closes any descriptor of the file.
	 */
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
		write_pid(fd);
		return fd;
	}
	holder_of(fd, &holder);
	close(fd);
	*ret_holder = holder;
	return failure_set(ret_failure, EAGAIN, "another openbell (pid %d) holds the fleet \"%s\" in %s", (int)holder,
			   config->fleet, config->state);
}

pid_t fleet_lock_holder(const struct config *config)
{
	char *path = fleet_path(config, FLEET_LOCK);
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	pid_t holder = 0;

	free(path);
	if (fd < 0)
		return 0;
	holder_of(fd, &holder);
	close(fd);
	return holder;
}
