/*
 * ladder.h: what to do about an instance that fails: none, recheck, restart, replace, brake.
 *
 * A pure function of what is known; nothing here waits or acts.
 */
#ifndef WATCH_LADDER_H
#define WATCH_LADDER_H

#include "record/entry.h"

#include <stdbool.h>

/* What is wrong, by what may help against it. */
enum ladder_kind {
	LADDER_WELL,
	LADDER_DEAD,         /* seen dead: its process ended */
	LADDER_SILENT,       /* refuses, resets, does not answer in time: a restart may help */
	LADDER_WRONG,        /* answers, but not what it should: often not its own fault */
	LADDER_CUT_OFF,      /* can't be reached: likely the network, or the checker's */
	LADDER_KIND_COUNT,
};

struct ladder_facts {
	enum ladder_kind kind;
	unsigned failures;       /* in a row, this one included: failed sweeps, deaths, the balancer's verdicts */
	unsigned restarts;       /* since it was last well */
	bool may_restart;        /* monitor.restart */
	unsigned replace_after;  /* monitor.replace_after */
	unsigned fleet;          /* instances that should serve */
	unsigned failing;        /* of those, this one included */
	unsigned replacing;      /* replacements under way */
	unsigned brake_permille; /* monitor.brake */
	int connected;           /* the checker: 1 known to be connected, 0 known to be cut off, -1 unknown */
};

enum ladder_action {
	LADDER_NONE,
	LADDER_RECHECK,      /* leave it to the next sweep */
	LADDER_RESTART,
	LADDER_REPLACE,
	LADDER_BRAKE,        /* would be replaced, but too much of the fleet fails at once */
};

enum ladder_action ladder_step(const struct ladder_facts *facts);

enum ladder_kind ladder_kind_of(enum reason reason);

/*
 * How long to wait before the next start of something that keeps dying, in
 * milliseconds: none for the first two deaths in a row, then 250, 500, ...
 * up to 30 s.
 */
unsigned ladder_backoff_ms(unsigned deaths);

#endif
