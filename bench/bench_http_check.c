/*
 * bench_http_check.c: what a check costs, beside the least that any client
 * could do.
 *
 * 10,000 targets on loopback, each asked over a new connection.  The floor is
 * a bare epoll loop with the same packets (no acknowledgement of its own for
 * the handshake, a reset at the end) that looks for the page's end and
 * nothing else.  Both run in turn in this process; the server is another.
 *
 * usage: bench_http_check [ROUNDS]
 */
#define _GNU_SOURCE
#include "config/config.h"
#include "page_server.h"
#include "watch/http_check.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define TARGETS 10000
#define ROUNDS_MAX 100
#define BATCH 512

static struct check_target targets[TARGETS];
static int floor_fds[TARGETS];

static double cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void floor_start(int epoll, size_t index)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = index };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), off = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
	if (connect(fd, (struct sockaddr *)&targets[index].address, sizeof(struct sockaddr_in)) != 0 &&
	    errno != EINPROGRESS) {
		perror("connect");
		exit(1);
	}
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	floor_fds[index] = -fd; /* negative: not asked yet */
}

/* True when the answer is there. */
static bool floor_step(size_t index)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: 127.1.100.100:10000\r\nUser-Agent: openbell/0.1.0\r\n"
				      "Accept: */*\r\nConnection: close\r\n\r\n";
	struct linger reset = { .l_onoff = 1 };
	char buffer[16384];
	ssize_t got;

	if (floor_fds[index] < 0) {
		floor_fds[index] = -floor_fds[index];
		send(floor_fds[index], request, sizeof request - 1, MSG_NOSIGNAL);
		return false;
	}
	got = recv(floor_fds[index], buffer, sizeof buffer, 0);
	if (got <= 0 || memmem(buffer, (size_t)got, "</h1>\n", 6) == NULL)
		return false;
	setsockopt(floor_fds[index], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(floor_fds[index]);
	return true;
}

static void floor_round(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[BATCH];
	size_t next = 0, flying = 0;

	while (next < TARGETS || flying > 0) {
		int count;

		for (; next < TARGETS && flying < HTTP_CHECK_CONCURRENCY; flying++)
			floor_start(epoll, next++);
		count = epoll_wait(epoll, events, BATCH, 5000);
		if (count <= 0) {
			fprintf(stderr, "the floor stands still\n");
			exit(1);
		}
		for (int i = 0; i < count; i++)
			if (floor_step(events[i].data.u64))
				flying--;
	}
	close(epoll);
}

static void on_round(void *arg, const struct check *checks, size_t count)
{
	size_t *failed = arg;

	for (size_t i = 0; i < count; i++)
		*failed += checks[i].reason != REASON_OK;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof values[0], compare);
	return values[count / 2];
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 15, failed = 0;
	static double bare[ROUNDS_MAX], checks[ROUNDS_MAX];
	struct config config = { .monitor = { .timeout_ms = 5000,
					      .http = { .method = (char *)"GET", .path = (char *)"/" } } };
	struct http_checker *checker;
	struct failure failure;
	uint64_t started, wall = 0;
	uv_loop_t loop;
	uint16_t port;
	pid_t server = page_server_start(&port);

	if (server < 0 || rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	config.monitor.http.status.count = 1;
	config.monitor.http.status.ranges[0].first = config.monitor.http.status.ranges[0].last = 200;
	for (uint32_t i = 0; i < TARGETS; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&targets[i].address;

		*in = (struct sockaddr_in){ .sin_family = AF_INET,
					    .sin_port = htons(port),
					    .sin_addr.s_addr = htonl(0x7f010101 + (i / 250 << 8) + i % 250) };
	}
	uv_loop_init(&loop);
	if (http_checker_new(&loop, &config, &checker, &failure) != 0) {
		fprintf(stderr, "%s\n", failure.message);
		return 1;
	}
	for (size_t i = 0; i < rounds; i++) {
		struct http_round *round;
		double before = cpu_us(), between;

		floor_round();
		between = cpu_us();
		started = uv_hrtime();
		http_round_start(checker, targets, TARGETS, on_round, &failed, &round);
		uv_run(&loop, UV_RUN_DEFAULT);
		wall += uv_hrtime() - started;
		bare[i] = (between - before) / TARGETS;
		checks[i] = (cpu_us() - between) / TARGETS;
	}
	http_checker_free(checker);
	uv_run(&loop, UV_RUN_DEFAULT);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	printf("http check: %zu rounds of %d targets, %zu failed, %.0f checks/s\n", rounds, TARGETS, failed,
	       (double)(rounds * TARGETS) * 1e9 / (double)wall);
	printf("CPU a check, median: floor %.1f us, check %.1f us, ratio %.3f\n", median(bare, rounds),
	       median(checks, rounds), median(checks, rounds) / median(bare, rounds));
	return failed != 0 || uv_loop_close(&loop) != 0;
}
