/*
 * src/run/admit_limited.c
 *	  Nodes that have limits or a priority: those that can begin do so.
 *
 * They are chosen here one by one, and begun together.  Units are written with the runs, in
 * the same subtransaction, so that none is taken by a run that does not exist.
 */
#include "base/josch.h"

#include "run/admit_limited.h"

#include "miscadmin.h"

#include "base/clock.h"
#include "base/config.h"
#include "node/node_table.h"
#include "node/queue.h"
#include "node/recounts.h"
#include "node/units.h"
#include "node/waiting.h"
#include "run/admit_paused.h"
#include "run/begin.h"
#include "run/limits.h"
#include "run/step.h"
#include "run/store_limit_book.h"

/* Those without limits that wait for the same places. */
typedef struct Rivals
{
	bool		known;
	bool		crowded;		/* there are as many as places, or more: since[] is read */
	int			n;
	TimestampTz *since;
} Rivals;

typedef struct Look
{
	EnginePass *pass;
	const Pauses *pauses;
	int			limit;
	LimitBook	book;
	LimitHead  *heads;
	int			nheads;
	LimitHead  *chosen;
	int			nchosen;
	int			begun[QUEUE_LINES]; /* of these */
	Rivals		rivals[QUEUE_LINES];
	NodeKey    *paused;
	int			npaused;
	bool		waits;			/* for a place, or for somebody who holds it */
} Look;

/* ---- places ---- */

static TimestampTz
waits_since(JoschFinder *nodes, NodeKey key)
{
	Datum		datums[JOSCH_NODE_KEYS];

	josch_node_key_datums(key, datums);
	return josch_finder_find(nodes, datums) ?
		DatumGetTimestampTz(josch_finder_get(nodes, NODES_STATE_SINCE, &(bool) {false})) : DT_NOBEGIN;
}

/* They begin in their own order, and nobody overtakes the first. */
static void
meet_rivals(Look *look, QueueLine line)
{
	Rivals	   *rivals = &look->rivals[line];
	int			places = look->pass->free[line];
	NodeKey    *keys = palloc(sizeof(NodeKey) * places);

	rivals->known = true;
	rivals->n = josch_queue_peek(line, places, keys);
	rivals->since = palloc(sizeof(TimestampTz) * places);
	rivals->crowded = rivals->n > 0;
	for (int i = 0; i < rivals->n; i++)
	{
		rivals->since[i] = DT_NOBEGIN;
	}
	for (int i = 0; i < rivals->n; i++)
	{
		rivals->since[i] = waits_since(&look->book.nodes, keys[i]);
	}
}

/* Of the places that are left, as many belong to those without limits as wait longer. */
static bool
has_place(void *argument, const LimitHead *head)
{
	Look	   *look = argument;
	QueueLine	line = head->sql ? QUEUE_SQL : QUEUE_COMMANDS;
	int			left = look->pass->free[line] - look->begun[line];
	int			before = 0;

	if (left <= 0)
	{
		return false;
	}
	if (!look->rivals[line].known)
	{
		meet_rivals(look, line);
	}
	while (before < look->rivals[line].n && look->rivals[line].since[before] <= head->rank)
	{
		before++;
	}
	return left > before;
}

/* ---- who begins ---- */

static bool
is_paused(const Look *look, const LimitHead *head)
{
	return look->pauses->of_jobs && josch_pauses_of_job(look->pauses, head->job_name, head->key.job_date) != NULL;
}

/* Takes it, unless it cannot begin for a reason of its own: then the next of its group stands there. */
static void
choose(Look *look, LimitHead *head)
{
	JoschLock	lock = JOSCH_LOCK_GONE;

	if (is_paused(look, head))
	{
		look->paused[look->npaused++] = head->key;
	}
	else if (josch_step_is_quarantined(look->pass, head->key))
	{
		look->waits = true;
	}
	else
	{
		lock = josch_limit_book_lock(&look->book, head);
	}
	if (lock == JOSCH_LOCK_TAKEN)
	{
		josch_limits_take(head->needs, head->nneeds);
		look->begun[head->sql ? QUEUE_SQL : QUEUE_COMMANDS]++;
		look->chosen[look->nchosen++] = *head;
	}
	else if (lock == JOSCH_LOCK_HELD)
	{
		look->pass->set_aside++;
		look->waits = true;
	}
	(void) josch_limit_book_next(&look->book, head);
}

