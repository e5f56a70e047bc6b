/* test_record_queue.c: the order of dropping, the order of taking, and that nothing is counted twice. */
#include "record_bench.h"

#include "record/queue.h"

#define SMALL 4

static struct queue_item *sweep_item(size_t failed)
{
	struct sweep *sweep = sweep_alloc(SMALL);
	struct queue_item *item;

	sweep->failed = failed;
	item = queue_item_sweep(sweep);
	free(sweep);
	assert_non_null(item);
	return item;
}

static struct queue_item *event_item(void)
{
	struct event event = { .event = "died" };

	return queue_item_event(&event);
}

static struct queue_item *item_of(char letter)
{
	return letter == 'e' ? event_item() : sweep_item(letter == 'f');
}

/* "pfe": passed, failed, event; in the order in which they are taken. */
static void expect_taken(struct queue *queue, const char *letters)
{
	struct queue_item *items = queue_take(queue, SIZE_MAX);
	struct queue_item *item;
	char text[32] = "";
	size_t n = 0;

	for (item = items; item != NULL; item = item->next)
		text[n++] = item->event != NULL ? 'e' : item->sweep->failed != 0 ? 'f' : 'p';
	assert_string_equal(text, letters);
	queue_done(queue, items);
	assert_int_equal(queue->bytes, 0);
	assert_int_equal(queue->count, 0);
}

/* Into a queue with room for three sweeps. */
static void drops_in_order(void **state)
{
	static const struct {
		const char *added;
		const char *left;
		size_t dropped;
	} cases[] = {
		{ "ppp", "ppp", 0 },
		{ "pppp", "ppp", 1 },
		{ "pfpp", "fpp", 1 },
		{ "fpfp", "ffp", 1 },
		{ "fffp", "fff", 1 },    /* what came is what goes first */
		{ "ffff", "fff", 1 },
		{ "pfff", "fff", 1 },
		{ "epff", "eff", 1 },
		{ "efff", "eff", 1 },
		{ "eeefff", "eeef", 2 },
		{ "ppppppp", "ppp", 4 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct queue_item *measure = sweep_item(0);
		struct queue queue = { .bytes_max = 3 * measure->bytes };
		struct queue reference = { .bytes_max = SIZE_MAX };
		size_t dropped = 0;
		const char *p;

		queue_add(&reference, measure);
		queue_clear(&reference);
		for (p = cases[i].added; *p != '\0'; p++)
			dropped += queue_add(&queue, item_of(*p));
		assert_true(queue.bytes <= queue.bytes_max);
		assert_int_equal(dropped, cases[i].dropped);
		assert_int_equal(queue.count, strlen(cases[i].left));
		expect_taken(&queue, cases[i].left);
	}
}

static void drops_incidents_and_events_by_age(void **state)
{
	struct incident incident = { .id = "i1", .cause = "refused" };
	struct queue_item *item = queue_item_incident(&incident);
	struct queue queue = { .bytes_max = item->bytes };
	struct queue_item *taken;

	(void)state;
	assert_int_equal(queue_add(&queue, item), 0);
	assert_int_equal(queue_add(&queue, event_item()), 1);
	taken = queue_take(&queue, SIZE_MAX);
	assert_non_null(taken->event);
	queue_done(&queue, taken);
}

static void what_was_taken_comes_back_first(void **state)
{
	struct queue queue = { .bytes_max = SIZE_MAX };
	struct queue_item *items;

	(void)state;
	queue_add(&queue, item_of('p'));
	queue_add(&queue, item_of('e'));
	queue_add(&queue, item_of('f'));
	items = queue_take(&queue, SIZE_MAX);
	assert_true(queue_is_empty(&queue));
	assert_int_equal(queue.count, 3);
	queue_add(&queue, item_of('e'));
	queue_add(&queue, item_of('p'));
	queue_put_back(&queue, items);
	expect_taken(&queue, "pefep");
	queue_put_back(&queue, NULL);
	assert_true(queue_is_empty(&queue));
}

static void takes_at_least_one(void **state)
{
	struct queue queue = { .bytes_max = SIZE_MAX };
	struct queue_item *items;

	(void)state;
	assert_null(queue_take(&queue, SIZE_MAX));
	queue_add(&queue, item_of('p'));
	queue_add(&queue, item_of('p'));
	queue_add(&queue, item_of('p'));
	items = queue_take(&queue, 1);
	assert_non_null(items);
	assert_null(items->next);
	queue_done(&queue, items);
	items = queue_take(&queue, queue.bytes);
	assert_non_null(items->next);
	queue_done(&queue, items);
	assert_int_equal(queue.count, 0);
}

/* What is being written can't be dropped; what came last must yield. */
static void what_is_taken_counts_towards_the_bound(void **state)
{
	struct queue_item *item = sweep_item(0);
	struct queue queue = { .bytes_max = 2 * item->bytes };
	struct queue_item *items;

	(void)state;
	queue_add(&queue, item);
	queue_add(&queue, item_of('p'));
	items = queue_take(&queue, SIZE_MAX);
	assert_int_equal(queue_add(&queue, item_of('f')), 1);
	queue_put_back(&queue, items);
	expect_taken(&queue, "pp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_in_order),
		cmocka_unit_test(drops_incidents_and_events_by_age),
		cmocka_unit_test(what_was_taken_comes_back_first),
		cmocka_unit_test(takes_at_least_one),
		cmocka_unit_test(what_is_taken_counts_towards_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
