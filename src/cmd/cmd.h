/* cmd.h: the verbs: flags in, text or JSON out, an exit status. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <stdint.h>

struct config;

/* Exit statuses, as the man page lists them. */
enum cmd_exit {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,          /* usage or configuration */
	EXIT_UNHEALTHY = 3,
	EXIT_CLOSED = 4,
	EXIT_HELD = 5,           /* another openbell holds this fleet */
	EXIT_TIMEOUT = 6,
	EXIT_CHANGES = 7,
};

/* The flags that every verb takes. */
struct cmd_options {
	const char *config_file;     /* NULL: look for one */
	bool json;
	bool quiet;
	const char *program;         /* argv[0] of main */
};

/* argv[0] is the verb; the common flags are gone from the rest.  Returns the exit status. */
typedef int cmd_main(const struct cmd_options *options, int argc, char **argv);

cmd_main cmd_init;
cmd_main cmd_config;
cmd_main cmd_up;
cmd_main cmd_down;
cmd_main cmd_run;
cmd_main cmd_status;
cmd_main cmd_sweep;
cmd_main cmd_history;
cmd_main cmd_deploy;

/*
 * Read the configuration and print what is wrong with it.  Returns NULL after
 * printing (the verb then returns EXIT_USAGE); warnings are printed unless
 * --quiet.  Free with config_free.
 */
struct config *cmd_read_config(const struct cmd_options *options);

/* False, after saying so, when the configuration asks for what this version can't do. */
bool cmd_is_built(const struct config *config);

/*
 * One of a verb's own flags: matches "--name value" and "--name=value" at
 * argv[*index] and moves *index onto the last word used.  *ret_value is NULL
 * when the value is missing.
 */
bool cmd_flag_value(const char *name, int argc, char **argv, int *index, const char **ret_value);

/* Say that a word isn't understood, and where help is.  Returns EXIT_USAGE. */
int cmd_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
