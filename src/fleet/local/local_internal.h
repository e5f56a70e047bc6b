/* local_internal.h: what the files of the local driver share. */
#ifndef FLEET_LOCAL_LOCAL_INTERNAL_H
#define FLEET_LOCAL_LOCAL_INTERNAL_H

#include "fleet/driver.h"
#include "fleet/local/programs.h"

#include <limits.h>

struct alarm;
struct balancer;
struct clock;
struct process_set;
struct process_watch;
struct site;

/*
 * Off:      no process.
 * Clearing: what was left is being killed; started when its address is free.
 * Starting: it runs and does not listen yet.
 * Running:  it listens.
 * Stopping: told to end; removed afterwards.
 * Leaving:  ended; waits for the balancer to forget it.
 */
enum local_phase { LOCAL_OFF, LOCAL_CLEARING, LOCAL_STARTING, LOCAL_RUNNING, LOCAL_STOPPING, LOCAL_LEAVING };

struct local_instance {
	struct instance base;
	struct local *local;
	enum local_phase phase;
	char folder[PATH_MAX];
	unsigned release;
	pid_t pgid;                  /* whose group may still hold processes; 0: none */
	struct process_watch *watch;
	struct alarm *alarm;
	uint64_t phase_since_ms;     /* monotonic */
	bool refreshing;             /* the alarm is to report `refreshed` */
	struct failure failure;      /* to be reported from the alarm */
};

struct local {
	struct driver base;
	struct uv_loop_s *loop;
	struct clock *clock;
	const struct config *config;
	struct programs programs;
	struct process_set *processes;
	struct balancer *balancer;
	struct site *site;
	unsigned previous_release;
	bool published_config;       /* the current release came from the configuration */
	char *folder;
	char *instances;             /* folder/instances */
	char *mark;                  /* httpd_mark's text */
	bool shutting_down;
	bool pruning;
	driver_done_cb *down_cb;
	void *down_arg;
	unsigned works;              /* callbacks that will come: worker threads, the opening */
	bool closed;                 /* free when the last of them came */
};

/* --- local_instance.c: one instance's life. */

/* In the list, phase Off; NULL: no memory. */
struct local_instance *local_instance_new(struct local *local, const char *id, const char *address);

/* Out of the list; silence.  The folder stays. */
void local_instance_free(struct local_instance *instance);

/* Kill what is left of it, start it; `listening` or `died` follows. */
void local_instance_start(struct local_instance *instance);

/* Take over a process that runs. */
void local_instance_adopt(struct local_instance *instance, pid_t pid);

/* End it and clean up; `gone` follows. */
void local_instance_stop(struct local_instance *instance);

/* Report `refreshed` from the loop. */
void local_instance_refreshed(struct local_instance *instance, const struct failure *failure);

/* The balancer has forgotten it. */
void local_instance_removed(struct local_instance *instance);

/* --- local_open.c: what is there already. */

/* Fill the list from the folders and /proc; end what belongs to no instance. */
int local_find(struct local *local, struct failure *ret_failure);

/* The lowest loopback address that is free.  Returns 0 or -EADDRNOTAVAIL. */
int local_free_address(const struct local *local, char *ret_address, size_t size);

/* --- local_site.c: parts of the driver's port, and what removes releases that nobody serves any more. */
void local_publish(struct driver *driver, const char *folder, driver_done_cb *cb, void *arg);
int local_revert(struct driver *driver);
bool local_site_changed(struct driver *driver);
bool local_is_current(struct driver *driver, const struct instance *instance);
void local_prune(struct local *local);

/* --- local.c */
void local_free_if_idle(struct local *local);

/* The last instance is gone: is that what was waited for? */
void local_instance_gone(struct local *local);

#endif
