/*
 * src/node/units.c
 *	  josch.units_in_use: what nodes have taken of semaphores, and of the places of their jobs.
 */
#include "base/josch.h"

#include "node/units.h"

#include "utils/builtins.h"

#include "base/finder.h"
#include "base/writer.h"
#include "node/node_table.h"
#include "node/queue.h"

/* ---- taken ---- */

typedef struct Taking
{
	const Units *units;
	int			n;
	TimestampTz now;
} Taking;

/* JoschNextRow */
static bool
next_units(void *arg, Datum *values, bool *nulls)
{
	Taking	   *taking = arg;
	const Units *units = taking->units++;

	if (taking->n-- == 0)
	{
		return false;
	}
	values[UNITS_JOB_DATE] = DateADTGetDatum(units->key.job_date);
	values[UNITS_NODE_ID] = Int64GetDatum(units->key.node_id);
	values[UNITS_LIMIT_KIND] = CharGetDatum(units->kind);
	values[UNITS_LIMIT_NAME] = CStringGetTextDatum(units->name);
	values[UNITS_JOB_NAME] = CStringGetTextDatum(units->job_name);
	values[UNITS_UNITS] = Int32GetDatum(units->units);
	values[UNITS_TAKEN_AT] = TimestampTzGetDatum(taking->now);
	return true;
}

void
josch_units_take(const Units *units, int n, TimestampTz now)
{
	Taking		taking = {units, n, now};

	if (n > 0)
	{
		(void) josch_writer_insert(&josch_units_in_use, NULL, next_units, &taking);
	}
}

/* ---- given back ---- */

static void
give_back(JoschFinder *taken, NodeKey key, bool all)
{
	Datum		datums[JOSCH_NODE_KEYS];

	josch_node_key_datums(key, datums);
	josch_finder_seek(taken, datums);
	while (josch_finder_next(taken))
	{
		bool		isnull;

		if (all || DatumGetChar(josch_finder_get(taken, UNITS_LIMIT_KIND, &isnull)) == LIMIT_OF_JOB)
		{
			josch_finder_delete(taken);
		}
	}
}

void
josch_units_give_back(const NodeKey *freed, int nfreed, const NodeKey *settled, int nsettled)
{
	JoschFinder taken;

	if (nfreed + nsettled == 0)
	{
		return;
	}
	josch_finder_open(&taken, &josch_units_in_use, JOSCH_NODE_KEYS, RowExclusiveLock);
	for (int i = 0; i < nfreed; i++)
	{
		give_back(&taken, freed[i], true);
	}
	for (int i = 0; i < nsettled; i++)
	{
		give_back(&taken, settled[i], false);
	}
	josch_finder_close(&taken);
	josch_queue_unsettle_limits();
}
