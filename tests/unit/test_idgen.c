/* test_idgen.c: ids, none of which comes twice.  The source itself is in here, for the permutation behind the ids. */
#include "../../src/fleet/idgen.c"
#include "folder_bench.h"

#include <ctype.h>

#define MANY (1u << 20)

static int by_number(const void *a, const void *b)
{
	uint32_t first = *(const uint32_t *)a;
	uint32_t second = *(const uint32_t *)b;

	return (first > second) - (first < second);
}

/* A million from where the fleet begins, and a million from where the numbers end. */
static void a_million_are_all_different(void **state)
{
	static const uint64_t keys[] = { 0, 1, UINT64_MAX, UINT64_C(0x0123456789abcdef) };
	uint32_t *numbers = calloc(2 * (size_t)MANY, sizeof *numbers);
	uint32_t i;
	size_t key;

	(void)state;
	assert_non_null(numbers);
	for (key = 0; key < sizeof keys / sizeof keys[0]; key++) {
		for (i = 0; i < MANY; i++) {
			numbers[i] = permute(i, keys[key]);
			numbers[MANY + i] = permute(UINT32_MAX - i, keys[key]);
		}
		qsort(numbers, 2 * (size_t)MANY, sizeof *numbers, by_number);
		for (i = 1; i < 2 * MANY; i++)
			if (numbers[i] == numbers[i - 1])
				fail_msg("%08x comes twice with key %zu", numbers[i], key);
	}
	free(numbers);
}

static void an_id_is_web_and_eight_digits(void **state)
{
	char id[ENTRY_ID_SIZE];
	size_t i;

	(void)state;
	assert_int_equal(idgen_next(".", id), 0);
	assert_int_equal(strlen(id), 12);
	assert_memory_equal(id, "web-", 4);
	for (i = 4; i < 12; i++)
		assert_true(isdigit((unsigned char)id[i]) || (id[i] >= 'a' && id[i] <= 'f'));
	assert_int_equal(folder_mode("ids"), 0600);
}

static void next_number(uint64_t *ret_key, uint32_t *ret_next)
{
	char *text;

	assert_int_equal(path_read("ids", 1000, &text, NULL), 0);
	assert_int_equal(sscanf(text, "%" SCNx64 " %" SCNu32, ret_key, ret_next), 2);
	free(text);
}

/* Each call reads anew what the one before, in whatever process, has left. */
static void the_row_goes_on(void **state)
{
	char ids[300][ENTRY_ID_SIZE];
	uint64_t key, first_key;
	uint32_t next;
	size_t i, j;

	(void)state;
	for (i = 0; i < 300; i++) {
		assert_int_equal(idgen_next(".", ids[i]), 0);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
		next_number(&key, &next);
		if (i == 0)
			first_key = key;
		assert_int_equal(next, i + 1);
		assert_true(key == first_key);
	}
}

static void fleets_have_keys_of_their_own(void **state)
{
	char one[ENTRY_ID_SIZE], two[ENTRY_ID_SIZE];

	(void)state;
	assert_int_equal(mkdir("one", 0700), 0);
	assert_int_equal(mkdir("two", 0700), 0);
	assert_int_equal(idgen_next("one", one), 0);
	assert_int_equal(idgen_next("two", two), 0);
	assert_string_not_equal(one, two);
}

static void a_damaged_file_begins_another_row(void **state)
{
	static const char *const contents[] = { "", "\n", "zzz", "0123456789abcdef", "\xff\xfe", "0123456789abcdef x" };
	char before[ENTRY_ID_SIZE], id[ENTRY_ID_SIZE];
	size_t i;

	(void)state;
	assert_int_equal(idgen_next(".", before), 0);
	for (i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		folder_write("ids", contents[i], 0600);
		assert_int_equal(idgen_next(".", id), 0);
		assert_string_not_equal(id, before);
		strcpy(before, id);
	}
}

/* An id that the next start would give again must not be given. */
static void what_can_not_be_kept_is_not_given(void **state)
{
	char id[ENTRY_ID_SIZE] = "untouched";

	(void)state;
	assert_int_equal(idgen_next("nowhere", id), -ENOENT);
	assert_string_equal(id, "untouched");
	assert_int_equal(mkdir("ids", 0700), 0);
	assert_true(idgen_next(".", id) < 0);
	assert_string_equal(id, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_are_all_different),
		folder_test(an_id_is_web_and_eight_digits),
		folder_test(the_row_goes_on),
		folder_test(fleets_have_keys_of_their_own),
		folder_test(a_damaged_file_begins_another_row),
		folder_test(what_can_not_be_kept_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
