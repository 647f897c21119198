/*
 * src/node/recounts.c
 *	  josch.recounts: nodes whose parents are to be counted anew, because somebody held them.
 */
#include "base/josch.h"

#include "node/recounts.h"

#include "miscadmin.h"

#include "base/node_key.h"
#include "base/nonce.h"
#include "base/writer.h"
#include "node/node_table.h"

typedef struct Notes
{
	const NodeKey *keys;
	int			n;
	int			at;
} Notes;

/* JoschNextRow */
static bool
next_note(void *arg, Datum *values, bool *nulls)
{
	Notes	   *notes = arg;

	if (notes->at == notes->n)
	{
		return false;
	}
	josch_node_key_datums(notes->keys[notes->at++], values);
	values[RECOUNTS_NOTE] = Int64GetDatum(josch_nonce_new());
	return true;
}

static int64 noted = 0;

int64
josch_recounts_noted(void)
{
	return noted;
}

void
josch_recounts_note(const NodeKey *keys, int n)
{
	Notes		notes = {keys, n, 0};

	if (josch_writer_insert(&josch_recounts, NULL, next_note, &notes) < (uint64) n)
	{
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a trigger on josch.recounts suppressed the note that a node is to be counted")));
	}
	noted += n;
}

void
josch_recounts_open(JoschFinder *recounts)
{
	josch_finder_open(recounts, &josch_recounts, JOSCH_NODE_KEYS, AccessShareLock);
}

bool
josch_recounts_find(JoschFinder *recounts, NodeKey key)
{
	Datum		datums[JOSCH_NODE_KEYS];

	josch_node_key_datums(key, datums);
	return josch_finder_find(recounts, datums);
}

int
josch_recounts_leave_out(void *items, int n, size_t size)
{
	JoschFinder recounts;
	int			kept = 0;

	josch_recounts_open(&recounts);
	for (int i = 0; i < n; i++)
	{
		char	   *item = (char *) items + i * size;

		if (!josch_recounts_find(&recounts, *(NodeKey *) item))
		{
			memmove((char *) items + kept++ * size, item, size);
		}
	}
	josch_finder_close(&recounts);
	return kept;
}

/* ---- the engine counts ---- */

static NodeKey
key_at_hand(JoschFinder *recounts)
{
	bool		isnull;

	return (NodeKey) {
		DatumGetInt64(josch_finder_get(recounts, RECOUNTS_NODE_ID, &isnull)),
		DatumGetDateADT(josch_finder_get(recounts, RECOUNTS_JOB_DATE, &isnull))
	};
}

NodeKey *
josch_recounts_list(int limit, int *n)
{
	JoschFinder recounts;
	JoschFinder nodes;
	NodeKey    *keys = palloc(sizeof(NodeKey) * limit);
	NodeKey		last = {0};

	*n = 0;
	josch_finder_open(&recounts, &josch_recounts, 0, RowExclusiveLock);
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	josch_finder_seek(&recounts, NULL);
	while (*n < limit && josch_finder_next(&recounts))
	{
		NodeKey		key = key_at_hand(&recounts);
		Datum		datums[JOSCH_NODE_KEYS];

		CHECK_FOR_INTERRUPTS();
		josch_node_key_datums(key, datums);
		if (josch_node_key_equal(key, last))
		{
			continue;
		}
		if (!josch_finder_find(&nodes, datums))
		{
			/* so may another pass, in a session */
			if (josch_finder_lock(&recounts) == JOSCH_LOCK_TAKEN)
			{
				josch_finder_delete(&recounts);
			}
			continue;
		}
		last = key;
		if (josch_finder_lock(&nodes) == JOSCH_LOCK_TAKEN)
		{
			keys[(*n)++] = key;
		}
	}
	josch_finder_close(&nodes);
	josch_finder_close(&recounts);
	return keys;
}

void
josch_recounts_take_away(const NodeKey *keys, int n)
{
	JoschFinder recounts;

	josch_finder_open(&recounts, &josch_recounts, JOSCH_NODE_KEYS, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		for (bool more = josch_recounts_find(&recounts, keys[i]); more; more = josch_finder_next(&recounts))
		{
			josch_finder_delete(&recounts);
		}
	}
	josch_finder_close(&recounts);
}
