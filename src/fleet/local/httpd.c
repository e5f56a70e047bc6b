/* httpd.c: see httpd.h.  Apache HTTP Server 2.4, Directive Index. */
#define _GNU_SOURCE
#include "fleet/local/httpd.h"

#include "base/path.h"
#include "base/process.h"
#include "config/config.h"
#include "fleet/local/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_MAX_BYTES 65536
#define WORDS_TAIL_BYTES 4096

char *httpd_mark(const char *instances)
{
	return path_format("openbell=%s/", instances);
}

/* --- The configuration. */

/* What is compiled in has no file: Debian has log_config, logio and unixd inside. */
static void render_modules(FILE *out, const struct programs *programs)
{
	static const char *const modules[] = { "mpm_event", "authz_core", "unixd", "log_config", "logio",
					       "mime", "dir", "remoteip", NULL };
	const char *const *module;

	for (module = modules; *module != NULL; module++) {
		char *path = path_format("%s/mod_%s.so", programs->modules, *module);

		if (path != NULL && access(path, R_OK) == 0)
			fprintf(out, "LoadModule %s_module \"%s\"\n", *module, path);
		free(path);
	}
}

static char *render(const char *address, const struct config *config, const struct programs *programs)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return NULL;
	fprintf(out, "# Written by openbell for this instance.\n"
		     "ServerRoot \"/proc/self/cwd\"\n"
		     "DefaultRuntimeDir \"run\"\n"
		     "PidFile \"run/httpd.pid\"\n"
		     "Listen %s\n"
		     "ServerName %s\n",
		address, config->fleet);
	render_modules(out, programs);
	if (programs->mime_types[0] != '\0')
		fprintf(out, "TypesConfig \"%s\"\n", programs->mime_types);
	/*
	 * One child that is never retired: a child that ends closes keep-alive
	 * connections, which the balancer's clients would see.  Connections stay
	 * open longer than the balancer keeps idle ones, so that it is never
	 * httpd that closes one under a request.
	 */
	fprintf(out, "Mutex pthread\n"
		     "ServerLimit 1\n"
		     "StartServers 1\n"
		     "ThreadLimit 128\n"
		     "ThreadsPerChild 128\n"
		     "MaxRequestWorkers 128\n"
		     "MinSpareThreads 1\n"
		     "MaxSpareThreads 128\n"
		     "MaxConnectionsPerChild 0\n"
		     "KeepAlive On\n"
		     "KeepAliveTimeout 65\n"
		     "MaxKeepAliveRequests 0\n"
		     "GracefulShutdownTimeout 10\n"
		     "ServerTokens Prod\n"
		     "TraceEnable Off\n");
	fprintf(out, "RemoteIPHeader X-Forwarded-For\n"
		     "RemoteIPInternalProxy 127.0.0.0/8 ::1\n"
		     "ErrorLog \"logs/error.log\"\n"
		     "LogFormat \"%%a %%l %%u %%t \\\"%%r\\\" %%>s %%O \\\"%%{Referer}i\\\" \\\"%%{User-Agent}i\\\"\" combined\n"
		     "CustomLog \"logs/access.log\" combined\n"
		     "DocumentRoot \"site\"\n"
		     "DirectoryIndex index.html\n"
		     "<Directory />\n"
		     "\tOptions FollowSymLinks\n"
		     "\tAllowOverride None\n"
		     "\tRequire all granted\n"
		     "</Directory>\n"
		     "<LocationMatch \"/\\.(?!well-known(/|$))\">\n"
		     "\tRequire all denied\n"
		     "</LocationMatch>\n");
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- The folder. */

/* A folder inside the instance that httpd's user may write. */
static int make_folder(const char *folder, const char *name, const struct programs *programs)
{
	char *path = path_format("%s/%s", folder, name);
	int r = path == NULL ? -ENOMEM : mkdir(path, 0750) < 0 ? -errno : 0;

	if (r == 0 && programs->drop && lchown(path, programs->uid, programs->gid) < 0)
		r = -errno;
	free(path);
	return r;
}

