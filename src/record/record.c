/* record.c: the writer of record.h: a queue on the loop, a store on a worker thread. */
#include "record/record.h"

#include "base/clock.h"
#include "record/queue.h"
#include "record/sqlite_store.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#define BATCH_BYTES_MAX (1024 * 1024)
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 15000
#define CLOSING_RETRY_MS 100
#define PRUNE_EVERY_MS (60 * 60 * 1000)

/* What the worker does next, and how it went.  The worker's own while `working`. */
struct job {
	uv_work_t work;
	struct queue_item *items;
	bool close;              /* nothing else: close the file */
	bool prune;
	int64_t prune_before_ms;
	bool written;            /* the items are */
	bool prune_more;
	int r;
	struct failure failure;
};

/*
 * Idle:     not working, alarm not set, nothing to write.
 * Working:  a job runs on a worker thread; `store` and `job` are the worker's.
 * Waiting:  not working, alarm set: the store failed and is tried again then.
 * Closing:  close_cb set; as above until the queue is empty, can't be
 *           written, or the deadline passes; then a last job closes the file.
 * Orphan:   `orphan` set: the deadline passed and close_cb ran; the job that
 *           still ran, and then the one that closes, are waited for, and the
 *           last one frees.
 */
struct record {
	uv_loop_t *loop;
	struct clock *clock;
	record_state_cb *cb;
	void *arg;
	struct sqlite_store *store;
	struct queue queue;
	struct record_state state;
	struct alarm *retry;
	uint64_t retry_ms;
	int64_t keep_ms;
	bool prune_due;
	bool pruned;             /* once, at pruned_at_ms */
	uint64_t pruned_at_ms;   /* monotonic */
	struct job job;
	bool working;
	record_close_cb *close_cb;
	void *close_arg;
	struct alarm *deadline;
	bool give_up;
	bool orphan;
};

static void step(struct record *record);

static void free_record(struct record *record)
{
	if (record == NULL)
		return;
	queue_clear(&record->queue);
	alarm_free(record->retry);
	alarm_free(record->deadline);
	sqlite_store_free(record->store);
	free(record);
}

static void work(uv_work_t *request)
{
	struct record *record = request->data;
	struct job *job = &record->job;

	if (job->close) {
		sqlite_store_close(record->store);
		return;
	}
	if (job->items != NULL)
		job->r = sqlite_store_write(record->store, job->items, &job->failure);
	job->written = job->r == 0;
	if (job->r == 0 && job->prune)
		job->r = sqlite_store_prune(record->store, job->prune_before_ms, &job->prune_more, &job->failure);
}

static void count_pending(struct record *record)
{
	record->state.pending = record->queue.count;
}

/* Returns whether `ok` changed. */
static bool set_state(struct record *record, const struct job *job)
{
	struct record_state *state = &record->state;
	bool was_ok = state->ok;

	state->ok = job->r == 0;
	if (state->ok) {
		state->failing_since_ms = 0;
		state->failure = (struct failure){ 0 };
	} else {
		if (was_ok)
			state->failing_since_ms = clock_utc_ms(record->clock);
		state->failure = job->failure;
	}
	return state->ok != was_ok;
}

/* Anything but somebody's lock will not be better before a close's deadline. */
static void plan_retry(struct record *record, int r)
{
	if (r == 0) {
		record->retry_ms = RETRY_FIRST_MS;
	} else if (record->close_cb == NULL) {
		alarm_set(record->retry, record->retry_ms);
		record->retry_ms = record->retry_ms * 2 < RETRY_MAX_MS ? record->retry_ms * 2 : RETRY_MAX_MS;
	} else if (r == -EBUSY) {
		alarm_set(record->retry, CLOSING_RETRY_MS);
	} else {
		record->give_up = true;
	}
}

static void end_job(struct record *record)
{
	struct job *job = &record->job;

	if (job->written)
		queue_done(&record->queue, job->items);
	else
		queue_put_back(&record->queue, job->items);
	job->items = NULL;
	count_pending(record);
	if (job->r == 0 && job->prune) {
		record->prune_due = job->prune_more;
		record->pruned = true;
		if (!job->prune_more && !record->orphan)
			record->pruned_at_ms = clock_mono_ms(record->clock);
	}
}

