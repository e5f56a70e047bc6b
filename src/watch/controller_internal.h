/* controller_internal.h: what the files of the controller share. */
#ifndef WATCH_CONTROLLER_INTERNAL_H
#define WATCH_CONTROLLER_INTERNAL_H

#include "fleet/driver.h"
#include "watch/controller.h"
#include "watch/checker.h"
#include "watch/ladder.h"

#define PROVE_EVERY_MS 20        /* an instance that listens and does not pass yet */
#define PROVE_DEADLINE_MS 5000
#define DRAIN_TIMEOUT_MS 30000
#define UNWELL_DRAIN_MS 500      /* of an instance that fails its checks */
#define WELL_AFTER_MS 2000       /* in service for this long: no more "dying in a row" */
#define GIVE_UP_AFTER 3          /* failed starts before somebody who waits is told */

/* What an instance is being brought to; its place in service is decided by its state. */
enum care_task {
	CARE_NONE,
	CARE_STARTING,           /* launched or restarted, up to its proof */
	CARE_BACKOFF,            /* the alarm restarts it */
	CARE_REFRESHING,         /* drained, refreshed and proved by a roll */
	CARE_LEAVING,            /* drained, then terminated */
};

/* The controller's notes on an instance, from its arrival until it is gone. */
struct care {
	struct controller *controller;
	struct instance *instance;
	enum care_task task;
	bool fresh;                  /* was never in service */
	bool balancer_down;          /* the balancer's verdict while admitted */
	bool checked;                /* `check` holds something */
	struct check check;
	unsigned failures;           /* in a row */
	unsigned restarts;           /* since it was last well */
	unsigned deaths;             /* in a row */
	char why[ENTRY_DETAIL_SIZE]; /* what went wrong last */
	char replaces[ENTRY_ID_SIZE];    /* the instance that goes when this one is in service */
	bool doomed;                 /* another one replaces it */
	uint64_t task_since_ms;      /* monotonic: since when it is out of service, or was ordered */
	uint64_t in_service_since_ms;
	uint64_t changed_us;         /* monotonic: died, ordered, admitted or judged; a check begun before says nothing */
	struct alarm *alarm;
	struct check_round *proof;
	bool proving;                /* since listening_since_ms, with pauses */
	uint64_t listening_since_ms;
};

/* Somebody who waits for something. */
struct waiter {
	struct waiter *next;
	controller_progress_cb *progress;
	controller_done_cb *done;
	controller_sweep_cb *swept;
	void *arg;
	struct failure failure;          /* what it is told when its wait has ended; no message: all is well */
};

/* Those who are being told; on the stack, of those who do it. */
struct telling {
	struct telling *outer;
	struct waiter *list;
};

/* A rolling deployment. */
struct roll {
	char instance[ENTRY_ID_SIZE];    /* under way; "" none */
	bool publishing;
	bool active;
	bool reverting;
	bool from_config;                /* the configuration's site */
	unsigned done;
	bool short_handed;               /* somebody is missing, since short_since_ms */
	uint64_t short_since_ms;
	char source[ENTRY_DETAIL_SIZE];
	struct failure failure;          /* why it reverts */
	struct waiter waiter;
	uint64_t since_ms;
};

struct controller {
	struct controller_setup setup;
	const struct config *config;
	struct clock *clock;
	struct driver *driver;
	struct checker *checker;
	bool open;
	bool began_empty;
	bool going_down;
	bool is_down;
	struct alarm *reconcile_alarm;
	/* launching */
	unsigned launch_failures;        /* starts of fresh instances that failed, in a row */
	struct alarm *launch_alarm;      /* set: launch no more before it rings */
	/* sweeping */
	struct alarm *sweep_alarm;
	bool swept_first;                    /* not set: the first sweep waits for the fleet to be whole */
	struct check_round *round;
	struct instance **round_instances;   /* NULL where one has gone since */
	size_t round_count;
	uint64_t round_since_us;
	struct sweep *round_sweep;           /* under way, its verdicts not yet in */
	struct sweep *last_sweep;
	/* the way through the balancer */
	struct check_round *front;
	struct alarm *front_alarm;
	uint64_t front_since_ms;
	struct waiter *settle_waiters;
	struct waiter *sweep_waiters;
	struct waiter *down_waiters;
	struct waiter *ended_waiters;        /* to be told from the loop, not from where it was decided */
	struct telling *telling;
	struct roll roll;
	struct alarm *roll_alarm;            /* the roll waited long enough for those who are missing */
	bool site_wanted;                    /* the configuration came again: publish its site if that changed */
};

