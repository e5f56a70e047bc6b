/* config.c: see config.h. */
#define _GNU_SOURCE
#include "config/config.h"

#include "base/path.h"
#include "config/node.h"
#include "config/parse.h"
#include "config/reader.h"
#include "config/rules.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "openbell.yaml"
#define FILE_MAX_BYTES (1024 * 1024)

void config_free(struct config *config)
{
	size_t i;

	if (config == NULL)
		return;
	for (i = 0; i < schema_count; i++)
		if (schema[i].kind != NULL && schema[i].kind->clear != NULL)
			schema[i].kind->clear(config, &schema[i], (char *)config + schema[i].offset);
	free(config->file);
	free(config->folder);
	free(config);
}

static struct config *new_config(const char *file, const char *folder)
{
	struct config *config = calloc(1, sizeof *config);

	if (config == NULL)
		return NULL;
	config->folder = strdup(folder);
	config->file = file != NULL ? strdup(file) : NULL;
	if (config->folder != NULL && (file == NULL || config->file != NULL))
		return config;
	config_free(config);
	return NULL;
}

/* Returns 0, -EINVAL (said in the findings) or -ENOMEM; the config is good only with 0. */
static int fill(struct config *config, const char *text, size_t length, struct findings *findings)
{
	struct reader *reader = calloc(1, sizeof *reader);
	struct node *root;
	bool complete;
	int r;

	if (reader == NULL)
		return -ENOMEM;
	reader->config = config;
	reader->findings = findings;
	r = node_parse(text, length, findings, &root, &complete);
	if (r == 0) {
		reader_take_tree(reader, root);
		reader_take_defaults(reader);
		rules_derive(reader);
		/* What is missing from half a file may stand in the other half. */
		if (complete)
			rules_check(reader);
		node_free(root);
		r = reader->no_memory ? -ENOMEM : findings->errors > 0 ? -EINVAL : 0;
	}
	free(reader);
	return r;
}

int config_parse_text(const char *name, const char *file, const char *folder, const char *text, size_t length,
		      struct config **ret_config, struct config_findings *ret_findings)
{
	struct findings *findings = malloc(sizeof *findings);
	struct config *config = new_config(file, folder);
	int finish;
	int r = -ENOMEM;

	memset(ret_findings, 0, sizeof *ret_findings);
	if (findings != NULL && config != NULL) {
		findings_start(findings, name);
		r = fill(config, text, length, findings);
		finish = findings_finish(findings, ret_findings);
		if (finish < 0)
			r = finish;
	}
	free(findings);
	if (r < 0)
		config_free(config);
	else
		*ret_config = config;
	return r;
}

/* One finding about a file that can't be read at all. */
static int refuse(const char *name, struct config_findings *ret_findings, int error)
{
	struct findings *findings = calloc(1, sizeof *findings);
	const struct mark whole = { 0 };
	int r;

	if (findings == NULL)
		return -ENOMEM;
	findings_start(findings, name);
	if (error == -ENOENT || error == -ENOTDIR)
		finding_error(findings, whole,
			      "no such file: write one with \"openbell init\", or name another with --config");
	else if (error == -EISDIR)
		finding_error(findings, whole, "this is a folder: name the file in it with --config");
	else if (error == -EFBIG)
		finding_error(findings, whole, "larger than 1 MiB, which no configuration is");
	else
		finding_error(findings, whole, "can't be read: %s", strerror(-error));
	r = findings_finish(findings, ret_findings);
	free(findings);
	return r < 0 ? r : -EINVAL;
}

/* The current folder; NULL: no memory, or it is gone. */
static char *current_folder(void)
{
	char folder[PATH_MAX];

	return getcwd(folder, sizeof folder) != NULL ? strdup(folder) : NULL;
}

static int read_named(const char *name, struct config **ret_config, struct config_findings *ret_findings)
{
	char *text = NULL;
	size_t length;
	char *here = current_folder();
	char *file = here != NULL ? path_absolute(here, name) : NULL;
	char *folder = file != NULL ? strndup(file, (size_t)(strrchr(file, '/') - file)) : NULL;
	int r = -ENOMEM;

	if (folder == NULL)
		goto out;
	r = path_read(file, FILE_MAX_BYTES, &text, &length);
	if (r == -ENOMEM)
		goto out;
	r = r < 0 ? refuse(name, ret_findings, r)
		  : config_parse_text(name, file, folder[0] != '\0' ? folder : "/", text, length, ret_config,
				      ret_findings);
out:
	free(text);
	free(folder);
	free(file);
	free(here);
	return r;
}

static bool exists(const char *path)
{
	struct stat info;

	/* One that may not be looked at is there, and reading it says so. */
	return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* $XDG_CONFIG_HOME/openbell/openbell.yaml; NULL: no memory. */
static char *user_file(void)
{
	const char *home = getenv("XDG_CONFIG_HOME");

	/* The XDG specification: what isn't absolute is ignored. */
	if (home != NULL && home[0] == '/')
		return path_format("%s/openbell/" FILE_NAME, home);
	return path_absolute("/", "~/.config/openbell/" FILE_NAME);
}

static int read_defaults(struct config **ret_config, struct config_findings *ret_findings)
{
	char *here = current_folder();
	int r = config_parse_text(FILE_NAME, NULL, here != NULL ? here : "/", "", 0, ret_config, ret_findings);

	free(here);
	return r;
}

int config_read(const char *file, struct config **ret_config, struct config_findings *ret_findings)
{
	static const char system_file[] = "/etc/openbell/" FILE_NAME;
	char *users;
	int r;

	memset(ret_findings, 0, sizeof *ret_findings);
	if (file != NULL)
		return read_named(file, ret_config, ret_findings);
	if (exists(FILE_NAME))
		return read_named(FILE_NAME, ret_config, ret_findings);
	users = user_file();
	if (users == NULL)
		return -ENOMEM;
	if (exists(users))
		r = read_named(users, ret_config, ret_findings);
	else if (exists(system_file))
		r = read_named(system_file, ret_config, ret_findings);
	else
		r = read_defaults(ret_config, ret_findings);
	free(users);
	return r;
}
