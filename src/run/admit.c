/*
 * src/run/admit.c
 *	  What is ready goes on: milestones, and what finds a place to run.  What is not to run is omitted.
 */
#include "base/josch.h"

#include "run/admit.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "node/queue.h"
#include "node/recounts.h"
#include "node/store_node.h"
#include "node/waiting.h"
#include "run/admit_limited.h"
#include "run/admit_paused.h"
#include "run/begin.h"
#include "run/pauses.h"
#include "run/plan.h"
#include "run/step.h"
#include "run/store_pass.h"

/* Returns how many were moved. */
static int
note_taken(EnginePass *pass, StoreTaken taken)
{
	if (taken.suppressed != NODE_STATE_READY)
	{
		josch_step_complain_of_suppression(josch_fsm_label(taken.suppressed));
	}
	pass->set_aside += taken.held;
	return taken.done;
}

static int
apply_move(EnginePass *pass, Piece *items, int n, void *argument)
{
	return note_taken(pass, josch_store_pass_move(josch_step_keys(items, n), n, josch_plan_free));
}

static int
apply_rules(EnginePass *pass, Piece *items, int n, void *argument)
{
	return note_taken(pass, josch_store_pass_omit(josch_step_keys(items, n), n));
}

/* The launches are collected in the context that the argument is. */
static int
apply_commands(EnginePass *pass, Piece *items, int n, void *argument)
{
	return josch_begin_launch(pass, items, n, argument, WAITS_FOR_COMMAND);
}

static int
apply_sql(EnginePass *pass, Piece *items, int n, void *argument)
{
	return josch_begin_launch(pass, items, n, argument, WAITS_FOR_SQL);
}

/* Reads as many rows as runs are open, unless it is known how many there are. */
static void
find_places(void *argument)
{
	EnginePass *pass = argument;

	int			commands = pass->open[QUEUE_COMMANDS] - pass->ended[QUEUE_COMMANDS];
	int			sql = pass->open[QUEUE_SQL] - pass->ended[QUEUE_SQL];

	if (!pass->places_known)
	{
		josch_store_run_places(&commands, &sql);
	}
	pass->free[QUEUE_FREE] = pass->free[QUEUE_RULES] = PG_INT32_MAX;
	pass->free[QUEUE_COMMANDS] = Max(pass->max_commands - commands, 0);
	pass->free[QUEUE_SQL] = Max(pass->max_sql - sql, 0);
}

/* The next nodes of one line. */
typedef struct Work
{
	EnginePass *pass;
	const Pauses *pauses;
	QueueLine	line;
	int			limit;
	int			taken;
	Piece	   *items;			/* of these, those that can be begun */
	int			n;
} Work;

/* Places come first, and then as many nodes: those that wait for one are not even read. */
static void
take_work(void *argument)
{
	Work	   *work = argument;
	NodeKey    *keys = palloc(sizeof(NodeKey) * work->limit);

	work->taken = josch_queue_take(work->line, work->limit, keys);
	work->items = palloc0(sizeof(Piece) * Max(work->taken, 1));
	for (int i = 0; i < work->taken; i++)
	{
		if (!josch_step_is_quarantined(work->pass, keys[i]))
		{
			work->items[work->n++].key = keys[i];
		}
	}
	if (work->n > 0 && (work->pass->recounts_wait || josch_recounts_noted() > work->pass->noted))
	{
		work->n = josch_recounts_leave_out(work->items, work->n, sizeof(Piece));
	}
	if (work->pauses->of_jobs && (work->line == QUEUE_COMMANDS || work->line == QUEUE_SQL))
	{
		work->n = josch_admit_paused_leave_out(work->pass, work->pauses, work->items, work->n);
	}
}

/* Begins the next nodes of a line; returns how many, and whether there may be more. */
static int
serve(EnginePass *pass, const Pauses *pauses, QueueLine line, JoschStep apply, MemoryContext caller, bool *more)
{
	int64		before = pass->changes;
	Work		work = {pass, pauses, line, Min(josch_step_limit(pass), pass->free[line])};
	int			begun;

	if (work.limit == 0 || !josch_step_reach(pass, take_work, &work, 1))
	{
		return 0;
	}
	josch_step_apply_all(pass, apply, work.items, work.n, caller);
	begun = (int) (pass->changes - before);
	pass->free[line] -= pass->free[line] == PG_INT32_MAX ? 0 : begun;
	*more |= work.taken == work.limit && pass->free[line] > 0;
	return begun;
}

