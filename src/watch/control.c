/* control.c: see control.h. */
#define _GNU_SOURCE
#include "watch/control.h"

#include "base/wire.h"
#include "fleet/paths.h"
#include "record/entry_json.h"
#include "watch/controller.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

/*
 * Reading:  the request is not complete.
 * Waiting:  ordered, the answer is owed (`answered` false).
 * Answered: the last write closes.
 * Closing:  the close callback frees.
 */
struct control_client {
	struct control *control;
	struct control_client *next;
	uv_pipe_t pipe;
	char *request;
	size_t length;
	bool ordered;
	bool answered;
	bool wants_down;
};

struct control {
	struct uv_loop_s *loop;
	struct controller *controller;
	struct control_hooks hooks;
	uv_pipe_t listener;
	char *folder;
	struct control_client *clients;
	unsigned client_count;
	bool listening;
	bool freed;
};

struct message {
	uv_write_t write;
	struct control_client *client;
	char *text;
	bool last;
};

static void free_if_over(struct control *control)
{
	if (!control->freed || control->listening || control->clients != NULL)
		return;
	free(control->folder);
	free(control);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;
	struct control *control = client->control;
	struct control_client **link = &control->clients;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	control->client_count--;
	free(client->request);
	free(client);
	free_if_over(control);
}

static void close_client(struct control_client *client)
{
	if (uv_is_closing((uv_handle_t *)&client->pipe))
		return;
	if (!client->control->freed)
		controller_forget(client->control->controller, client);
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_message_sent(uv_write_t *write, int status)
{
	struct message *message = write->data;

	if (message->last || status < 0)
		close_client(message->client);
	free(message->text);
	free(message);
}

/* Takes over the document. */
static void send_document(struct control_client *client, json_t *document, bool last)
{
	struct message *message = calloc(1, sizeof *message);
	size_t length;
	uv_buf_t buffer;

	if (message == NULL || document == NULL)
		abort();
	message->text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (message->text == NULL)
		abort();
	length = strlen(message->text);
	message->text[length] = '\n';
	message->client = client;
	message->last = last;
	message->write.data = message;
	buffer = uv_buf_init(message->text, (unsigned)length + 1);
	if (uv_is_closing((uv_handle_t *)&client->pipe) ||
	    uv_write(&message->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_message_sent) < 0) {
		free(message->text);
		free(message);
		close_client(client);
	}
}

/* --- Answers. */

static void answer(struct control_client *client, int exit_status, const char *error, json_t *result)
{
	if (client->answered) {
		json_decref(result);
		return;
	}
	client->answered = true;
	send_document(client,
		      json_pack("{s:i, s:o, s:o}", "exit", exit_status, "error", error != NULL ? entry_text_json(error) : json_null(),
				"result", result != NULL ? result : json_null()),
		      true);
}

static void on_progress(void *arg, const char *text)
{
	struct control_client *client = arg;

	if (!client->answered)
		send_document(client, json_pack("{s:o}", "progress", entry_text_json(text)), false);
}

static void on_done(void *arg, const struct failure *failure)
{
	struct control_client *client = arg;

	answer(client, failure != NULL, failure != NULL ? failure->message : NULL,
	       failure == NULL ? controller_status(client->control->controller) : NULL);
}

static void on_swept(void *arg, const struct sweep *sweep)
{
	if (sweep == NULL)
		answer(arg, 1, "the fleet is being taken down", NULL);
	else
		answer(arg, 0, NULL, json_pack("{s:o, s:o}", "sweep", entry_sweep_json(sweep), "status",
					       controller_status(((struct control_client *)arg)->control->controller)));
}

/* --- Requests. */

static char *take_path(const json_t *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text != NULL ? wire_decode(text) : NULL;
}

static void order_up(struct control_client *client, const json_t *request)
{
	struct control *control = client->control;
	bool reload = !json_is_false(json_object_get(request, "reload"));
	char *file = take_path(request, "config");
	struct failure failure;

	if (controller_is_going_down(control->controller))
		answer(client, CONTROL_GOING_DOWN, "the fleet is being taken down", NULL);
	else if (reload && control->hooks.reload(control->hooks.arg, file, &failure) < 0)
		answer(client, 2, failure.message, NULL);
	else {
		/* A controller that was just started by this `up` has read the configuration, but may have adopted a fleet. */
		if (!reload)
			controller_publish_site(control->controller);
		controller_wait(control->controller, on_progress, on_done, client);
	}
	free(file);
}

static void order_deploy(struct control_client *client, const json_t *request)
{
	char *folder = take_path(request, "folder");

	if (folder == NULL || folder[0] != '/')
		answer(client, 2, "a deployment needs an absolute path", NULL);
	else
		controller_deploy(client->control->controller, folder, on_progress, on_done, client);
	free(folder);
}

static void order(struct control_client *client, const json_t *request)
{
	struct control *control = client->control;
	const char *verb = json_string_value(json_object_get(request, "verb"));

	client->ordered = true;
	if (verb == NULL)
		answer(client, 2, "a request without a verb", NULL);
	else if (strcmp(verb, "ping") == 0)
		answer(client, 0, NULL, json_pack("{s:i}", "pid", (int)getpid()));
	else if (strcmp(verb, "status") == 0)
		answer(client, 0, NULL, controller_status(control->controller));
	else if (strcmp(verb, "sweep") == 0)
		controller_sweep(control->controller, on_swept, client);
	else if (strcmp(verb, "up") == 0)
		order_up(client, request);
	else if (strcmp(verb, "deploy") == 0)
		order_deploy(client, request);
	else if (strcmp(verb, "down") == 0) {
		client->wants_down = true;
		control->hooks.down(control->hooks.arg);
	} else
		answer(client, 2, "the controller does not know this verb: it is of another version; restart it", NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct control_client *client = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(client->request + client->length,
			      (unsigned)(CONTROL_REQUEST_MAX_BYTES - client->length));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct control_client *client = stream->data;
	const char *end;
	json_t *request;

	(void)buffer;
	if (n < 0) {
		close_client(client);
		return;
	}
	/* What follows the request is not read: only the client's end is of interest then. */
	if (client->ordered)
		return;
	client->length += (size_t)n;
	end = memchr(client->request, '\n', client->length);
	if (end == NULL && client->length == CONTROL_REQUEST_MAX_BYTES)
		answer(client, 2, "a request that is too long", NULL);
	if (end == NULL)
		return;
	request = json_loadb(client->request, (size_t)(end - client->request), 0, NULL);
	client->length = 0;
	if (request == NULL)
		answer(client, 2, "a request that is not JSON", NULL);
	else
		order(client, request);
	json_decref(request);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;
	struct control_client *client;

	if (status < 0)
		return;
	client = calloc(1, sizeof *client);
	if (client != NULL)
		client->request = malloc(CONTROL_REQUEST_MAX_BYTES);
	if (client == NULL || client->request == NULL)
		abort();
	client->control = control;
	uv_pipe_init(control->loop, &client->pipe, 0);
	client->pipe.data = client;
	client->next = control->clients;
	control->clients = client;
	control->client_count++;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) < 0 || control->client_count > CONTROL_CLIENTS_MAX) {
		uv_close((uv_handle_t *)&client->pipe, on_client_closed);
		return;
	}
	uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
}

