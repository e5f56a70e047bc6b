/* page_server.c: see page_server.h. */
#define _GNU_SOURCE
#include "page_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 256

static const char page[] =
	"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 08:45:00 GMT\r\nServer: Apache/2.4.66 (Debian)\r\n"
	"Last-Modified: Mon, 23 Nov 2026 07:00:00 GMT\r\nETag: \"15-5f0c1b2d3e4f5\"\r\nAccept-Ranges: bytes\r\n"
	"Content-Length: 21\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<h1>Hello World</h1>\n";

static void accept_all(int listener, int epoll)
{
	int peer;

	while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = peer };

		epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &event);
	}
}

static void answer(int peer)
{
	char request[4096];

	if (recv(peer, request, sizeof request, 0) > 0)
		send(peer, page, sizeof page - 1, MSG_NOSIGNAL);
	close(peer);
}

static void serve(int listener)
{
	int epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, events[BATCH];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(epoll, events, BATCH, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(listener, epoll);
			else
				answer(events[i].data.fd);
		}
	}
}

pid_t page_server_start(uint16_t *ret_port)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	pid_t pid;

	if (listener < 0)
		return -errno;
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0 || (pid = fork()) < 0) {
		int error = -errno;

		close(listener);
		return error;
	}
	if (pid == 0) {
		serve(listener);
		_exit(1);
	}
	close(listener);
	*ret_port = ntohs(address.sin_port);
	return pid;
}
