/* idgen.c: see idgen.h. */
#define _GNU_SOURCE
#include "fleet/idgen.h"

#include "base/path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROUNDS 6
#define FILE_MAX_BYTES 128

/* A Feistel network: a permutation of 32 bits whatever the round function is. */
static uint32_t permute(uint32_t number, uint64_t key)
{
	uint32_t left = number >> 16;
	uint32_t right = number & 0xffff;
	unsigned round;

	for (round = 0; round < ROUNDS; round++) {
		uint64_t mixed = (right + round + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ key;
		uint32_t next;

		mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
		next = left ^ (uint32_t)(mixed >> 48);
		left = right;
		right = next;
	}
	return left << 16 | right;
}

static int read_state(const char *path, uint64_t *ret_key, uint32_t *ret_next)
{
	char *text;
	int r = path_read(path, FILE_MAX_BYTES, &text, NULL);

	if (r == 0) {
		int fields = sscanf(text, "%" SCNx64 " %" SCNu32, ret_key, ret_next);

		free(text);
		if (fields == 2)
			return 0;
		/* Damaged: a new key makes a repetition as unlikely as a chance can. */
	} else if (r != -ENOENT) {
		return r;
	}
	if (getrandom(ret_key, sizeof *ret_key, 0) != (ssize_t)sizeof *ret_key)
		return -EIO;
	*ret_next = 0;
	return 0;
}

int idgen_next(const char *folder, char ret_id[ENTRY_ID_SIZE])
{
	char *path = path_format("%s/ids", folder);
	char text[FILE_MAX_BYTES];
	uint64_t key;
	uint32_t next;
	int r;

	if (path == NULL)
		return -ENOMEM;
	r = read_state(path, &key, &next);
	if (r == 0) {
		int length = snprintf(text, sizeof text, "%016" PRIx64 " %" PRIu32 "\n", key, next + 1);

		r = path_write(path, text, (size_t)length, 0600, true);
	}
	free(path);
	if (r < 0)
		return r;
	snprintf(ret_id, ENTRY_ID_SIZE, "web-%08" PRIx32, permute(next, key));
	return 0;
}