/* --- Listening. */

/* Through a descriptor of the folder, whose path may be longer than a socket's address. */
static int bind_in(const char *folder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t mask;
	int r = 0;

	if (fd < 0 || directory < 0) {
		r = -errno;
	} else {
		unlinkat(directory, FLEET_CONTROL, 0);
		snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" FLEET_CONTROL, directory);
		mask = umask(0177);
		if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
			r = -errno;
		umask(mask);
	}
	if (directory >= 0)
		close(directory);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct control *control = handle->data;

	control->listening = false;
	free_if_over(control);
}

int control_new(struct uv_loop_s *loop, const char *folder, struct controller *controller,
		const struct control_hooks *hooks, struct control **ret_control, struct failure *ret_failure)
{
	struct control *control = calloc(1, sizeof *control);
	int fd = bind_in(folder);
	int r;

	if (control != NULL)
		control->folder = strdup(folder);
	if (control == NULL || control->folder == NULL || fd < 0) {
		r = fd < 0 ? fd : -ENOMEM;
		if (fd >= 0)
			close(fd);
		if (control != NULL)
			free(control->folder);
		free(control);
		return failure_set(ret_failure, -r, "%s/" FLEET_CONTROL " can't be made: %s", folder, strerror(-r));
	}
	control->loop = loop;
	control->controller = controller;
	control->hooks = *hooks;
	control->listening = true;
	uv_pipe_init(loop, &control->listener, 0);
	control->listener.data = control;
	r = uv_pipe_open(&control->listener, fd);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&control->listener, 16, on_connection);
	if (r < 0) {
		control_free(control);
		return failure_set(ret_failure, -r, "%s/" FLEET_CONTROL " can't be listened on: %s", folder, strerror(-r));
	}
	*ret_control = control;
	return 0;
}

void control_down_done(struct control *control, const struct failure *failure)
{
	struct control_client *client;
	struct control_client *next;

	for (client = control->clients; client != NULL; client = next) {
		next = client->next;
		if (client->wants_down)
			answer(client, failure != NULL, failure != NULL ? failure->message : NULL, NULL);
	}
}

void control_free(struct control *control)
{
	struct control_client *client;
	struct control_client *next;
	char path[4096];

	if (control == NULL)
		return;
	snprintf(path, sizeof path, "%s/" FLEET_CONTROL, control->folder);
	unlink(path);
	for (client = control->clients; client != NULL; client = next) {
		next = client->next;
		if (!client->answered)
			close_client(client);
	}
	control->freed = true;
	uv_close((uv_handle_t *)&control->listener, on_listener_closed);
}