int httpd_prepare(const char *folder, const char *address, const struct config *config,
		  const struct programs *programs, struct failure *ret_failure)
{
	char *conf = path_format("%s/httpd.conf", folder);
	char *text = render(address, config, programs);
	int r = conf == NULL || text == NULL ? -ENOMEM : path_make_folders(folder, 0711);

	if (r == 0)
		r = make_folder(folder, "logs", programs);
	if (r == 0)
		r = make_folder(folder, "run", programs);
	/* Last: a folder without it was never finished. */
	if (r == 0)
		r = path_write(conf, text, strlen(text), 0644, true);
	if (r < 0) {
		path_remove_tree(folder);
		failure_set(ret_failure, -r, "the instance's folder %s can't be made: %s", folder, strerror(-r));
	}
	free(conf);
	free(text);
	return r;
}

int httpd_read_address(const char *folder, char *ret_address, size_t size)
{
	char *conf = path_format("%s/httpd.conf", folder);
	char *text;
	const char *line;
	int r = conf != NULL ? path_read(conf, CONF_MAX_BYTES, &text, NULL) : -ENOMEM;

	free(conf);
	if (r < 0)
		return r;
	line = strstr(text, "\nListen ");
	if (line == NULL)
		r = -EBADMSG;
	else
		snprintf(ret_address, size, "%.*s", (int)strcspn(line + 8, "\n"), line + 8);
	free(text);
	return r;
}

int httpd_use_release(const char *folder, unsigned release)
{
	char *link = path_format("%s/site", folder);
	char *next = path_format("%s/site.new", folder);
	char *target = path_format("../../releases/%u", release);
	int r = -ENOMEM;

	if (link != NULL && next != NULL && target != NULL) {
		unlink(next);
		r = symlink(target, next) < 0 || rename(next, link) < 0 ? -errno : 0;
	}
	free(link);
	free(next);
	free(target);
	return r;
}

unsigned httpd_release(const char *folder)
{
	char *link = path_format("%s/site", folder);
	char target[64] = "";
	const char *number;
	ssize_t n = link != NULL ? readlink(link, target, sizeof target - 1) : -1;

	free(link);
	number = n > 0 ? strrchr(target, '/') : NULL;
	return number != NULL ? (unsigned)strtoul(number + 1, NULL, 10) : 0;
}

/* --- The process. */

int httpd_spawn(const char *folder, const char *mark, const struct programs *programs, pid_t *ret_pid,
		struct failure *ret_failure)
{
	const char *const argv[] = { programs->httpd, "-DFOREGROUND", "-d", "/proc/self/cwd", "-f",
				     "/proc/self/cwd/httpd.conf", "-D", mark, NULL };
	struct process_spec spec = {
		.path = programs->httpd,
		.argv = (char *const *)argv,
		.folder = folder,
		.drop = programs->drop,
		.uid = programs->uid,
		.gid = programs->gid,
		.hurry = true,
	};
	char *output = path_format("%s/httpd.out", folder);
	char *pid_file = path_format("%s/run/httpd.pid", folder);
	int r = -ENOMEM;

	if (output != NULL && pid_file != NULL) {
		/* httpd refuses to start when the pid in its file lives, as anybody's. */
		unlink(pid_file);
		spec.output = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (spec.output < 0)
			spec.output = open("/dev/null", O_WRONLY | O_CLOEXEC);
		r = process_spawn(&spec, ret_pid, ret_failure);
		if (spec.output >= 0)
			close(spec.output);
	}
	free(output);
	free(pid_file);
	return r;
}

static void last_line(const char *folder, const char *name, char *ret_text, size_t size)
{
	char *path = path_format("%s/%s", folder, name);
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	char buffer[WORDS_TAIL_BYTES];
	struct stat info;
	char *line;
	ssize_t n = -1;

	ret_text[0] = '\0';
	free(path);
	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		n = pread(fd, buffer, sizeof buffer - 1,
			  info.st_size > (off_t)sizeof buffer - 1 ? info.st_size - (off_t)sizeof buffer + 1 : 0);
	close(fd);
	while (n > 0 && buffer[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	buffer[n] = '\0';
	line = strrchr(buffer, '\n');
	snprintf(ret_text, size, "%s", line != NULL ? line + 1 : buffer);
}

void httpd_last_words(const char *folder, char *ret_text, size_t size)
{
	last_line(folder, "httpd.out", ret_text, size);
	if (ret_text[0] == '\0')
		last_line(folder, "logs/error.log", ret_text, size);
}
