/* fuzz_config.c: any bytes as openbell.yaml; what is accepted must print as YAML that reads back the same. */
#define _GNU_SOURCE
#include "config/config.h"
#include "config/parse.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *parse(const char *text, size_t length)
{
	struct config_findings findings;
	struct config *config = NULL;

	config_parse_text("openbell.yaml", "/srv/openbell.yaml", "/srv", text, length, &config, &findings);
	config_findings_free(&findings);
	return config;
}

/* Masked secrets are masked the same the second time, so JSON tells any difference. */
static void check_round_trip(const struct config *config)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct config *again;
	char *first;
	char *second;

	if (out == NULL || config_print(config, out) < 0)
		abort();
	fclose(out);
	again = parse(text, length);
	if (again == NULL)
		abort();
	first = config_to_json(config);
	second = config_to_json(again);
	if (first == NULL || second == NULL || strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	free(text);
	config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;

	if (size > TEXT_MAX)
		return 0;
	config = parse((const char *)data, size);
	if (config != NULL)
		check_round_trip(config);
	config_free(config);
	return 0;
}
