/*
 * http_flight.h: single checks over raw sockets; what http_check.c makes
 * rounds of.  Nothing here knows the loop: the owner waits on `epoll` and on
 * the first deadline.
 */
#ifndef WATCH_HTTP_FLIGHT_H
#define WATCH_HTTP_FLIGHT_H

#include "watch/http_check.h"
#include "watch/http_request.h"
#include "watch/http_response.h"

#include <sys/queue.h>

#define HTTP_FLIGHT_READ_BYTES 16384

/*
 * A place for one check after another.
 *
 * Free:     not `flying`; its owner's.
 * Waiting:  in `flights`, fd -1: this machine has no descriptor or port for it yet.
 * Asking:   in `flights`, fd open, `asked` false: connecting, or sending.
 * Reading:  in `flights`, fd open, `asked` true.
 */
struct http_flight {
	struct http_flights *all;
	void *owner;
	const struct sockaddr_storage *target;
	struct check *check; /* where the verdict goes */
	bool flying;
	bool asked;
	bool get; /* a redirect made it a GET */
	int fd;
	int hops; /* redirects followed */
	size_t sent;
	uint64_t start_ns, deadline_ns;
	struct http_place *place; /* where the last of `hops` led */
	struct http_response response;
	TAILQ_ENTRY(http_flight) link;
};

TAILQ_HEAD(http_flight_list, http_flight);

/* What all checks of a checker share. */
struct http_flights {
	int epoll;
	uint64_t timeout_ns;
	int redirects;
	bool head; /* the method is HEAD */
	struct http_expect expect;
	struct http_request request;
	void (*landed)(struct http_flight *flight); /* a check ended: `flight` is free again */
	struct http_flight_list list;               /* in the air, soonest deadline first */
	size_t waiting;                             /* of those, for a descriptor or a port */
	bool starved;                               /* the last that was tried found no descriptor */
	char redirected[HTTP_REQUEST_SIZE];
	char buffer[HTTP_FLIGHT_READ_BYTES];
};

uint64_t http_flight_now_ns(void);
int64_t http_flight_utc_ms(void);

/* Start a check.  It may end, and `landed` run, before this returns. */
void http_flight_launch(struct http_flight *flight, const struct sockaddr_storage *target, struct check *check);

/* Take what epoll said of it. */
void http_flight_event(struct http_flight *flight, uint32_t events);

/* Try again what waits, oldest first, until there is no descriptor once more. */
void http_flights_retry(struct http_flights *flights);

/* End it at its deadline. */
void http_flight_expire(struct http_flight *flight);

/* Out of the air without a verdict; then (or never launched, zeroed) its buffers freed. */
void http_flight_cancel(struct http_flight *flight);
void http_flight_clear(struct http_flight *flight);

#endif