static void
look_at_all(void *argument)
{
	Look	   *look = argument;
	int			at = 0;
	int			steps = 0;

	josch_limit_book_open(&look->book, look->pauses, RowExclusiveLock);
	look->heads = josch_limit_book_heads(&look->book, &look->nheads);
	while (steps < look->limit &&
		   (at = josch_limits_next(look->heads, look->nheads, look->pass->now, josch_config_reserve_after, has_place, look)) >= 0)
	{
		CHECK_FOR_INTERRUPTS();
		choose(look, &look->heads[at]);
		steps++;
	}
	for (int i = 0; i < look->nheads; i++)
	{
		look->waits |= look->heads[i].placeless;
	}
	look->waits |= at >= 0;
	josch_limit_book_close(&look->book);
}

/* ---- they begin ---- */

typedef struct Beginning
{
	MemoryContext caller;
	const LimitHead *chosen;
	int			nchosen;
} Beginning;

static const LimitHead *
find_chosen(const Beginning *beginning, NodeKey key)
{
	for (int i = 0; i < beginning->nchosen; i++)
	{
		if (josch_node_key_equal(beginning->chosen[i].key, key))
		{
			return &beginning->chosen[i];
		}
	}
	elog(ERROR, "a node begins that was not chosen");
}

static int
apply_limited(EnginePass *pass, Piece *items, int n, void *argument)
{
	const Beginning *beginning = argument;
	int			before = pass->nlaunches;
	int			begun = josch_begin_launch(pass, items, n, beginning->caller, WAITS_FOR_LIMIT);
	Units	   *units = NULL;
	int			nunits = 0;

	for (int i = before; i < pass->nlaunches; i++)
	{
		const LimitHead *head = find_chosen(beginning, pass->launches[i].key);

		units = units == NULL ? palloc(sizeof(Units) * (head->nneeds + 1)) : repalloc(units, sizeof(Units) * (nunits + head->nneeds + 1));
		for (int j = 0; j < head->nneeds; j++)
		{
			const LimitNeed *need = &head->needs[j];

			units[nunits++] = (Units) {head->key, need->pool->kind, need->pool->name, head->job_name, need->units};
		}
	}
	josch_units_take(units, nunits, josch_clock_now());
	return begun;
}

/* Returns whether all have begun. */
static bool
begin(Look *look, MemoryContext caller)
{
	EnginePass *pass = look->pass;
	Piece	   *items = palloc0(sizeof(Piece) * Max(look->nchosen, 1));
	Beginning	beginning = {caller, look->chosen, look->nchosen};
	int			before = pass->nlaunches;
	int			n = look->nchosen;

	for (int i = 0; i < n; i++)
	{
		items[i].key = look->chosen[i].key;
	}
	if (n > 0 && (pass->recounts_wait || josch_recounts_noted() > pass->noted))
	{
		n = josch_recounts_leave_out(items, n, sizeof(Piece));
	}
	josch_step_apply_all(pass, apply_limited, items, n, &beginning);
	for (int i = before; i < pass->nlaunches; i++)
	{
		pass->free[pass->launches[i].sql ? QUEUE_SQL : QUEUE_COMMANDS]--;
	}
	return pass->nlaunches - before == look->nchosen;
}

void
josch_admit_limited(EnginePass *pass, const Pauses *pauses, MemoryContext caller, bool *more)
{
	Look		look = {.pass = pass, .pauses = pauses, .limit = josch_step_limit(pass)};
	bool		all_begun;

	if (josch_queue_limits_settled() || (pass->free[QUEUE_COMMANDS] <= 0 && pass->free[QUEUE_SQL] <= 0))
	{
		return;
	}
	look.chosen = palloc(sizeof(LimitHead) * look.limit);
	look.paused = palloc(sizeof(NodeKey) * look.limit);
	if (!josch_step_reach(pass, look_at_all, &look, 1))
	{
		return;
	}
	all_begun = begin(&look, caller);
	josch_admit_paused_put_aside(pass, look.paused, look.npaused);
	if (all_begun && !look.waits)
	{
		josch_queue_settle_limits();
	}
	*more |= look.nchosen + look.npaused >= look.limit;
}
