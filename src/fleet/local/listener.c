/* listener.c: see listener.h. */
#define _GNU_SOURCE
#include "fleet/local/listener.h"

#include "base/path.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_LISTEN 0x0A          /* TCP_LISTEN of the kernel's tcp_states.h, as /proc/net/tcp prints it */
#define COMMAND_MAX_BYTES 64
#define ANSWER_MS 1              /* how long a loopback connection may take to be answered */

int listener_address(const char *host, uint16_t port, struct sockaddr_storage *ret_address)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

	if (inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
	} else {
		return -EINVAL;
	}
	*ret_address = address;
	return 0;
}

static socklen_t address_length(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static uint16_t address_port(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port
						   : ((const struct sockaddr_in6 *)address)->sin6_port);
}

/* The socket inodes that listen on `port`, of one of /proc/net/tcp and tcp6.  At most `size` of them. */
static size_t listening_inodes(const char *file, uint16_t port, uint64_t *ret_inodes, size_t size)
{
	FILE *table = fopen(file, "re");
	char line[512];
	size_t count = 0;

	if (table == NULL)
		return 0;
	while (count < size && fgets(line, sizeof line, table) != NULL) {
		unsigned local_port;
		unsigned state;
		uint64_t inode;

		/* "  sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode" */
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %" SCNu64,
			   &local_port, &state, &inode) == 3 &&
		    local_port == port && state == TCP_LISTEN)
			ret_inodes[count++] = inode;
	}
	fclose(table);
	return count;
}

static bool has_socket(const char *pid, const uint64_t *inodes, size_t count)
{
	char folder[64];
	const struct dirent *entry;
	bool found = false;
	DIR *descriptors;

	snprintf(folder, sizeof folder, "/proc/%.16s/fd", pid);
	descriptors = opendir(folder);
	if (descriptors == NULL)
		return false;
	while (!found && (entry = readdir(descriptors)) != NULL) {
		char link[64] = "";
		uint64_t inode;
		size_t i;

		if (readlinkat(dirfd(descriptors), entry->d_name, link, sizeof link - 1) < 0 ||
		    sscanf(link, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (i = 0; i < count && !found; i++)
			found = inodes[i] == inode;
	}
	closedir(descriptors);
	return found;
}

/* " by nginx (pid 812)", or " by another process" where we may not look. */
static void describe_holder(uint16_t port, char *ret_text, size_t size)
{
	uint64_t inodes[16];
	size_t count = listening_inodes("/proc/net/tcp", port, inodes, 16);
	const struct dirent *entry;
	DIR *processes;

	if (count < 16)
		count += listening_inodes("/proc/net/tcp6", port, inodes + count, 16 - count);
	snprintf(ret_text, size, "another process");
	processes = opendir("/proc");
	if (processes == NULL)
		return;
	while ((entry = readdir(processes)) != NULL) {
		char path[64];
		char *name;

		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, inodes, count))
			continue;
		snprintf(path, sizeof path, "/proc/%.16s/comm", entry->d_name);
		if (path_read(path, COMMAND_MAX_BYTES, &name, NULL) < 0)
			continue;
		name[strcspn(name, "\n")] = '\0';
		snprintf(ret_text, size, "%.64s (pid %.16s)", name, entry->d_name);
		free(name);
		break;
	}
	closedir(processes);
}

static int describe_error(int error, const struct sockaddr_storage *address, const char *name, struct failure *ret_failure)
{
	char holder[128];

	switch (error) {
	case EADDRINUSE:
		describe_holder(address_port(address), holder, sizeof holder);
		return failure_set(ret_failure, error, "%s is taken by %s: stop it or set `listen`", name, holder);
	case EACCES:
		return failure_set(ret_failure, error,
				   "%s: only root may listen below port 1024: start openbell as root or set `listen`", name);
	case EADDRNOTAVAIL:
		return failure_set(ret_failure, error, "%s is not an address of this machine: set `listen` to one that is",
				   name);
	default:
		return failure_set(ret_failure, error, "can't listen on %s: %s", name, strerror(error));
	}
}

int listener_probe(const struct sockaddr_storage *address, const char *name, struct failure *ret_failure)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	int r = 0;

	if (fd < 0)
		return failure_set(ret_failure, errno, "can't make a socket: %s", strerror(errno));
	/* Past the TIME_WAIT of a balancer that just ended; a listener there is still in the way. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)address, address_length(address)) < 0)
		r = describe_error(errno, address, name, ret_failure);
	close(fd);
	return r;
}

bool listener_accepts(const struct sockaddr_storage *address)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool accepts;
	int error;

	if (fd < 0)
		return false;
	accepts = connect(fd, (const struct sockaddr *)address, address_length(address)) == 0;
	/* On a loopback address the answer comes at once; only a full queue of connections gives none. */
	if (!accepts && errno == EINPROGRESS) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
		socklen_t length = sizeof error;

		accepts = poll(&poll_fd, 1, ANSWER_MS) == 0 ||
			  (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(fd);
	return accepts;
}
