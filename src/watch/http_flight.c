/* http_flight.c: see http_flight.h. */
#define _GNU_SOURCE
#include "watch/http_flight.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

uint64_t http_flight_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t http_flight_utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Of this machine's own: says nothing about the target. */
static bool is_want(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS || error == ENOSPC ||
	       error == EAGAIN;
}

static enum reason reason_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return REASON_RESET;
	case ETIMEDOUT:
		return REASON_TIMEOUT;
	default:
		return REASON_UNREACHABLE;
	}
}

static void hang_up(struct http_flight *flight)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (flight->fd < 0)
		return;
	/* What was asked is answered, or given up: a reset costs one packet and leaves no state behind. */
	if (flight->asked)
		setsockopt(flight->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(flight->fd);
	flight->fd = -1;
}

static void leave(struct http_flight *flight)
{
	if (flight->fd < 0)
		flight->all->waiting--;
	hang_up(flight);
	TAILQ_REMOVE(&flight->all->list, flight, link);
	flight->flying = false;
}

/* The one way in which a check ends. */
static void land(struct http_flight *flight, enum reason reason, bool decided)
{
	struct check *check = flight->check;

	check->reason = reason;
	check->code = flight->response.code;
	check->latency_us = -1;
	if (!decided)
		check->latency_us = HTTP_CHECK_UNDECIDED_US;
	else if (flight->response.part == HTTP_PART_DONE && check->code != 0)
		check->latency_us = (int64_t)((http_flight_now_ns() - flight->start_ns) / 1000);
	leave(flight);
	flight->all->landed(flight);
}

static void fail(struct http_flight *flight, int error)
{
	land(flight, is_want(error) ? REASON_TIMEOUT : reason_of(error), !is_want(error));
}

static void ask(struct http_flight *flight)
{
	struct http_flights *all = flight->all;
	const char *text = all->request.text;
	size_t length;
	ssize_t sent;

	if (flight->hops > 0) {
		length = http_request_redirected(&all->request, flight->place, flight->get, all->redirected);
		text = all->redirected;
	} else {
		http_request_address(&all->request, flight->target);
		length = all->request.length;
	}
	sent = send(flight->fd, text + flight->sent, length - flight->sent, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN) {
		fail(flight, errno);
	} else if (sent > 0) {
		flight->sent += (size_t)sent;
		flight->asked = flight->sent == length;
	}
}

/*
 * Connect, and register.  Where this machine lacks something, the flight waits
 * (as it was before, or from now on); every other failure is a verdict.
 */
static void take_off(struct http_flight *flight)
{
	struct http_flights *all = flight->all;
	const struct sockaddr_storage *address = flight->hops > 0 ? &flight->place->address : flight->target;
	bool six = address->ss_family == AF_INET6;
	socklen_t length = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = flight };
	int off = 0;

	flight->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (flight->fd < 0) {
		all->waiting++;
		if (is_want(errno))
			all->starved = true;
		else
			fail(flight, errno);
		return;
	}
	/* The request carries the handshake's last acknowledgement: a packet less. */
	setsockopt(flight->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
	if (connect(flight->fd, (const struct sockaddr *)address, length) == 0 || errno == EINPROGRESS)
		if (epoll_ctl(all->epoll, EPOLL_CTL_ADD, flight->fd, &event) == 0)
			return;
	/* IPv4 says so when there is no port left, IPv6 also when this machine has no address. */
	if (is_want(errno) || (errno == EADDRNOTAVAIL && !six)) {
		hang_up(flight);
		all->waiting++;
		return;
	}
	fail(flight, errno);
}

/* Start over at where the answer leads.  0, or a negative errno: -EINVAL when it can't be followed. */
static int follow(struct http_flight *flight)
{
	struct http_flights *all = flight->all;
	const struct http_head *head = &flight->response.head;
	int code = head->code;
	struct http_place from;
	int error;

	if (flight->hops > 0)
		from = *flight->place;
	else
		http_request_place(&all->request, flight->target, &from);
	if (flight->place == NULL)
		flight->place = malloc(sizeof *flight->place);
	if (flight->place == NULL)
		return -ENOMEM;
	error = http_location_resolve(&from, head->location, head->location_length, flight->place);
	if (error != 0)
		return error;
	/* RFC 9110, 15.4: what all clients do with a POST. */
	if (!all->head && (code == 303 || ((code == 301 || code == 302) && strcmp(all->request.method, "POST") == 0)))
		flight->get = true;
	hang_up(flight);
	flight->hops++;
	flight->asked = false;
	flight->sent = 0;
	http_response_start(&flight->response, &all->expect, all->head, flight->hops < all->redirects);
	take_off(flight);
	return 0;
}

/* What the response parser said; true when the flight has more to read. */
static bool go_on(struct http_flight *flight, int progress)
{
	if (progress == HTTP_MORE)
		return true;
	if (progress == HTTP_REDIRECTED) {
		progress = follow(flight);
		if (progress == 0)
			return false;
		if (progress == -EINVAL)
			progress = http_response_judge_redirect(&flight->response);
	}
	if (progress < 0)
		fail(flight, -progress);
	else
		land(flight, flight->response.reason, true);
	return false;
}

/* Bounded by what http_response reads of an answer. */
static void listen_to(struct http_flight *flight, uint32_t events)
{
	struct http_flights *all = flight->all;
	ssize_t got;

	do {
		got = recv(flight->fd, all->buffer, sizeof all->buffer, 0);
		if (got < 0 && errno == EAGAIN)
			return;
		if (got < 0) {
			fail(flight, errno);
			return;
		}
		if (!go_on(flight, got > 0 ? http_response_feed(&flight->response, all->buffer, (size_t)got)
					   : http_response_end(&flight->response)))
			return;
		/* A short read emptied the socket, unless an end or an error stands behind it. */
	} while (got == sizeof all->buffer || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)));
}

void http_flight_event(struct http_flight *flight, uint32_t events)
{
	if (!flight->asked && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		ask(flight);
	if (flight->asked && (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)))
		listen_to(flight, events);
}

void http_flight_launch(struct http_flight *flight, const struct sockaddr_storage *target, struct check *check)
{
	struct http_flights *all = flight->all;

	flight->target = target;
	flight->check = check;
	flight->flying = true;
	flight->asked = flight->get = false;
	flight->hops = 0;
	flight->sent = 0;
	http_response_start(&flight->response, &all->expect, all->head, all->redirects > 0);
	check->at_ms = http_flight_utc_ms();
	flight->start_ns = http_flight_now_ns();
	flight->deadline_ns = flight->start_ns + all->timeout_ns;
	TAILQ_INSERT_TAIL(&all->list, flight, link);
	take_off(flight);
}

void http_flights_retry(struct http_flights *flights)
{
	struct http_flight *flight, *next;

	flights->starved = false;
	if (flights->waiting == 0)
		return;
	for (flight = TAILQ_FIRST(&flights->list); flight != NULL && !flights->starved; flight = next) {
		next = TAILQ_NEXT(flight, link);
		if (flight->fd < 0) {
			flights->waiting--;
			take_off(flight);
		}
	}
}

void http_flight_expire(struct http_flight *flight)
{
	land(flight, REASON_TIMEOUT, flight->fd >= 0);
}

void http_flight_cancel(struct http_flight *flight)
{
	if (flight->flying)
		leave(flight);
}

void http_flight_clear(struct http_flight *flight)
{
	http_response_clear(&flight->response);
	free(flight->place);
}
