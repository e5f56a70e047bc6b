/* programs.c: see programs.h. */
#define _GNU_SOURCE
#include "fleet/local/programs.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* $PATH first, then where Debian and others put servers, which a user's PATH often lacks. */
#define SERVER_FOLDERS "/usr/sbin:/usr/local/sbin:/sbin:/usr/bin"

static bool find_in(const char *folders, const char *name, char *ret_path)
{
	while (*folders != '\0') {
		size_t length = strcspn(folders, ":");

		/* A relative folder in PATH would make the answer depend on where we were started. */
		if (folders[0] == '/' &&
		    snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)length, folders, name) < PATH_MAX &&
		    access(ret_path, X_OK) == 0)
			return true;
		folders += length + (folders[length] == ':');
	}
	return false;
}

static bool find_program(const char *const *names, char *ret_path)
{
	const char *path = getenv("PATH");

	for (; *names != NULL; names++)
		if ((path != NULL && find_in(path, *names, ret_path)) || find_in(SERVER_FOLDERS, *names, ret_path))
			return true;
	return false;
}

static bool find_readable(const char *const *paths, char *ret_path)
{
	for (; *paths != NULL; paths++) {
		if (access(*paths, R_OK) == 0) {
			snprintf(ret_path, PATH_MAX, "%s", *paths);
			return true;
		}
	}
	return false;
}

static const struct passwd *find_user(const char *const *names)
{
	for (; *names != NULL; names++) {
		const struct passwd *entry = getpwnam(*names);

		if (entry != NULL && entry->pw_uid != 0)
			return entry;
	}
	return NULL;
}

static int find_users(struct programs *programs, struct failure *ret_failure)
{
	static const char *const httpd_users[] = { "www-data", "apache", "httpd", "nobody", NULL };
	static const char *const haproxy_users[] = { "haproxy", "www-data", "nobody", NULL };
	const struct passwd *entry;

	programs->uid = geteuid();
	programs->haproxy_uid = geteuid();
	if (geteuid() != 0)
		return 0;
	entry = find_user(httpd_users);
	if (entry == NULL)
		return failure_set(ret_failure, ENOENT, "there is no user www-data to run httpd as: create it, or start "
							"openbell as an ordinary user");
	programs->drop = true;
	programs->uid = entry->pw_uid;
	programs->gid = entry->pw_gid;
	entry = find_user(haproxy_users);
	for (size_t i = 0; entry != NULL && haproxy_users[i] != NULL; i++) {
		if (strcmp(haproxy_users[i], entry->pw_name) == 0) {
			programs->haproxy_user = haproxy_users[i];
			programs->haproxy_uid = entry->pw_uid;
		}
	}
	return 0;
}

int programs_find(struct programs *ret_programs, struct failure *ret_failure)
{
	static const char *const httpd_names[] = { "apache2", "httpd", NULL };
	static const char *const haproxy_names[] = { "haproxy", NULL };
	static const char *const modules[] = { "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules",
					       "/usr/lib/httpd/modules", "/usr/local/apache2/modules", NULL };
	static const char *const mime_types[] = { "/etc/mime.types", "/etc/apache2/mime.types",
						  "/etc/httpd/conf/mime.types", NULL };
	struct programs programs = { 0 };
	int r = find_users(&programs, ret_failure);

	*ret_programs = programs;
	if (r < 0)
		return r;
	if (!find_program(httpd_names, programs.httpd) || !find_readable(modules, programs.modules))
		return failure_set(ret_failure, ENOENT, "Apache httpd is not installed: apt-get install apache2-bin");
	if (!find_program(haproxy_names, programs.haproxy))
		return failure_set(ret_failure, ENOENT, "HAProxy is not installed: apt-get install haproxy");
	find_readable(mime_types, programs.mime_types);
	*ret_programs = programs;
	return 0;
}
