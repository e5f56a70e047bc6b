/* balancer_members.c: who is behind the balancer, in HAProxy as in our list. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "fleet/local/balancer_internal.h"
#include "fleet/local/haproxy_conf.h"
#include "fleet/local/haproxy_process.h"
#include "fleet/local/haproxy_socket.h"
#include "fleet/local/haproxy_stat.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY_MS 1000       /* at a fleet at rest */
#define HUNG_AFTER 2             /* looks that HAProxy did not answer, each after HAPROXY_REPLY_TIMEOUT_MS */
#define LOOK_CLOSELY_MS 20       /* while a member drains or leaves */

struct member *balancer_find(const struct balancer *balancer, const char *id)
{
	struct member *member = balancer->members;

	while (member != NULL && strcmp(member->id, id) != 0)
		member = member->next;
	return member;
}

/* --- Orders to HAProxy. */

static void __attribute__((format(printf, 2, 3))) order(struct balancer *balancer, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!balancer->up)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	haproxy_socket_send(balancer->socket, text, NULL, NULL);
}

/* Bring HAProxy's idea of a member to ours; each order is fine to repeat. */
static void order_mode(struct balancer *balancer, const struct member *member)
{
	const char *id = member->id;

	switch (member->mode) {
	case MEMBER_READY:
		order(balancer, "set server web/%s health up;enable health web/%s;set server web/%s state ready", id, id, id);
		break;
	case MEMBER_HELD:
		order(balancer, "set server web/%s state maint", id);
		break;
	case MEMBER_DRAINING:
		order(balancer, "set server web/%s state drain", id);
		break;
	case MEMBER_LEAVING:
		order(balancer, "set server web/%s state maint;del server web/%s", id, id);
		break;
	}
}

static void order_add(struct balancer *balancer, const struct member *member)
{
	struct haproxy_server server = { .weight = member->weight };
	char settings[512];

	snprintf(server.id, sizeof server.id, "%s", member->id);
	snprintf(server.address, sizeof server.address, "%s", member->address);
	haproxy_conf_server(balancer->config, &server, settings, sizeof settings);
	order(balancer, "add server web/%s", settings);
	order_mode(balancer, member);
}

static void look_soon(struct balancer *balancer)
{
	if (balancer->up && !balancer->looking)
		alarm_set(balancer->look_alarm, LOOK_CLOSELY_MS);
}

static void change(struct balancer *balancer, const char *id, enum member_mode mode)
{
	struct member *member = balancer_find(balancer, id);

	if (member == NULL || member->mode == MEMBER_LEAVING || (member->mode == mode && mode == MEMBER_HELD))
		return;
	member->mode = mode;
	member->down = false;
	member->changed = balancer->looks + 1;
	balancer_keep_in_file(balancer);
	order_mode(balancer, member);
}

void balancer_admit(struct balancer *balancer, const char *id)
{
	change(balancer, id, MEMBER_READY);
}

void balancer_hold(struct balancer *balancer, const char *id)
{
	change(balancer, id, MEMBER_HELD);
}

void balancer_drain(struct balancer *balancer, const char *id, uint64_t timeout_ms)
{
	struct member *member = balancer_find(balancer, id);

	if (member == NULL)
		return;
	member->drain_until_ms = clock_mono_ms(balancer->clock) + timeout_ms;
	change(balancer, id, MEMBER_DRAINING);
	look_soon(balancer);
	if (!balancer->up)
		alarm_set(balancer->silent_alarm, 0);
}

int balancer_add(struct balancer *balancer, const char *id, const char *address, int weight)
{
	struct member *member = calloc(1, sizeof *member);
	struct member **link = &balancer->members;

	if (member == NULL)
		return -ENOMEM;
	snprintf(member->id, sizeof member->id, "%s", id);
	snprintf(member->address, sizeof member->address, "%s", address);
	member->weight = weight;
	member->changed = balancer->looks + 1;
	while (*link != NULL)
		link = &(*link)->next;
	*link = member;
	if (balancer->started) {
		balancer_keep_in_file(balancer);
		order_add(balancer, member);
	}
	return 0;
}

void balancer_remove(struct balancer *balancer, const char *id)
{
	change(balancer, id, MEMBER_LEAVING);
	look_soon(balancer);
	if (!balancer->up)
		alarm_set(balancer->silent_alarm, 0);
}

bool balancer_is_admitted(const struct balancer *balancer, const char *id)
{
	const struct member *member = balancer_find(balancer, id);

	return member != NULL && member->mode == MEMBER_READY;
}

/* --- Looking at what HAProxy thinks. */

static void forget(struct balancer *balancer, struct member *member)
{
	struct member **link = &balancer->members;
	char id[ENTRY_ID_SIZE];

	snprintf(id, sizeof id, "%s", member->id);
	while (*link != member)
		link = &(*link)->next;
	*link = member->next;
	free(member);
	balancer->events->removed(balancer->arg, id);
}

