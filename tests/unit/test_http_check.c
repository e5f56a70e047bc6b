/*
 * test_http_check.c: rounds against real servers on loopback.
 *
 * The servers live in one forked child, each on a port of its own: an epoll
 * loop that plays a script to whoever connects.  Every test ends with a loop
 * that closes, which a leaked handle would keep it from.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"
#include "watch/http_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define TIMEOUT_MS 400
#define BATCH 64

/* How a server behaves. */
enum act {
	ACT_PAGE,
	ACT_HANG,
	ACT_DRIP,
	ACT_RESET,
	ACT_CLOSE,
	ACT_CUT,
	ACT_ENDLESS_HEADERS,
	ACT_GARBAGE,
	ACT_HUGE,
	ACT_BAD_CHUNKS,
	ACT_LOOP,
	ACT_AWAY,
	ACT_ECHO,
	ACT_HALF_PAGE,
	ACT_EARLY,
	ACT_COUNT
};

static const char *const scripts[ACT_COUNT] = {
	[ACT_PAGE] = "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: 12\r\n\r\nHello World\n",
	[ACT_CUT] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello",
	[ACT_GARBAGE] = "\x16\x03\x01 what is this\r\n\r\n",
	[ACT_BAD_CHUNKS] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello World\r\n0\r\n\r\n",
	[ACT_LOOP] = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
	[ACT_AWAY] = "HTTP/1.1 301 Moved\r\nLocation: https://www.example.com/\r\nContent-Length: 0\r\n\r\n",
	[ACT_HALF_PAGE] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello",
	[ACT_EARLY] = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
};

struct server {
	enum act act;
	int listener;
	struct sockaddr_storage address;
};

/* A connection of the server's, in its child. */
struct peer {
	int fd;
	enum act act;
	bool answered;
};

struct bench {
	uv_loop_t loop;
	struct config config;
	struct http_checker *checker;
	int calls;
	size_t count;
	struct check checks[2000];
	struct http_round *cancel; /* from within the callback */
};

static struct server servers[ACT_COUNT + 1]; /* the last one: a page, over IPv6 */
static bool have_ipv6;
static pid_t server_pid;

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void peer_close(struct peer *peer, bool reset)
{
	struct linger linger = { .l_onoff = 1 };

	if (reset)
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(peer->fd);
	free(peer);
}

/* As much as the socket takes, again each time it takes more. */
static void peer_flood(struct peer *peer)
{
	static char flood[65536];
	const char *line = peer->act == ACT_HUGE ? "x" : "Name: value\r\n";
	const char *head = peer->act == ACT_HUGE ? "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"
						 : "HTTP/1.1 200 OK\r\n";

	for (size_t i = 0; i < sizeof flood; i++)
		flood[i] = line[i % strlen(line)];
	if (!peer->answered)
		send(peer->fd, head, strlen(head), MSG_NOSIGNAL);
	peer->answered = true;
	while (send(peer->fd, flood, sizeof flood / 13 * 13, MSG_NOSIGNAL) > 0)
		;
	if (errno != EAGAIN)
		peer_close(peer, false);
}

/* A redirect to another path, which then comes back as the page. */
static void peer_echo(struct peer *peer, const char *request)
{
	char text[256], path[64] = "", host[64] = "";

	sscanf(request, "%*s %63s %*s Host: %63s", path, host);
	if (strcmp(path, "/") == 0)
		snprintf(text, sizeof text, "HTTP/1.1 302 F\r\nLocation: http://%s/a/../b?c#d\r\n\r\n", host);
	else
		snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n\r\n%s", path);
	send(peer->fd, text, strlen(text), MSG_NOSIGNAL);
	peer_close(peer, false);
}

static void peer_answer(struct peer *peer)
{
	char request[4096];
	ssize_t got = recv(peer->fd, request, sizeof request - 1, 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		peer_close(peer, false);
		return;
	}
	request[got] = '\0';
	switch (peer->act) {
	case ACT_HANG:
	case ACT_DRIP:
	case ACT_EARLY:
		break;
	case ACT_RESET:
	case ACT_CLOSE:
		peer_close(peer, peer->act == ACT_RESET);
		break;
	case ACT_ECHO:
		peer_echo(peer, request);
		break;
	case ACT_HUGE:
	case ACT_ENDLESS_HEADERS:
		peer_flood(peer);
		break;
	default:
		send(peer->fd, scripts[peer->act], strlen(scripts[peer->act]), MSG_NOSIGNAL);
		if (peer->act != ACT_HALF_PAGE)
			peer_close(peer, false);
	}
}

