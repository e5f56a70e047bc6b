/*
 * fake_driver.h: a fleet without processes, on a manual clock.
 *
 * It does what the port in fleet/driver.h promises, ends each order after a
 * time that the test chooses, and watches the orders it gets: the first one
 * that breaks the port's rules stands in `wrong`.
 */
#ifndef TESTS_FAKE_DRIVER_H
#define TESTS_FAKE_DRIVER_H

#include "fleet/driver.h"

struct alarm;
struct clock;

/*
 * Off:      no process.
 * Clearing: about to be started.
 * Starting: there is a process that does not listen yet.
 * Running:  it listens.
 * Stopping: told to end, gone afterwards.
 */
enum fake_phase { FAKE_OFF, FAKE_CLEARING, FAKE_STARTING, FAKE_RUNNING, FAKE_STOPPING };

struct fake_instance {
	struct instance base;
	struct fake_driver *driver;
	enum fake_phase phase;
	uint64_t died_ms;            /* monotonic */
	unsigned release;
	unsigned starts;
	bool admitted;
	bool draining;
	bool refreshing;
	bool down;          /* for the balancer */
	bool answered;      /* to a check, since its last start or refresh */
	bool proved;        /* likewise, and well */
	enum reason answer; /* to a check while it runs */
	struct alarm *phase_alarm;
	struct alarm *order_alarm; /* ends a drain or a refresh */
	struct alarm *death_alarm; /* see live_ms */
};

struct fake_driver {
	struct driver base;
	struct clock *clock;
	/* How orders end, from now on. */
	uint64_t listen_ms, drain_ms, refresh_ms, stop_ms, publish_ms, grace_ms;
	uint64_t live_ms;  /* starts to come die so long after they listened; 0: they live */
	bool die_at_start; /* starts die instead of listening */
	bool launch_fails, publish_fails, refresh_fails, revert_fails, reconfigure_fails, open_fails;
	unsigned bad_release;     /* answers 500; 0: none does */
	unsigned deadly_release;  /* its starts die; 0: none does */
	enum reason start_answer; /* of instances to come */
	bool site_has_changed;
	int connected;
	bool balancer_looks; /* every second, and judges what it sends requests to */
	/* What there is. */
	unsigned release, previous_release, releases;
	bool shutting_down, closed;
	driver_done_cb *publish_cb, *down_cb;
	void *publish_arg, *down_arg;
	struct alarm *open_alarm, *publish_alarm, *grace_alarm, *down_alarm, *look_alarm;
	/* What was ordered. */
	unsigned launches, starts, admits, drains, refreshes, terminates, reverts;
	char wrong[256];
};

/* Owned by the test, which frees it after the controller closed it. */
void fake_driver_init(struct fake_driver *fake, struct clock *clock);
void fake_driver_free(struct fake_driver *fake);

/* A controller_driver_cb; `fake` is its argument. */
int fake_driver_open(void *fake, const struct driver_events *events, void *events_arg, struct driver **ret_driver,
		     struct failure *ret_failure);

/* One that was there before the controller came. */
struct fake_instance *fake_driver_add(struct fake_driver *fake, bool runs, bool admitted);

/* The n-th that there is, oldest first; NULL: there are fewer. */
struct fake_instance *fake_driver_at(const struct fake_driver *fake, unsigned n);
struct fake_instance *fake_driver_by_address(const struct fake_driver *fake, const struct sockaddr_storage *address);

/* Its process ends; nothing happens where there is none. */
void fake_instance_kill(struct fake_instance *instance);

/* The balancer's check changes its mind about it. */
void fake_instance_judge(struct fake_instance *instance, bool up, const char *why);

/* Everybody answers so from now on, whoever is to come included. */
void fake_driver_answer(struct fake_driver *fake, enum reason answer);

unsigned fake_driver_count(const struct fake_driver *fake, enum instance_state state);
unsigned fake_driver_admitted(const struct fake_driver *fake);
unsigned fake_driver_draining(const struct fake_driver *fake);

/* Parts of the driver: in its list, out of it, a process begun, a process told to end. */
struct fake_instance *fake_instance_new(struct fake_driver *fake);
void fake_instance_free(struct fake_instance *instance);
void fake_instance_start(struct fake_instance *instance);
void fake_instance_stop(struct fake_instance *instance);

/* What it would answer to a check now. */
enum reason fake_instance_answer(const struct fake_instance *instance);

void fake_driver_wrong(struct fake_driver *fake, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