/*
 * Begins what can be begun; false when there is no more, as far as this queue knows.  Rules come first, to
 * their end: of what is taken back a child may be ready still that has to wait again.
 */
static bool
admit(EnginePass *pass, const Pauses *pauses, MemoryContext caller, bool *progress)
{
	bool		more = false;
	int			moved = serve(pass, pauses, QUEUE_RULES, apply_rules, caller, &more);

	*progress |= moved > 0;
	if (moved > 0 || more)
	{
		return true;
	}
	moved = serve(pass, pauses, QUEUE_FREE, apply_move, caller, &more);
	if (josch_pauses_of_database(pauses) == NULL)
	{
		josch_admit_limited(pass, pauses, caller, &more);
		(void) serve(pass, pauses, QUEUE_COMMANDS, apply_commands, caller, &more);
		(void) serve(pass, pauses, QUEUE_SQL, apply_sql, caller, &more);
	}
	*progress |= moved > 0;
	return moved > 0 || more;
}

static void
come_due(void *argument)
{
	EnginePass *pass = argument;
	int			limit = josch_step_limit(pass);
	bool		full;

	do
	{
		full = josch_queue_come_due(pass->now, limit, &pass->set_aside) == limit;
	} while (full && pass->budget_ms == 0);
	pass->more |= full;
}

/* So that no graph, however large, keeps others from being served. */
static bool
time_is_up(const EnginePass *pass, TimestampTz since)
{
	return pass->budget_ms > 0 && TimestampDifferenceExceeds(since, josch_clock_system_now(), pass->budget_ms);
}

/* What the queue has; in a row of its own, since milestones free others. */
static bool
admit_queue(EnginePass *pass, const Pauses *pauses, MemoryContext caller, TimestampTz since)
{
	bool		progress = false;
	bool		late = false;

	while (!late && admit(pass, pauses, caller, &progress))
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(CurrentMemoryContext);
		late = time_is_up(pass, since);
	}
	pass->more |= late;
	return progress;
}

/* Step by step: what a milestone has freed is in the table, and found when the queue is opened anew. */
static void
admit_by_steps(EnginePass *pass, const Pauses *pauses, MemoryContext caller, TimestampTz since)
{
	bool		progress;

	do
	{
		josch_queue_open(NULL);
		progress = admit_queue(pass, pauses, caller, since);
		josch_queue_close(NULL);
	} while (progress && !pass->more);
}

/* What is paused, in the context of the caller. */
typedef struct Reading
{
	EnginePass *pass;
	MemoryContext context;
	Pauses		pauses;
} Reading;

/* What was resumed comes back before anything is begun; where nothing is paused, that is known until somebody commits. */
static void
read_pauses(void *argument)
{
	Reading    *reading = argument;
	MemoryContext former = MemoryContextSwitchTo(reading->context);

	reading->pauses = (Pauses) {0};
	if (!josch_queue_no_pauses())
	{
		reading->pauses = josch_pauses_read();
	}
	MemoryContextSwitchTo(former);
	if (reading->pauses.n == 0)
	{
		josch_queue_note_no_pauses();
	}
	if (reading->pauses.resumed)
	{
		josch_admit_paused_bring_back(reading->pass, &reading->pauses);
	}
}

void
josch_admit_all(EnginePass *pass, MemoryContext caller, TimestampTz since)
{
	Reading		reading = {pass, caller};

	if (pass->events_only || !josch_step_reach(pass, find_places, pass, 1) || !josch_step_reach(pass, come_due, pass, 1) ||
		!josch_step_reach(pass, read_pauses, &reading, 1))
	{
		return;
	}
	MemoryContextReset(CurrentMemoryContext);
	if (pass->short_way)
	{
		(void) admit_queue(pass, &reading.pauses, caller, since);
	}
	else
	{
		admit_by_steps(pass, &reading.pauses, caller, since);
	}
}