static void server_accept(struct server *server, int epoll, struct peer **dripping)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct peer *peer = calloc(1, sizeof *peer);
		struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = peer };

		peer->fd = fd;
		peer->act = server->act;
		if (peer->act == ACT_HUGE || peer->act == ACT_ENDLESS_HEADERS)
			event.events |= EPOLLOUT;
		if (peer->act == ACT_DRIP)
			*dripping = peer;
		if (peer->act == ACT_EARLY)
			send(fd, scripts[ACT_EARLY], strlen(scripts[ACT_EARLY]), MSG_NOSIGNAL);
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void serve(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[BATCH];
	struct peer *dripping = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i <= ACT_COUNT; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &servers[i] };

		if (servers[i].listener >= 0)
			epoll_ctl(epoll, EPOLL_CTL_ADD, servers[i].listener, &event);
	}
	for (;;) {
		int count = epoll_wait(epoll, events, BATCH, 20);

		/* One that drips is never silent for long, and never done. */
		if (dripping != NULL &&
		    send(dripping->fd, "HTTP/1.1 200 OK\r\nA", dripping->answered ? 1 : 18, MSG_NOSIGNAL) > 0)
			dripping->answered = true;
		for (int i = 0; i < count; i++) {
			struct server *server = events[i].data.ptr;
			struct peer *peer = events[i].data.ptr;

			if (server >= servers && server <= &servers[ACT_COUNT])
				server_accept(server, epoll, &dripping);
			else if (peer->answered && peer != dripping)
				peer_flood(peer);
			else if (peer != dripping)
				peer_answer(peer);
		}
	}
}

static int server_open(struct server *server, const char *ip, int family)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&server->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&server->address;
	socklen_t size = family == AF_INET ? sizeof *in : sizeof *in6;

	server->address.ss_family = (sa_family_t)family;
	inet_pton(family, ip, family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr);
	server->listener = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listener < 0)
		return -1;
	if (bind(server->listener, (struct sockaddr *)&server->address, size) != 0 ||
	    listen(server->listener, 4096) != 0 ||
	    getsockname(server->listener, (struct sockaddr *)&server->address, &size) != 0) {
		close(server->listener);
		server->listener = -1;
		return -1;
	}
	return 0;
}

static int servers_start(void **state)
{
	for (size_t i = 0; i < ACT_COUNT; i++) {
		servers[i].act = (enum act)i;
		if (server_open(&servers[i], "0.0.0.0", AF_INET) != 0)
			return -1;
	}
	servers[ACT_COUNT].act = ACT_PAGE;
	have_ipv6 = server_open(&servers[ACT_COUNT], "::1", AF_INET6) == 0;
	server_pid = fork();
	if (server_pid == 0)
		serve();
	for (size_t i = 0; i <= ACT_COUNT; i++)
		if (servers[i].listener >= 0)
			close(servers[i].listener);
	return server_pid > 0 ? 0 : -1;
}

static int servers_stop(void **state)
{
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	return 0;
}

static struct check_target target_of(enum act act, unsigned int host)
{
	struct check_target target = { .address = servers[act].address };

	((struct sockaddr_in *)&target.address)->sin_addr.s_addr = htonl(0x7f010001 + host);
	return target;
}

static int bench_start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	uv_loop_init(&bench->loop);
	bench->config.monitor.timeout_ms = TIMEOUT_MS;
	bench->config.monitor.http.method = (char *)"GET";
	bench->config.monitor.http.path = (char *)"/";
	bench->config.monitor.http.status.count = 1;
	bench->config.monitor.http.status.ranges[0].first = 200;
	bench->config.monitor.http.status.ranges[0].last = 200;
	*state = bench;
	return 0;
}

static int bench_stop(void **state)
{
	struct bench *bench = *state;

	http_checker_free(bench->checker);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench);
	return 0;
}

static void make_checker(struct bench *bench)
{
	struct failure failure = { .message = "" };

	if (http_checker_new(&bench->loop, &bench->config, &bench->checker, &failure) != 0)
		fail_msg("%s", failure.message);
}

