/* entry.c: see entry.h. */
#define _GNU_SOURCE
#include "record/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reason_names[REASON_COUNT] = {
	[REASON_OK] = "ok",
	[REASON_REFUSED] = "refused",
	[REASON_TIMEOUT] = "timeout",
	[REASON_RESET] = "reset",
	[REASON_UNREACHABLE] = "unreachable",
	[REASON_TLS] = "tls",
	[REASON_CERTIFICATE] = "certificate",
	[REASON_PROTOCOL] = "protocol",
	[REASON_STATUS] = "status",
	[REASON_BODY] = "body",
	[REASON_HEADER] = "header",
	[REASON_TOO_LARGE] = "too-large",
	[REASON_DNS] = "dns",
	[REASON_GONE] = "gone",
	[REASON_SSH_CONNECT] = "ssh-connect",
	[REASON_SSH_HOSTKEY] = "ssh-hostkey",
	[REASON_SSH_AUTH] = "ssh-auth",
	[REASON_SSH_COMMAND] = "ssh-command",
	[REASON_SSH_TIMEOUT] = "ssh-timeout",
	[REASON_SERVICE_DOWN] = "service-down",
};

static const char *const action_names[SWEEP_ACTION_COUNT] = {
	[SWEEP_NONE] = "none",
	[SWEEP_RESTARTED] = "restarted",
	[SWEEP_REPLACED] = "replaced",
	[SWEEP_BRAKED] = "braked",
};

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

int reason_from_name(const char *name, enum reason *ret_reason)
{
	int i;

	for (i = 0; i < REASON_COUNT; i++) {
		if (strcmp(reason_names[i], name) == 0) {
			*ret_reason = (enum reason)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *sweep_action_name(enum sweep_action action)
{
	return action_names[action];
}

int sweep_action_from_name(const char *name, enum sweep_action *ret_action)
{
	int i;

	for (i = 0; i < SWEEP_ACTION_COUNT; i++) {
		if (strcmp(action_names[i], name) == 0) {
			*ret_action = (enum sweep_action)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool ssh_failed(const struct check *check)
{
	return check->ssh_done && check->ssh_reason != REASON_OK;
}

bool check_passed(const struct check *check)
{
	return check->reason == REASON_OK && !ssh_failed(check);
}

const char *check_result(const struct check *check)
{
	if (ssh_failed(check))
		return "Failed to SSH";
	return check->reason == REASON_OK ? "success" : "Failed to get web content";
}

const char *check_ssh_result(const struct check *check)
{
	return ssh_failed(check) ? "Failed to SSH" : "success";
}

enum reason check_reason(const struct check *check)
{
	return ssh_failed(check) ? check->ssh_reason : check->reason;
}

struct sweep *sweep_alloc(size_t count)
{
	struct sweep *sweep;

	if (count > (SIZE_MAX - sizeof *sweep) / sizeof sweep->entries[0])
		return NULL;
	sweep = calloc(1, sizeof *sweep + count * sizeof sweep->entries[0]);
	if (sweep != NULL)
		sweep->count = count;
	return sweep;
}

static char **copy_strings(char *const *strings, size_t count)
{
	char **copy = calloc(count + 1, sizeof *copy);
	size_t i;

	for (i = 0; copy != NULL && i < count; i++) {
		copy[i] = strdup(strings[i]);
		if (copy[i] == NULL) {
			while (i > 0)
				free(copy[--i]);
			free(copy);
			return NULL;
		}
	}
	return copy;
}

static void free_strings(char **strings, size_t count)
{
	size_t i;

	for (i = 0; strings != NULL && i < count; i++)
		free(strings[i]);
	free(strings);
}

struct incident *incident_copy(const struct incident *incident)
{
	struct incident *copy = malloc(sizeof *copy);

	if (copy == NULL)
		return NULL;
	*copy = *incident;
	copy->instances = copy_strings(incident->instances, incident->instance_count);
	copy->tried = copy_strings(incident->tried, incident->tried_count);
	if (copy->instances == NULL || copy->tried == NULL) {
		incident_free(copy);
		return NULL;
	}
	return copy;
}

void incident_free(struct incident *incident)
{
	if (incident == NULL)
		return;
	free_strings(incident->instances, incident->instance_count);
	free_strings(incident->tried, incident->tried_count);
	free(incident);
}

/* The colon before the port: behind the bracket, or the only one ("2001:db8::1" alone has no port). */
static const char *port_colon(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (colon == NULL || (address[0] == '[' && colon > address && colon[-1] == ']'))
		return colon;
	return address[0] != '[' && strchr(address, ':') == colon ? colon : NULL;
}

void address_split(const char *address, char *ret_ip, size_t size, int *ret_port)
{
	const char *colon = port_colon(address);
	size_t length = colon != NULL ? (size_t)(colon - address) : strlen(address);

	if (ret_port != NULL)
		*ret_port = colon != NULL ? atoi(colon + 1) : -1;
	if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
		address++;
		length -= 2;
	}
	snprintf(ret_ip, size, "%.*s", (int)length, address);
}

void address_join(const char *ip, int port, char *ret_address, size_t size)
{
	if (port < 0)
		snprintf(ret_address, size, "%s", ip);
	else
		snprintf(ret_address, size, strchr(ip, ':') != NULL ? "[%s]:%d" : "%s:%d", ip, port);
}
