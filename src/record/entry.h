/* entry.h: what is recorded: sweeps with a check for each instance, events, incidents. */
#ifndef RECORD_ENTRY_H
#define RECORD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_ID_SIZE 32         /* "web-5f0c1b2d", "i-0123456789abcdef0" */
#define ENTRY_ADDRESS_SIZE 64    /* "127.0.1.1:8090", "[2001:db8::1]:80" */
#define ENTRY_DETAIL_SIZE 256
#define ENTRY_TRIED_MAX 16

/* Why a check ended as it did; reason_name has the contract's word for each. */
enum reason {
	REASON_OK, REASON_REFUSED, REASON_TIMEOUT, REASON_RESET, REASON_UNREACHABLE, REASON_TLS, REASON_CERTIFICATE,
	REASON_PROTOCOL, REASON_STATUS, REASON_BODY, REASON_HEADER, REASON_TOO_LARGE, REASON_DNS, REASON_GONE,
	REASON_SSH_CONNECT, REASON_SSH_HOSTKEY, REASON_SSH_AUTH, REASON_SSH_COMMAND, REASON_SSH_TIMEOUT,
	REASON_SERVICE_DOWN,
	REASON_COUNT
};

/* What was done about it within the sweep. */
enum sweep_action { SWEEP_NONE, SWEEP_RESTARTED, SWEEP_REPLACED, SWEEP_BRAKED, SWEEP_ACTION_COUNT };

/* The verdict on one instance. */
struct check {
	int64_t at_ms;           /* UTC; read back from a record, it is the sweep's */
	int code;                /* HTTP status; 0: no answer */
	enum reason reason;      /* of the HTTP check */
	bool ssh_done;           /* false: there was no SSH check, and ssh_reason means nothing */
	enum reason ssh_reason;
	int64_t latency_us;      /* connect to end of answer; -1: no answer */
};

struct sweep_entry {
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];    /* with port; `ip` in JSON is the address without it */
	struct check check;
	enum sweep_action action;
};

struct sweep {
	int64_t at_ms;           /* UTC, when it began */
	bool open;               /* false: the market was closed, no entries */
	int64_t duration_us;
	size_t count;
	size_t failed;
	struct sweep_entry entries[];
};

/* Something that happened, to an instance or (instance "") to the fleet. */
struct event {
	int64_t at_ms;           /* UTC */
	char event[24];          /* "started", "died", "restarted", "replaced", "drained", "stopped", "deployed", ... */
	char instance[ENTRY_ID_SIZE];
	char detail[ENTRY_DETAIL_SIZE];
};

struct incident {
	char id[ENTRY_ID_SIZE];
	char cause[ENTRY_DETAIL_SIZE];
	int64_t opened_ms;       /* UTC */
	int64_t closed_ms;       /* 0: still open */
	char **instances;
	size_t instance_count;
	char **tried;
	size_t tried_count;
};

const char *reason_name(enum reason reason);          /* "ssh-hostkey" */
int reason_from_name(const char *name, enum reason *ret_reason);
const char *sweep_action_name(enum sweep_action action);
int sweep_action_from_name(const char *name, enum sweep_action *ret_action);

/* Both checks passed. */
bool check_passed(const struct check *check);

/*
 * The original system's words for the first failure: "success",
 * "Failed to SSH", "Failed to get web content".
 */
const char *check_result(const struct check *check);
const char *check_ssh_result(const struct check *check);

/* The reason that goes with check_result: SSH's where SSH failed. */
enum reason check_reason(const struct check *check);

/* With room for `count` entries, zeroed; NULL: no memory.  Free with free(). */
struct sweep *sweep_alloc(size_t count);

/* A copy of everything in it; NULL: no memory. */
struct incident *incident_copy(const struct incident *incident);

/* With its lists and their strings.  NULL and half-built ones are fine. */
void incident_free(struct incident *incident);

/*
 * "127.0.1.1:8090" is ip "127.0.1.1", port 8090; "[2001:db8::1]:80" is
 * "2001:db8::1", 80.  Without a port, *ret_port (may be NULL) is -1.
 * `address_join` is the way back.
 */
void address_split(const char *address, char *ret_ip, size_t size, int *ret_port);
void address_join(const char *ip, int port, char *ret_address, size_t size);

#endif