static void on_round(void *arg, const struct check *checks, size_t count)
{
	struct bench *bench = arg;

	bench->calls++;
	bench->count = count;
	assert_true(count <= sizeof bench->checks / sizeof bench->checks[0]);
	memcpy(bench->checks, checks, count * sizeof checks[0]);
	if (bench->cancel != NULL)
		http_round_cancel(bench->cancel);
	bench->cancel = NULL;
}

static struct http_round *start(struct bench *bench, const struct check_target *targets, size_t count)
{
	struct http_round *round;

	assert_int_equal(http_round_start(bench->checker, targets, count, on_round, bench, &round), 0);
	return round;
}

/* The whole round; returns how long it took. */
static uint64_t check_all(struct bench *bench, const struct check_target *targets, size_t count)
{
	uint64_t before = now_ms();

	bench->calls = 0;
	start(bench, targets, count);
	assert_int_equal(bench->calls, 0);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->calls, 1);
	assert_int_equal(bench->count, count);
	return now_ms() - before;
}

static void expect(struct bench *bench, const struct check_target *target, enum reason reason, int code)
{
	check_all(bench, target, 1);
	if (bench->checks[0].reason != reason || bench->checks[0].code != code)
		fail_msg("%s %d instead of %s %d", reason_name(bench->checks[0].reason), bench->checks[0].code,
			 reason_name(reason), code);
	assert_true(http_check_decided(&bench->checks[0]));
}

static void every_failure_has_its_reason(void **state)
{
	static const struct {
		enum act act;
		enum reason reason;
		int code;
		bool answered;
	} table[] = {
		{ ACT_PAGE, REASON_OK, 200, true },
		{ ACT_HANG, REASON_TIMEOUT, 0, false },
		{ ACT_DRIP, REASON_TIMEOUT, 200, false },
		{ ACT_HALF_PAGE, REASON_TIMEOUT, 200, false },
		{ ACT_RESET, REASON_RESET, 0, false },
		{ ACT_CLOSE, REASON_RESET, 0, false },
		{ ACT_CUT, REASON_PROTOCOL, 200, true },
		{ ACT_ENDLESS_HEADERS, REASON_TOO_LARGE, 200, true },
		{ ACT_GARBAGE, REASON_PROTOCOL, 0, false },
		{ ACT_HUGE, REASON_OK, 200, true },
		{ ACT_BAD_CHUNKS, REASON_PROTOCOL, 200, true },
		{ ACT_LOOP, REASON_STATUS, 302, true },
		{ ACT_AWAY, REASON_STATUS, 301, true },
		{ ACT_EARLY, REASON_STATUS, 503, true },
	};
	struct bench *bench = *state;
	struct timespec now;

	make_checker(bench);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct check_target target = target_of(table[i].act, 0);

		expect(bench, &target, table[i].reason, table[i].code);
		assert_int_equal(bench->checks[0].latency_us >= 0, table[i].answered);
		clock_gettime(CLOCK_REALTIME, &now);
		assert_in_range(now.tv_sec * 1000 - bench->checks[0].at_ms + 5000, 0, 10000);
	}
}

static void nobody_listens(void **state)
{
	struct bench *bench = *state;
	struct check_target target = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&target.address;
	socklen_t size = sizeof target.address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* bound, so that nobody else takes the port, but not listening */
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)in, sizeof *in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&target.address, &size), 0);
	make_checker(bench);
	expect(bench, &target, REASON_REFUSED, 0);
	assert_int_equal(bench->checks[0].latency_us, -1);
	close(fd);

	/* nothing connects to a broadcast address: the kernel says so at once */
	in->sin_addr.s_addr = htonl(INADDR_BROADCAST);
	expect(bench, &target, REASON_UNREACHABLE, 0);
}

static void ipv6(void **state)
{
	struct bench *bench = *state;
	struct check_target target = { .address = servers[ACT_COUNT].address };

	if (!have_ipv6)
		skip();
	make_checker(bench);
	expect(bench, &target, REASON_OK, 200);
}

