/* ladder.c: see ladder.h. */
#include "watch/ladder.h"

#define BACKOFF_FREE 2
#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 30000

enum ladder_kind ladder_kind_of(enum reason reason)
{
	switch (reason) {
	case REASON_OK:
		return LADDER_WELL;
	case REASON_REFUSED:
	case REASON_TIMEOUT:
	case REASON_RESET:
	case REASON_PROTOCOL:
	case REASON_SERVICE_DOWN:
		return LADDER_SILENT;
	case REASON_UNREACHABLE:
	case REASON_DNS:
	case REASON_SSH_CONNECT:
	case REASON_SSH_HOSTKEY:
	case REASON_SSH_AUTH:
	case REASON_SSH_COMMAND:
	case REASON_SSH_TIMEOUT:
		return LADDER_CUT_OFF;
	case REASON_TLS:
	case REASON_CERTIFICATE:
	case REASON_STATUS:
	case REASON_BODY:
	case REASON_HEADER:
	case REASON_TOO_LARGE:
	case REASON_GONE:
	case REASON_COUNT:
		break;
	}
	return LADDER_WRONG;
}

/* Too much of a fleet of two or more at once looks like one cause, not like many. */
static bool is_braked(const struct ladder_facts *facts)
{
	return facts->fleet >= 2 && facts->failing * 1000 > facts->fleet * facts->brake_permille;
}

static enum ladder_action replace(const struct ladder_facts *facts)
{
	/* What is seen dead can't be the checker's mistake. */
	if (facts->kind == LADDER_DEAD || !is_braked(facts))
		return LADDER_REPLACE;
	return facts->connected == 1 && facts->replacing == 0 ? LADDER_REPLACE : LADDER_BRAKE;
}

enum ladder_action ladder_step(const struct ladder_facts *facts)
{
	if (facts->kind == LADDER_WELL)
		return LADDER_NONE;
	if (facts->failures >= facts->replace_after)
		return replace(facts);
	switch (facts->kind) {
	case LADDER_DEAD:
		return facts->may_restart ? LADDER_RESTART : LADDER_REPLACE;
	case LADDER_SILENT:
		return facts->may_restart ? LADDER_RESTART : LADDER_RECHECK;
	case LADDER_WRONG:
		/*
		 * A first wrong answer may be a file that is being written; the same
		 * from everybody is the content, which no restart mends.
		 */
		if (facts->failures >= 2 && facts->restarts == 0 && facts->may_restart && !is_braked(facts))
			return LADDER_RESTART;
		return LADDER_RECHECK;
	default:
		return LADDER_RECHECK;
	}
}

unsigned ladder_backoff_ms(unsigned deaths)
{
	unsigned delay_ms = BACKOFF_FIRST_MS;
	unsigned i;

	if (deaths <= BACKOFF_FREE)
		return 0;
	for (i = BACKOFF_FREE + 1; i < deaths && delay_ms < BACKOFF_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms < BACKOFF_MAX_MS ? delay_ms : BACKOFF_MAX_MS;
}
