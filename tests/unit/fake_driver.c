/* fake_driver.c: see fake_driver.h. */
#include "fake_driver.h"

#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OPEN_MS 1
#define LOOK_EVERY_MS 1000

static struct fake_driver *fake_of(struct driver *driver)
{
	return (struct fake_driver *)driver;
}

static struct fake_instance *of(struct instance *instance)
{
	return (struct fake_instance *)instance;
}

void fake_driver_wrong(struct fake_driver *fake, const char *format, ...)
{
	va_list args;

	if (fake->wrong[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(fake->wrong, sizeof fake->wrong, format, args);
	va_end(args);
}

/* --- Orders. */

/* Whether the order may be carried out; an instance that is gone is not looked at. */
static bool may(struct fake_driver *fake, const struct instance *base, const char *order)
{
	const struct instance *instance = fake->base.instances;

	while (instance != NULL && instance != base)
		instance = instance->next;
	if (instance == NULL)
		fake_driver_wrong(fake, "%s of an instance that is gone", order);
	else if (((const struct fake_instance *)base)->phase == FAKE_STOPPING)
		fake_driver_wrong(fake, "%s of %s, which was terminated", order, base->id);
	else if (fake->shutting_down)
		fake_driver_wrong(fake, "%s of %s after shut_down", order, base->id);
	else
		return true;
	return false;
}

static int launch(struct driver *driver, struct instance **ret_instance, struct failure *ret_failure)
{
	struct fake_driver *fake = fake_of(driver);
	struct fake_instance *instance;

	if (fake->shutting_down)
		fake_driver_wrong(fake, "launch after shut_down");
	if (fake->launch_fails)
		return failure_set(ret_failure, ENOSPC, "no space for one more");
	instance = fake_instance_new(fake);
	fake_instance_start(instance);
	*ret_instance = &instance->base;
	return 0;
}

static void admit(struct driver *driver, struct instance *base)
{
	struct fake_driver *fake = fake_of(driver);
	struct fake_instance *instance = of(base);

	if (!may(fake, base, "admit"))
		return;
	if (instance->phase != FAKE_RUNNING)
		fake_driver_wrong(fake, "admit of %s, which does not run", base->id);
	/* A wrong page is better than none where nobody is well, and nothing else is admitted unproved. */
	else if (!instance->proved && !(instance->answered && fake_driver_count(fake, INSTANCE_IN_SERVICE) == 0))
		fake_driver_wrong(fake, "admit of %s unproved", base->id);
	fake->admits++;
	instance->admitted = true;
	instance->draining = false;
	instance->down = false;
}

static void hold(struct driver *driver, struct instance *base)
{
	if (may(fake_of(driver), base, "hold"))
		of(base)->admitted = false;
}

static void drain(struct driver *driver, struct instance *base, uint64_t timeout_ms)
{
	struct fake_driver *fake = fake_of(driver);
	struct fake_instance *instance = of(base);

	if (!may(fake, base, "drain"))
		return;
	if (instance->draining)
		fake_driver_wrong(fake, "drain of %s, which drains", base->id);
	fake->drains++;
	instance->admitted = false;
	instance->draining = true;
	alarm_set(instance->order_alarm, fake->drain_ms < timeout_ms ? fake->drain_ms : timeout_ms);
}

static void refresh(struct driver *driver, struct instance *base)
{
	struct fake_driver *fake = fake_of(driver);
	struct fake_instance *instance = of(base);

	if (!may(fake, base, "refresh"))
		return;
	if (instance->admitted || instance->draining)
		fake_driver_wrong(fake, "refresh of %s, which serves", base->id);
	fake->refreshes++;
	instance->release = fake->release;
	instance->answered = false;
	instance->proved = false;
	instance->refreshing = true;
	alarm_set(instance->order_alarm, fake->refresh_ms);
}

static void restart(struct driver *driver, struct instance *base)
{
	if (may(fake_of(driver), base, "restart"))
		fake_instance_start(of(base));
}

static void terminate(struct driver *driver, struct instance *base)
{
	struct fake_driver *fake = fake_of(driver);

	if (!may(fake, base, "terminate"))
		return;
	fake->terminates++;
	fake_instance_stop(of(base));
}

/* --- The whole. */

static void on_open(void *arg)
{
	struct fake_driver *fake = arg;
	struct instance *instance;
	struct failure failure;

	failure_set(&failure, EADDRINUSE, "the port is taken");
	for (instance = fake->base.instances; instance != NULL; instance = instance->next)
		if (instance->pid == 0)
			instance->state = INSTANCE_UNHEALTHY;
	fake->base.balancer_up = !fake->open_fails;
	fake->base.events->opened(fake->base.arg, fake->open_fails ? &failure : NULL);
}

static void open_fleet(struct driver *driver)
{
	alarm_set(fake_of(driver)->open_alarm, OPEN_MS);
}

static void on_published(void *arg)
{
	struct fake_driver *fake = arg;
	driver_done_cb *cb = fake->publish_cb;
	struct failure failure;

	failure_set(&failure, ENOENT, "no such folder");
	fake->publish_cb = NULL;
	if (!fake->publish_fails) {
		fake->previous_release = fake->release;
		fake->release = ++fake->releases;
		fake->site_has_changed = false;
	}
	cb(fake->publish_arg, fake->publish_fails ? &failure : NULL);
}

static void publish(struct driver *driver, const char *folder, driver_done_cb *cb, void *arg)
{
	struct fake_driver *fake = fake_of(driver);

	(void)folder;
	if (fake->publish_cb != NULL)
		fake_driver_wrong(fake, "publish while one is under way");
	fake->publish_cb = cb;
	fake->publish_arg = arg;
	alarm_set(fake->publish_alarm, fake->publish_ms);
}

static int revert(struct driver *driver)
{
	struct fake_driver *fake = fake_of(driver);

	fake->reverts++;
	if (fake->revert_fails || fake->previous_release == 0)
		return -ENOENT;
	fake->release = fake->previous_release;
	return 0;
}

static bool site_changed(struct driver *driver)
{
	return fake_of(driver)->site_has_changed;
}

static bool is_current(struct driver *driver, const struct instance *instance)
{
	return ((const struct fake_instance *)instance)->release == fake_of(driver)->release;
}

static int reconfigure(struct driver *driver, const struct config *config, struct failure *ret_failure)
{
	(void)config;
	return fake_of(driver)->reconfigure_fails ? failure_set(ret_failure, EIO, "the balancer says no") : 0;
}

static int checker_connected(struct driver *driver)
{
	return fake_of(driver)->connected;
}

static void on_down(void *arg)
{
	struct fake_driver *fake = arg;
	driver_done_cb *cb = fake->down_cb;

	fake->down_cb = NULL;
	if (cb != NULL)
		cb(fake->down_arg, NULL);
}

/* The balancer has let the last requests end. */
static void on_grace_over(void *arg)
{
	struct fake_driver *fake = arg;
	struct instance *instance;

	for (instance = fake->base.instances; instance != NULL; instance = instance->next)
		if (of(instance)->phase != FAKE_STOPPING)
			fake_instance_stop(of(instance));
	if (fake->base.instances == NULL)
		alarm_set(fake->down_alarm, 0);
}

static void shut_down(struct driver *driver, driver_done_cb *cb, void *arg)
{
	struct fake_driver *fake = fake_of(driver);

	if (fake->shutting_down)
		fake_driver_wrong(fake, "shut_down a second time");
	fake->shutting_down = true;
	fake->base.balancer_up = false;
	fake->down_cb = cb;
	fake->down_arg = arg;
	alarm_set(fake->grace_alarm, fake->grace_ms);
}

static void close_fleet(struct driver *driver)
{
	struct fake_driver *fake = fake_of(driver);

	fake->closed = true;
	while (fake->base.instances != NULL)
		fake_instance_free(of(fake->base.instances));
	alarm_cancel(fake->open_alarm);
	alarm_cancel(fake->publish_alarm);
	alarm_cancel(fake->grace_alarm);
	alarm_cancel(fake->down_alarm);
	alarm_cancel(fake->look_alarm);
}

/* A judgement may change the list: one a look is enough to go on with. */
static void on_look(void *arg)
{
	struct fake_driver *fake = arg;
	struct instance *instance;

	alarm_set(fake->look_alarm, LOOK_EVERY_MS);
	for (instance = fake->base.instances; instance != NULL && fake->balancer_looks; instance = instance->next) {
		bool down = fake_instance_answer(of(instance)) != REASON_OK;

		if (of(instance)->admitted && of(instance)->phase == FAKE_RUNNING && down != of(instance)->down) {
			fake_instance_judge(of(instance), !down, down ? "L7TOUT" : "L7OK");
			break;
		}
	}
}

int fake_driver_open(void *arg, const struct driver_events *events, void *events_arg, struct driver **ret_driver,
		     struct failure *ret_failure)
{
	struct fake_driver *fake = arg;

	(void)ret_failure;
	fake->base.events = events;
	fake->base.arg = events_arg;
	alarm_set(fake->look_alarm, LOOK_EVERY_MS);
	*ret_driver = &fake->base;
	return 0;
}

void fake_driver_init(struct fake_driver *fake, struct clock *clock)
{
	static const struct driver_ops ops = {
		.open = open_fleet,
		.launch = launch,
		.admit = admit,
		.hold = hold,
		.drain = drain,
		.refresh = refresh,
		.restart = restart,
		.terminate = terminate,
		.publish = publish,
		.revert = revert,
		.site_changed = site_changed,
		.is_current = is_current,
		.reconfigure = reconfigure,
		.checker_connected = checker_connected,
		.shut_down = shut_down,
		.close = close_fleet,
	};

	*fake = (struct fake_driver){ .base.ops = &ops, .clock = clock };
	fake->listen_ms = 10;
	fake->drain_ms = 50;
	fake->stop_ms = 5;
	fake->publish_ms = 5;
	fake->grace_ms = 2;
	fake->connected = 1;
	fake->release = fake->releases = 1;
	fake->open_alarm = alarm_new(clock, on_open, fake);
	fake->publish_alarm = alarm_new(clock, on_published, fake);
	fake->grace_alarm = alarm_new(clock, on_grace_over, fake);
	fake->down_alarm = alarm_new(clock, on_down, fake);
	fake->look_alarm = alarm_new(clock, on_look, fake);
}

void fake_driver_free(struct fake_driver *fake)
{
	while (fake->base.instances != NULL)
		fake_instance_free(of(fake->base.instances));
	alarm_free(fake->open_alarm);
	alarm_free(fake->publish_alarm);
	alarm_free(fake->grace_alarm);
	alarm_free(fake->down_alarm);
	alarm_free(fake->look_alarm);
}
