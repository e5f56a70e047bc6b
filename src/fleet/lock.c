/* lock.c: see lock.h. */
#define _GNU_SOURCE
#include "fleet/lock.h"

#include "base/path.h"
#include "config/config.h"
#include "fleet/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Others may pass through (httpd runs as somebody else) but not look around. */
#define FOLDER_MODE 0711

static int holder_of(int fd, pid_t *ret_holder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	*ret_holder = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
	return 0;
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
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
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