static void expectations(void **state)
{
	struct bench *bench = *state;
	struct check_target page = target_of(ACT_PAGE, 0);

	bench->config.monitor.http.body = (char *)"^Hello W";
	bench->config.monitor.http.header = (char *)"^Server: t..t$";
	make_checker(bench);
	expect(bench, &page, REASON_OK, 200);
	http_checker_free(bench->checker);
	bench->config.monitor.http.body = (char *)"Goodbye";
	make_checker(bench);
	expect(bench, &page, REASON_BODY, 200);
	http_checker_free(bench->checker);
	bench->config.monitor.http.header = (char *)"^Server: nginx";
	make_checker(bench);
	expect(bench, &page, REASON_HEADER, 200);
}

static void redirects(void **state)
{
	struct bench *bench = *state;
	struct check_target loop = target_of(ACT_LOOP, 0), echo = target_of(ACT_ECHO, 7), away = target_of(ACT_AWAY, 0);

	bench->config.monitor.http.redirects = 3;
	make_checker(bench);
	expect(bench, &loop, REASON_STATUS, 302);
	expect(bench, &away, REASON_STATUS, 301);
	http_checker_free(bench->checker);
	bench->config.monitor.http.body = (char *)"^/b\\?c$";
	make_checker(bench);
	expect(bench, &echo, REASON_OK, 200);
	http_checker_free(bench->checker);

	/* the name that Host says is the target itself */
	bench->config.monitor.http.host = (char *)"www.example.com";
	make_checker(bench);
	expect(bench, &echo, REASON_OK, 200);
}

/* One in a hundred hangs: the round takes a timeout, not ten of them. */
static void a_thousand_targets(void **state)
{
	static struct check_target targets[1000];
	struct bench *bench = *state;
	uint64_t took;

	for (unsigned int i = 0; i < 1000; i++)
		targets[i] = target_of(i % 100 == 42 ? ACT_HANG : i % 10 == 3 ? ACT_RESET : ACT_PAGE, i);
	make_checker(bench);
	took = check_all(bench, targets, 1000);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(bench->checks[i].reason, i % 100 == 42 ? REASON_TIMEOUT
							  : i % 10 == 3 ? REASON_RESET
									: REASON_OK);
	assert_in_range(took, TIMEOUT_MS, TIMEOUT_MS * 2 + 1000);
}

static void nobody_to_ask(void **state)
{
	struct bench *bench = *state;

	make_checker(bench);
	check_all(bench, NULL, 0);
}

static void a_cancelled_round_is_silent(void **state)
{
	struct bench *bench = *state;
	struct check_target targets[100], page = target_of(ACT_PAGE, 0);
	struct http_round *round;

	for (unsigned int i = 0; i < 100; i++)
		targets[i] = target_of(i % 2 ? ACT_HANG : ACT_PAGE, i);
	make_checker(bench);

	/* before it began, and in the middle */
	http_round_cancel(start(bench, targets, 100));
	round = start(bench, targets, 100);
	for (int i = 0; i < 20; i++)
		uv_run(&bench->loop, UV_RUN_NOWAIT);
	http_round_cancel(round);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->calls, 0);

	/* from another round's callback, while that one goes on being reported */
	bench->cancel = start(bench, targets, 100);
	start(bench, &page, 1);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->calls, 1);
	assert_int_equal(bench->checks[0].reason, REASON_OK);
}

/* What a callback may do: start the next round, and after that free the checker. */
static void on_chained_round(void *arg, const struct check *checks, size_t count)
{
	struct bench *bench = arg;
	struct check_target page = target_of(ACT_PAGE, 0);
	struct http_round *round;

	assert_int_equal(checks[0].reason, REASON_OK);
	if (++bench->calls < 3) {
		assert_int_equal(http_round_start(bench->checker, &page, 1, on_chained_round, bench, &round), 0);
		return;
	}
	http_checker_free(bench->checker);
	bench->checker = NULL;
}

static void callbacks_go_on(void **state)
{
	struct bench *bench = *state;
	struct check_target page = target_of(ACT_PAGE, 0);
	struct http_round *round;

	make_checker(bench);
	assert_int_equal(http_round_start(bench->checker, &page, 1, on_chained_round, bench, &round), 0);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->calls, 3);
}