static void judge(struct balancer *balancer, struct member *member, const struct haproxy_stat *stat)
{
	bool down = stat->mode == HAPROXY_DOWN;

	if (down == member->down)
		return;
	member->down = down;
	balancer->events->judged(balancer->arg, member->id, !down, stat->check);
}

static void on_server(void *arg, const struct haproxy_stat *stat)
{
	struct balancer *balancer = arg;
	struct member *member = balancer_find(balancer, stat->id);

	if (member == NULL) {
		/* Of a time before us. */
		order(balancer, "set server web/%s state maint;del server web/%s", stat->id, stat->id);
		return;
	}
	member->seen = true;
	if (balancer->adopting && member->mode == MEMBER_HELD && stat->mode != HAPROXY_MAINT &&
	    stat->mode != HAPROXY_DRAIN)
		member->mode = MEMBER_READY;
	/* The order that changed it last was given after this look was sent. */
	if (member->changed > balancer->looks)
		return;
	switch (member->mode) {
	case MEMBER_READY:
		if (stat->mode == HAPROXY_MAINT || stat->mode == HAPROXY_DRAIN)
			order_mode(balancer, member);
		else
			judge(balancer, member, stat);
		break;
	case MEMBER_HELD:
		if (stat->mode != HAPROXY_MAINT)
			order_mode(balancer, member);
		break;
	case MEMBER_DRAINING:
		if (stat->sessions == 0 && stat->queued == 0)
			member->drain_until_ms = 0;
		break;
	case MEMBER_LEAVING:
		order_mode(balancer, member);
		break;
	}
}

/* Members whose wait is over; each event may change the list, so begin anew after one. */
static bool settle_one(struct balancer *balancer, bool looked)
{
	uint64_t now_ms = clock_mono_ms(balancer->clock);
	struct member *member;

	for (member = balancer->members; member != NULL; member = member->next) {
		if (member->mode == MEMBER_DRAINING && now_ms >= member->drain_until_ms) {
			char id[ENTRY_ID_SIZE];

			snprintf(id, sizeof id, "%s", member->id);
			change(balancer, id, MEMBER_HELD);
			balancer->events->drained(balancer->arg, id);
			return true;
		}
		if (member->mode == MEMBER_LEAVING &&
		    (!balancer->up || (looked && !member->seen && member->changed <= balancer->looks))) {
			forget(balancer, member);
			return true;
		}
	}
	return false;
}

static bool is_restless(const struct balancer *balancer)
{
	const struct member *member;

	for (member = balancer->members; member != NULL; member = member->next)
		if (member->mode == MEMBER_DRAINING || member->mode == MEMBER_LEAVING)
			return true;
	return false;
}

static void add_missing(struct balancer *balancer)
{
	const struct member *member;

	for (member = balancer->members; member != NULL; member = member->next)
		if (!member->seen && member->mode != MEMBER_LEAVING && member->changed <= balancer->looks)
			order_add(balancer, member);
}

static void on_look(void *arg, int status, const char *reply)
{
	struct balancer *balancer = arg;
	struct member *member;

	balancer->looking = false;
	if (!balancer->up || balancer->stopping)
		return;
	balancer->unanswered = status == 0 ? 0 : balancer->unanswered + 1;
	if (balancer->unanswered == HUNG_AFTER) {
		/* Stopped, or in an endless loop: it serves nobody; its death is seen and mended. */
		balancer->unanswered = 0;
		balancer->events->event(balancer->arg, "balancer-hung", "no answer on its socket: killed");
		haproxy_process_kill(balancer->process);
		return;
	}
	for (member = balancer->members; member != NULL; member = member->next)
		member->seen = false;
	if (status == 0 && haproxy_stat_parse(reply, on_server, balancer) == 0) {
		add_missing(balancer);
		while (settle_one(balancer, true))
			;
	}
	alarm_set(balancer->look_alarm, is_restless(balancer) ? LOOK_CLOSELY_MS : LOOK_EVERY_MS);
	if (balancer->adopting) {
		balancer->adopting = false;
		balancer->events->started(balancer->arg, NULL);
		if (balancer->outdated)
			balancer_take_over(balancer);
		balancer->outdated = false;
	}
}

void balancer_look(struct balancer *balancer)
{
	if (balancer->looking || !balancer->up)
		return;
	balancer->looking = true;
	balancer->looks++;
	haproxy_socket_send(balancer->socket, "show stat " HAPROXY_BACKEND " 4 -1", on_look, balancer);
}

void balancer_on_look_alarm(void *arg)
{
	balancer_look(arg);
}

void balancer_on_silent_alarm(void *arg)
{
	struct balancer *balancer = arg;

	/* Without a HAProxy nothing has to end first. */
	if (!balancer->up) {
		struct member *member;

		for (member = balancer->members; member != NULL; member = member->next)
			member->drain_until_ms = 0;
		while (settle_one(balancer, false))
			;
	}
}
