/* balancer_internal.h: what the files of the balancer share. */
#ifndef FLEET_LOCAL_BALANCER_INTERNAL_H
#define FLEET_LOCAL_BALANCER_INTERNAL_H

#include "fleet/local/balancer.h"
#include "record/entry.h"

enum member_mode {
	MEMBER_HELD,
	MEMBER_READY,
	MEMBER_DRAINING,
	MEMBER_LEAVING,              /* to be deleted; HAProxy refuses while it has connections */
};

struct member {
	struct member *next;
	char id[ENTRY_ID_SIZE];
	char address[ENTRY_ADDRESS_SIZE];
	int weight;
	enum member_mode mode;
	bool down;                   /* HAProxy's verdict while ready */
	bool seen;                   /* in the last look */
	unsigned changed;            /* the look that will be the first to show the last change */
	uint64_t drain_until_ms;
};

struct balancer {
	struct clock *clock;
	const struct config *config;
	const struct programs *programs;
	char *folder;
	const struct balancer_events *events;
	void *arg;
	struct haproxy_socket *socket;
	struct haproxy_process *process;
	struct member *members;
	struct alarm *look_alarm;
	struct alarm *restart_alarm;
	struct alarm *silent_alarm;      /* carries `removed` out of balancer_remove when HAProxy is down */
	unsigned looks;                  /* sent */
	bool looking;
	bool up;
	bool started;
	bool adopting;                   /* the first look at a HAProxy that was taken over decides who is ready */
	bool outdated;                   /* the HAProxy that was taken over runs with other settings */
	bool changing;                   /* another one is taking over */
	bool stopping;
	unsigned unanswered;             /* looks in a row */
	unsigned deaths;                 /* in a row */
	uint64_t up_since_ms;
	void (*stop_cb)(void *arg);
	void *stop_arg;
};

/* --- balancer_file.c */
int balancer_write_file(struct balancer *balancer);

/* The file that is there was written with the settings of now, whoever its members are. */
bool balancer_file_is_current(const struct balancer *balancer);

/* The same; a failure is told and changes nothing else: healing never waits for a disk. */
void balancer_keep_in_file(struct balancer *balancer);

/* --- balancer.c: a HAProxy with the configuration of now in the place of the one that runs. */
void balancer_take_over(struct balancer *balancer);

/* --- balancer_members.c */
struct member *balancer_find(const struct balancer *balancer, const char *id);
void balancer_look(struct balancer *balancer);
void balancer_on_look_alarm(void *balancer);
void balancer_on_silent_alarm(void *balancer);

#endif