/* A sweep of hung targets does not hold up one that is asked beside it. */
static void rounds_do_not_wait_for_each_other(void **state)
{
	struct bench *bench = *state;
	struct check_target hung[200], page = target_of(ACT_PAGE, 0);
	uint64_t before = now_ms();

	for (unsigned int i = 0; i < 200; i++)
		hung[i] = target_of(ACT_HANG, i);
	make_checker(bench);
	bench->cancel = start(bench, hung, 200);
	uv_run(&bench->loop, UV_RUN_NOWAIT);
	start(bench, &page, 1);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->calls, 1);
	assert_true(now_ms() - before < TIMEOUT_MS);
}

/* Lower the limit until `spare` descriptors are left; returns the old one. */
static struct rlimit leave_descriptors(rlim_t spare)
{
	struct rlimit old, low;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = (rlim_t)next + spare;
	close(next);
	setrlimit(RLIMIT_NOFILE, &low);
	return old;
}

/* With few descriptors the round takes longer, and no target is blamed. */
static void few_descriptors(void **state)
{
	struct bench *bench = *state;
	struct check_target targets[300];
	struct rlimit old;

	for (unsigned int i = 0; i < 300; i++)
		targets[i] = target_of(i == 100 ? ACT_HANG : ACT_PAGE, i);
	make_checker(bench);
	old = leave_descriptors(3);
	check_all(bench, targets, 300);
	setrlimit(RLIMIT_NOFILE, &old);
	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(bench->checks[i].reason, i == 100 ? REASON_TIMEOUT : REASON_OK);
	assert_true(http_check_decided(&bench->checks[100]));
}

/* With none for a whole timeout nobody is judged, and the round ends all the same. */
static void no_descriptors(void **state)
{
	struct bench *bench = *state;
	struct check_target targets[300];
	struct rlimit old;
	uint64_t took;

	for (unsigned int i = 0; i < 300; i++)
		targets[i] = target_of(ACT_PAGE, i);
	make_checker(bench);
	old = leave_descriptors(0);
	took = check_all(bench, targets, 300);
	setrlimit(RLIMIT_NOFILE, &old);
	for (unsigned int i = 0; i < 300; i++)
		assert_false(http_check_decided(&bench->checks[i]));
	assert_in_range(took, TIMEOUT_MS, TIMEOUT_MS * 2);

	/* and it is over when it is over */
	expect(bench, &targets[0], REASON_OK, 200);
}

/* A loop that stood still longer than the timeout finds the answers, and calls nobody dead. */
static void a_loop_that_stood_still(void **state)
{
	struct bench *bench = *state;
	struct check_target targets[2] = { target_of(ACT_PAGE, 0), target_of(ACT_PAGE, 1) };

	make_checker(bench);
	start(bench, targets, 2);
	uv_run(&bench->loop, UV_RUN_NOWAIT);
	poll(NULL, 0, TIMEOUT_MS + 300);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->checks[0].reason, REASON_OK);
	assert_int_equal(bench->checks[1].reason, REASON_OK);
}

static void what_cannot_be_asked(void **state)
{
	struct bench *bench = *state;
	struct failure failure;

	bench->config.monitor.http.https = true;
	assert_int_equal(http_checker_new(&bench->loop, &bench->config, &bench->checker, &failure), -ENOTSUP);
	assert_string_equal(failure.message, "monitor.http.scheme: https checks are not built yet: use http");
	bench->config.monitor.http.https = false;
	bench->config.monitor.http.path = (char *)"/ HTTP/1.1\r\nX: y";
	assert_int_equal(http_checker_new(&bench->loop, &bench->config, &bench->checker, &failure), -EINVAL);
	bench->config.monitor.http.path = (char *)"/";
	bench->config.monitor.http.body = (char *)"(";
	assert_int_equal(http_checker_new(&bench->loop, &bench->config, &bench->checker, &failure), -EINVAL);
	assert_non_null(strstr(failure.message, "monitor.http.body: (: "));
	assert_null(bench->checker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_start, bench_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_failure_has_its_reason),
		TEST(nobody_listens),
		TEST(ipv6),
		TEST(expectations),
		TEST(redirects),
		TEST(a_thousand_targets),
		TEST(nobody_to_ask),
		TEST(a_cancelled_round_is_silent),
		TEST(callbacks_go_on),
		TEST(rounds_do_not_wait_for_each_other),
		TEST(few_descriptors),
		TEST(no_descriptors),
		TEST(a_loop_that_stood_still),
		TEST(what_cannot_be_asked),
	};

	return cmocka_run_group_tests_name("http_check", tests, servers_start, servers_stop);
}