/* --- controller.c */
struct care *care_of(const struct instance *instance);
struct instance *controller_find(const struct controller *controller, const char *id);
unsigned controller_desired(const struct controller *controller);
unsigned controller_in_service(const struct controller *controller);

/* Those who ordered it down once more, when it is. */
void controller_tell_down(struct controller *controller);

/* --- waiters.c */

/* A new one at the list's end. */
struct waiter *waiter_add(struct waiter **list, void *arg);

/* The wait of somebody, or of a whole list, has ended, so (NULL: well); told from the loop. */
void waiter_end(struct controller *controller, const struct waiter *waiter, const struct failure *failure);
void waiters_end(struct controller *controller, struct waiter **list, const struct failure *failure);

/* Each once, with its own failure where it has one; whoever they add meanwhile is not told. */
void waiters_tell(struct controller *controller, struct waiter **list, const struct failure *failure,
		  const struct sweep *sweep);
void waiters_free(struct waiter *waiter);

/* --- reconcile.c */
struct care *care_take(struct controller *controller, struct instance *instance);
void care_drop(struct instance *instance);
void care_changed(struct care *care);        /* see changed_us */
void care_unwell(struct care *care);         /* it should be in service, and is not as it should be */
bool care_counts(const struct instance *instance);   /* it is one of those wanted */
struct instance *care_replaced(const struct care *care);     /* who goes for it, as long as that stands; or NULL */
void reconcile_on_alarm(void *controller);
void reconcile_on_launch_alarm(void *controller);

/* Look at the whole again, from the loop, soon; cheap to call. */
void controller_reconcile_soon(struct controller *controller);

/* Record and log something that happened.  `instance` NULL: to the fleet. */
void controller_event(struct controller *controller, const char *event, const struct instance *instance, bool bad,
		      const char *format, ...) __attribute__((format(printf, 5, 6)));
void controller_progress(struct controller *controller, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * One more instance, in our care.  NULL: it failed, was told, and the next
 * launch waits for launch_alarm.
 */
struct instance *controller_launch(struct controller *controller, struct failure *ret_failure);

/* A fresh one did not come into service: tried again where it stands, and whoever waits is told. */
void controller_start_failed(struct controller *controller, struct instance *instance, const struct failure *failure);

/* A fresh one that was to replace another can't be brought up: the other stays. */
void controller_replacement_failed(struct controller *controller, struct instance *instance,
				   const struct failure *failure);

/* Out of the fleet: drained when it serves, then terminated. */
void controller_leave(struct controller *controller, struct instance *instance);

/* --- happenings.c */
extern const struct driver_events controller_driver_events;

/* --- heal.c: what the ladder says, carried out. */

/* Something is wrong with the instance; returns what was done about it. */
enum sweep_action heal(struct controller *controller, struct instance *instance, enum ladder_kind kind,
		       const char *why);
void heal_start(struct controller *controller, struct instance *instance);   /* restart, at once or after its back-off */
void heal_after_backoff(struct controller *controller, struct instance *instance);

/* --- prove.c: nothing gets requests before it answered one. */
void prove_start(struct controller *controller, struct instance *instance);
void prove_stop(struct care *care);
void prove_cancel(struct controller *controller, struct check_round **round);    /* NULL afterwards, and before is fine */
void prove_on_front_alarm(void *controller);
void prove_admit(struct controller *controller, struct instance *instance);

/* The page through the balancer; settles those who wait. */
void prove_front(struct controller *controller);
void prove_give_up(struct controller *controller, const struct failure *failure);

/* --- sweeps.c */
void sweeps_on_alarm(void *controller);
void sweeps_schedule(struct controller *controller, uint64_t delay_ms);
void sweeps_instance_gone(struct controller *controller, const struct instance *instance);
void sweeps_stop(struct controller *controller);

/* --- roll.c */
void roll_begin(struct controller *controller, const char *folder, const struct waiter *waiter);
void roll_step(struct controller *controller);
void roll_on_alarm(void *controller);
bool roll_is_turn_of(const struct controller *controller, const struct instance *instance);

/* Who runs already is not of one mind: a deployment was cut short; bring it to its end. */
void roll_resume(struct controller *controller);

/* Its turn is over: proved and in service again (failure NULL), or not. */
void roll_instance_done(struct controller *controller, struct instance *instance, const struct failure *failure);

/* The one that was launched to replace one that can't be spared could not be brought up. */
void roll_replacement_failed(struct controller *controller, struct instance *instance, const struct failure *failure);
void roll_drained(struct controller *controller, struct instance *instance);
void roll_refreshed(struct controller *controller, struct instance *instance, const struct failure *failure);

#endif
