/*
 * src/run/world.c
 *	  What the world has said: a file is there, a query is true, or neither can be told.
 *
 * A step of the pass like any other: what somebody holds is set aside and comes again,
 * and one node whose row cannot be written stops none of the others.
 */
#include "base/josch.h"

#include "run/world.h"

#include "run/step.h"
#include "run/store_world.h"

static int
apply_facts(EnginePass *pass, Piece *items, int n, void *argument)
{
	WorldFact **facts = palloc(sizeof(WorldFact *) * n);
	int			held = 0;
	int			changed;

	for (int i = 0; i < n; i++)
	{
		facts[i] = items[i].fact;
	}
	changed = josch_store_world_apply(facts, n, &held);
	pass->set_aside += held;
	return changed;
}

static int
compare_keys(const void *a, const void *b)
{
	return josch_node_key_compare((*(WorldFact *const *) a)->key, (*(WorldFact *const *) b)->key);
}

/* Of a node one at a time: a statement changes a row once. */
void
josch_world_apply(EnginePass *pass)
{
	Piece	   *items = palloc0(sizeof(Piece) * Max(pass->nfacts, 1));
	int			n = 0;

	if (pass->events_only)
	{
		return;
	}
	qsort(pass->facts, pass->nfacts, sizeof(WorldFact *), compare_keys);
	for (int i = 0; i < pass->nfacts; i++)
	{
		if (i > 0 && josch_node_key_equal(pass->facts[i]->key, pass->facts[i - 1]->key))
		{
			pass->more = true;
			continue;
		}
		if (!pass->facts[i]->done && !josch_step_is_quarantined(pass, pass->facts[i]->key))
		{
			items[n].key = pass->facts[i]->key;
			items[n++].fact = pass->facts[i];
		}
	}
	josch_step_apply_all(pass, apply_facts, items, n, NULL);
}