/* Its clock may be freed in the callback: the alarms go first. */
static void report_closed(struct record *record)
{
	alarm_free(record->retry);
	alarm_free(record->deadline);
	record->retry = NULL;
	record->deadline = NULL;
	record->close_cb(record->close_arg);
}

static void closed(struct record *record)
{
	if (!record->orphan)
		report_closed(record);
	free_record(record);
}

static void after_work(uv_work_t *request, int status)
{
	struct record *record = request->data;
	struct job *job = &record->job;

	(void)status;
	record->working = false;
	if (job->close) {
		closed(record);
		return;
	}
	end_job(record);
	if (!record->orphan) {
		plan_retry(record, job->r);
		if (set_state(record, job) && record->cb != NULL)
			record->cb(record->arg, &record->state);
	}
	step(record);
}

static bool prune_is_due(struct record *record)
{
	if (record->keep_ms <= 0 || record->close_cb != NULL)
		return false;
	if (!record->pruned || clock_mono_ms(record->clock) - record->pruned_at_ms >= PRUNE_EVERY_MS)
		record->prune_due = true;
	return record->prune_due;
}

static void start_job(struct record *record, bool close)
{
	struct job *job = &record->job;

	*job = (struct job){ .close = close };
	if (!close) {
		job->items = queue_take(&record->queue, BATCH_BYTES_MAX);
		job->prune = prune_is_due(record);
		job->prune_before_ms = job->prune ? clock_utc_ms(record->clock) - record->keep_ms : 0;
	}
	job->work.data = record;
	record->working = true;
	uv_queue_work(record->loop, &job->work, work, after_work);
}

/* Whatever is next, unless a job runs or a retry is waited for. */
static void step(struct record *record)
{
	if (record->working)
		return;
	if (record->orphan || record->give_up || (record->close_cb != NULL && queue_is_empty(&record->queue)))
		start_job(record, true);
	else if (!alarm_is_set(record->retry) && (!queue_is_empty(&record->queue) || record->prune_due))
		start_job(record, false);
}

static void on_retry(void *arg)
{
	step(arg);
}

int record_open_sqlite(uv_loop_t *loop, struct clock *clock, const char *path, int64_t keep_ms, record_state_cb *cb,
		       void *arg, struct record **ret_record)
{
	struct record *record = calloc(1, sizeof *record);

	if (record == NULL)
		return -ENOMEM;
	record->loop = loop;
	record->clock = clock;
	record->cb = cb;
	record->arg = arg;
	record->keep_ms = keep_ms;
	record->queue.bytes_max = RECORD_QUEUE_BYTES_MAX;
	record->retry_ms = RETRY_FIRST_MS;
	record->state.ok = true;
	record->store = sqlite_store_new(path);
	record->retry = alarm_new(clock, on_retry, record);
	if (record->store == NULL || record->retry == NULL) {
		free_record(record);
		return -ENOMEM;
	}
	*ret_record = record;
	return 0;
}

static void add(struct record *record, struct queue_item *item)
{
	record->state.lost += item != NULL ? queue_add(&record->queue, item) : 1;
	count_pending(record);
	step(record);
}

void record_add_sweep(struct record *record, const struct sweep *sweep)
{
	add(record, queue_item_sweep(sweep));
}

void record_add_event(struct record *record, const struct event *event)
{
	add(record, queue_item_event(event));
}

void record_add_incident(struct record *record, const struct incident *incident)
{
	add(record, queue_item_incident(incident));
}

const struct record_state *record_state(const struct record *record)
{
	return &record->state;
}

static void on_deadline(void *arg)
{
	struct record *record = arg;

	sqlite_store_hurry(record->store);
	record->orphan = true;
	report_closed(record);
	step(record);
}

void record_close(struct record *record, uint64_t timeout_ms, record_close_cb *cb, void *arg)
{
	record->close_cb = cb;
	record->close_arg = arg;
	record->deadline = alarm_new(record->clock, on_deadline, record);
	if (record->deadline != NULL)
		alarm_set(record->deadline, timeout_ms);
	else
		record->give_up = true;
	/* One more try now. */
	alarm_cancel(record->retry);
	step(record);
}
