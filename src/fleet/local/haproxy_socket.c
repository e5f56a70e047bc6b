/* haproxy_socket.c: see haproxy_socket.h. */
#define _GNU_SOURCE
#include "fleet/local/haproxy_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

struct command {
	struct command *next;
	haproxy_reply_cb *cb;
	void *arg;
	size_t length;
	char text[];
};

/*
 * Idle:    queue empty, `connected` false.
 * Busy:    the queue's head is being asked over `pipe`.
 * Between: `pipe` is closing; the next begins in its close callback.
 * Freed:   `freed` set; the last close callback frees.
 */
struct haproxy_socket {
	uv_loop_t *loop;
	char *folder;
	char name[32];
	struct command *head;
	struct command **tail;
	bool busy;
	bool freed;
	unsigned closing;
	uv_pipe_t pipe;
	uv_timer_t deadline;
	uv_connect_t connect;
	uv_write_t write;
	char *reply;
	size_t length;
	size_t size;
};

static void begin(struct haproxy_socket *socket);

static void free_all(struct haproxy_socket *socket)
{
	while (socket->head != NULL) {
		struct command *command = socket->head;

		socket->head = command->next;
		free(command);
	}
	free(socket->reply);
	free(socket->folder);
	free(socket);
}

static void on_pipe_closed(uv_handle_t *handle)
{
	struct haproxy_socket *socket = handle->data;

	socket->closing--;
	if (socket->freed && socket->closing == 0)
		free_all(socket);
	else if (!socket->freed)
		begin(socket);
}

/* The end of the command at the head. */
static void finish(struct haproxy_socket *socket, int status)
{
	struct command *command = socket->head;

	socket->head = command->next;
	if (socket->head == NULL)
		socket->tail = &socket->head;
	uv_timer_stop(&socket->deadline);
	socket->closing++;
	uv_close((uv_handle_t *)&socket->pipe, on_pipe_closed);
	if (command->cb != NULL)
		command->cb(command->arg, status, status < 0 ? NULL : socket->reply != NULL ? socket->reply : "");
	free(command);
}

static void on_deadline(uv_timer_t *timer)
{
	finish(timer->data, -ETIMEDOUT);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct haproxy_socket *socket = handle->data;

	(void)suggested;
	buffer->base = NULL;
	buffer->len = 0;
	if (socket->size - socket->length < 2) {
		size_t size = socket->size == 0 ? 8192 : socket->size * 2;
		char *larger = size <= HAPROXY_REPLY_MAX_BYTES ? realloc(socket->reply, size) : NULL;

		if (larger == NULL)
			return;
		socket->reply = larger;
		socket->size = size;
	}
	buffer->base = socket->reply + socket->length;
	buffer->len = socket->size - socket->length - 1;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct haproxy_socket *socket = stream->data;

	(void)buffer;
	if (n > 0) {
		socket->length += (size_t)n;
		socket->reply[socket->length] = '\0';
	} else if (n == UV_EOF) {
		finish(socket, 0);
	} else if (n < 0) {
		finish(socket, (int)n);
	}
}

static void on_written(uv_write_t *request, int status)
{
	/* A failed write is followed by the end of the reading, or was caused by our own close. */
	(void)request;
	(void)status;
}

static void on_connected(uv_connect_t *request, int status)
{
	struct haproxy_socket *socket = request->handle->data;
	uv_buf_t buffer;

	if (status == UV_ECANCELED)
		return;
	if (status < 0) {
		finish(socket, status);
		return;
	}
	buffer = uv_buf_init(socket->head->text, (unsigned)socket->head->length);
	uv_read_start((uv_stream_t *)&socket->pipe, on_alloc, on_read);
	if (uv_write(&socket->write, (uv_stream_t *)&socket->pipe, &buffer, 1, on_written) < 0)
		finish(socket, -EPIPE);
}

/*
 * The folder's path may be longer than a socket's address can hold (108
 * bytes): go through a descriptor of the folder.
 */
static void begin(struct haproxy_socket *socket)
{
	char path[96];
	int folder;

	socket->busy = socket->head != NULL;
	if (!socket->busy)
		return;
	socket->length = 0;
	if (socket->reply != NULL)
		socket->reply[0] = '\0';
	uv_pipe_init(socket->loop, &socket->pipe, 0);
	socket->pipe.data = socket;
	uv_timer_start(&socket->deadline, on_deadline, HAPROXY_REPLY_TIMEOUT_MS, 0);
	folder = open(socket->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", folder, socket->name);
	/* Fails from the loop when the folder is gone: the path then leads nowhere. */
	uv_pipe_connect(&socket->connect, &socket->pipe, path, on_connected);
	if (folder >= 0)
		close(folder);
}

void haproxy_socket_send(struct haproxy_socket *socket, const char *commands, haproxy_reply_cb *cb, void *arg)
{
	size_t length = strlen(commands);
	struct command *command = malloc(sizeof *command + length + 2);

	if (command == NULL)
		abort();
	command->next = NULL;
	command->cb = cb;
	command->arg = arg;
	command->length = length + 1;
	memcpy(command->text, commands, length);
	memcpy(command->text + length, "\n", 2);
	*socket->tail = command;
	socket->tail = &command->next;
	if (!socket->busy && socket->closing == 0)
		begin(socket);
}

struct haproxy_socket *haproxy_socket_new(uv_loop_t *loop, const char *folder, const char *name)
{
	struct haproxy_socket *socket = calloc(1, sizeof *socket);

	if (socket == NULL)
		return NULL;
	socket->folder = strdup(folder);
	if (socket->folder == NULL) {
		free(socket);
		return NULL;
	}
	socket->loop = loop;
	snprintf(socket->name, sizeof socket->name, "%s", name);
	socket->tail = &socket->head;
	uv_timer_init(loop, &socket->deadline);
	socket->deadline.data = socket;
	return socket;
}

void haproxy_socket_free(struct haproxy_socket *socket)
{
	if (socket == NULL)
		return;
	socket->freed = true;
	uv_timer_stop(&socket->deadline);
	socket->closing++;
	uv_close((uv_handle_t *)&socket->deadline, on_pipe_closed);
	if (socket->busy && !uv_is_closing((uv_handle_t *)&socket->pipe)) {
		socket->closing++;
		uv_close((uv_handle_t *)&socket->pipe, on_pipe_closed);
	}
}
