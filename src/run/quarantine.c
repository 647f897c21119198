/*
 * src/run/quarantine.c
 *	  Nodes that cannot be handled, and whose failure cannot even be recorded.
 */
#include "base/josch.h"

#include "run/quarantine.h"

#include "utils/memutils.h"

#include "base/node_key.h"
#include "base/report.h"
#include "base/wake.h"

/* How long such a node is left alone: doubled each time, up to the last. */
#define FIRST_SECONDS 1
#define LAST_SECONDS 64

typedef struct Quarantined
{
	NodeKey		key;
	TimestampTz until;
	int			seconds;
	char		reason[JOSCH_WAIT_MAX];
	struct Quarantined *next;
} Quarantined;

/* in TopMemoryContext; nearly always empty */
static Quarantined *quarantine = NULL;

static Quarantined *
find(NodeKey key)
{
	for (Quarantined *q = quarantine; q != NULL; q = q->next)
	{
		if (josch_node_key_equal(q->key, key))
		{
			return q;
		}
	}
	return NULL;
}

TimestampTz
josch_quarantine_until(NodeKey key, TimestampTz now)
{
	Quarantined *q = quarantine != NULL ? find(key) : NULL;

	return q == NULL || q->until <= now ? 0 : q->until;
}

TimestampTz
josch_quarantine_put(NodeKey key, TimestampTz now, char *reason)
{
	Quarantined *q = find(key);

	if (q == NULL)
	{
		q = MemoryContextAllocZero(TopMemoryContext, sizeof(Quarantined));
		q->key = key;
		q->seconds = FIRST_SECONDS;
		q->next = quarantine;
		quarantine = q;
	}
	else
	{
		q->seconds = Min(q->seconds * 2, LAST_SECONDS);
	}
	strlcpy(q->reason, josch_report_cut(reason, JOSCH_WAIT_MAX - 1), JOSCH_WAIT_MAX);
	q->until = TimestampTzPlusMilliseconds(now, q->seconds * 1000);
	return q->until;
}

void
josch_quarantine_clear(TimestampTz now)
{
	Quarantined **link = &quarantine;

	while (*link != NULL)
	{
		Quarantined *q = *link;

		if (TimestampDifferenceExceeds(q->until, now, LAST_SECONDS * 1000))
		{
			*link = q->next;
			pfree(q);
		}
		else
		{
			link = &q->next;
		}
	}
}

const char *
josch_quarantine_reason(TimestampTz now)
{
	for (Quarantined *q = quarantine; q != NULL; q = q->next)
	{
		if (q->until > now)
		{
			return q->reason;
		}
	}
	return NULL;
}
