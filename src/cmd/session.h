/* session.h: one life of the controller in this process, from lock to exit status. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include <stdbool.h>

struct config;

struct session_options {
	const char *config_file;     /* to read again; NULL: look for one, as at the start */
	bool only_down;              /* take down what runs, with nobody else's help */
	bool detached;               /* nobody is in front of it: SIGINT leaves the fleet serving */
	bool quiet;
	/*
	 * A descriptor, or -1, for whoever started this: "EXIT MESSAGE\n" once it
	 * is known whether the fleet could be opened.
	 */
	int report;
};

/* Takes over `config`.  Returns the exit status. */
int session_run(const struct session_options *options, struct config *config);

#endif
