/* common.c: what the verbs share; see cmd.h. */
#define _GNU_SOURCE
#include "base/log.h"
#include "cmd/cmd.h"
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct config *cmd_read_config(const struct cmd_options *options)
{
	struct config_findings findings = { 0 };
	struct config *config = NULL;
	size_t i;

	if (config_read(options->config_file, &config, &findings) < 0)
		config = NULL;
	for (i = 0; i < findings.count; i++)
		fprintf(stderr, "%s\n", findings.lines[i]);
	for (i = 0; i < findings.warning_count && !options->quiet; i++)
		fprintf(stderr, "%s\n", findings.warnings[i]);
	config_findings_free(&findings);
	return config;
}

/* What a later version brings must not be promised by this one. */
bool cmd_is_built(const struct config *config)
{
	const char *what = NULL;

	if (config->provider == PROVIDER_HOSTS)
		what = "`provider: hosts`";
	else if (config->provider == PROVIDER_AWS)
		what = "`provider: aws`";
	else if (strcmp(config->schedule.calendar, "always") != 0)
		what = "a `schedule.calendar` other than always";
	else if (strcmp(config->record, "sqlite") != 0)
		what = "a `record` other than sqlite";
	if (what != NULL)
		log_error("%s is not built yet in this version: change it in %s", what,
			  config->file != NULL ? config->file : "the configuration");
	if (what == NULL && (config->mail.enabled || config->notify.webhook != NULL || config->notify.exec != NULL))
		log_warning("`mail` and `notify` are not built yet in this version: events are recorded and shown, not sent");
	return what == NULL;
}

bool cmd_flag_value(const char *name, int argc, char **argv, int *index, const char **ret_value)
{
	const char *word = argv[*index];
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0)
		return false;
	if (word[length] == '=') {
		*ret_value = word + length + 1;
		return true;
	}
	if (word[length] != '\0')
		return false;
	*ret_value = *index + 1 < argc ? argv[++*index] : NULL;
	return true;
}

int cmd_usage(const char *verb, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fprintf(stderr, "openbell %s: %s: see `openbell %s --help`\n", verb, text, verb);
	return EXIT_USAGE;
}
