/* client.c: see client.h. */
#define _GNU_SOURCE
#include "cmd/client.h"

#include "base/wire.h"
#include "config/config.h"
#include "fleet/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES (64 * 1024 * 1024)
#define TICK_MS 100
#define CONNECT_SECONDS 2

int64_t client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

json_t *client_path(const char *path)
{
	char *text = path != NULL ? wire_encode(path) : NULL;
	json_t *json = text != NULL ? json_string(text) : json_null();

	free(text);
	return json;
}

static int connect_to(const struct config *config)
{
	struct timeval patience = { .tv_sec = CONNECT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *folder = fleet_folder(config);
	int directory = folder != NULL ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int fd;
	int r = 0;

	free(folder);
	if (directory < 0)
		return -ENOTCONN;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" FLEET_CONTROL, directory);
	/* A controller that hangs leaves us in its queue. */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (fd < 0)
		r = -errno;
	else if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		r = errno == EACCES || errno == EPERM ? -EACCES : errno == EAGAIN ? -ETIMEDOUT : -ENOTCONN;
	close(directory);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int send_line(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t length;
	size_t sent = 0;

	json_decref(request);
	if (text == NULL)
		return -ENOMEM;
	length = strlen(text);
	text[length] = '\n';
	while (sent <= length) {
		ssize_t n = send(fd, text + sent, length + 1 - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	free(text);
	return sent > length ? 0 : -EPIPE;
}

static void take_reply(const json_t *document, struct client_reply *ret_reply)
{
	const char *error = json_string_value(json_object_get(document, "error"));

	ret_reply->exit_status = (int)json_integer_value(json_object_get(document, "exit"));
	snprintf(ret_reply->error, sizeof ret_reply->error, "%s", error != NULL ? error : "");
	ret_reply->result = json_incref(json_object_get(document, "result"));
}

/* One line.  Returns 1 when it was the answer. */
static int take_line(const char *line, size_t length, client_progress_cb *progress, void *arg,
		     struct client_reply *ret_reply)
{
	json_t *document = json_loadb(line, length, 0, NULL);
	const char *text = json_string_value(json_object_get(document, "progress"));
	int r = 0;

	if (document == NULL)
		return -EPROTO;
	if (text == NULL) {
		take_reply(document, ret_reply);
		r = 1;
	} else if (progress != NULL) {
		progress(arg, text);
	}
	json_decref(document);
	return r;
}

struct incoming {
	char *text;
	size_t length;
	size_t size;
};

static int read_more(int fd, struct incoming *incoming)
{
	ssize_t n;

	if (incoming->size - incoming->length < 4096) {
		size_t size = incoming->size == 0 ? 16384 : incoming->size * 2;
		char *larger = size <= LINE_MAX_BYTES ? realloc(incoming->text, size) : NULL;

		if (larger == NULL)
			return -ENOMEM;
		incoming->text = larger;
		incoming->size = size;
	}
	n = read(fd, incoming->text + incoming->length, incoming->size - incoming->length);
	if (n <= 0)
		return n < 0 && errno == EINTR ? 0 : -EPIPE;
	incoming->length += (size_t)n;
	return 0;
}

static int take_lines(struct incoming *incoming, client_progress_cb *progress, void *arg,
		      struct client_reply *ret_reply)
{
	const char *end;
	int r = 0;

	while (r == 0 && (end = memchr(incoming->text, '\n', incoming->length)) != NULL) {
		size_t used = (size_t)(end - incoming->text) + 1;

		r = take_line(incoming->text, used - 1, progress, arg, ret_reply);
		incoming->length -= used;
		memmove(incoming->text, incoming->text + used, incoming->length);
	}
	return r;
}

static int receive(int fd, int64_t timeout_ms, client_progress_cb *progress, void *arg, struct client_reply *ret_reply)
{
	int64_t deadline_ms = client_now_ms() + timeout_ms;
	struct incoming incoming = { 0 };
	int r = 0;

	while (r == 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		int64_t left_ms = timeout_ms < 0 ? TICK_MS : deadline_ms - client_now_ms();

		if (left_ms <= 0) {
			r = -ETIMEDOUT;
			break;
		}
		if (poll(&poll_fd, 1, (int)(left_ms < TICK_MS ? left_ms : TICK_MS)) > 0)
			r = read_more(fd, &incoming);
		else if (progress != NULL)
			progress(arg, NULL);
		if (r == 0 && incoming.length > 0)
			r = take_lines(&incoming, progress, arg, ret_reply);
	}
	free(incoming.text);
	return r > 0 ? 0 : r;
}

int client_ask(const struct config *config, json_t *request, int64_t timeout_ms, client_progress_cb *progress,
	       void *arg, struct client_reply *ret_reply)
{
	int fd = connect_to(config);
	int r;

	if (fd < 0) {
		json_decref(request);
		return fd;
	}
	r = send_line(fd, request);
	if (r == 0)
		r = receive(fd, timeout_ms, progress, arg, ret_reply);
	close(fd);
	return r;
}

void client_reply_free(struct client_reply *reply)
{
	json_decref(reply->result);
	reply->result = NULL;
}
