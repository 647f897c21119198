/*
 * src/run/engine.c
 *	  One pass: what happened is applied, what is ready is started.
 *
 * A burst of a thousand exits is one pass and one commit.  Each step first locks
 * what it will change without waiting, then changes it in one statement inside
 * a subtransaction; an error there halves the list and tries again, until the
 * culprit stands alone.
 *
 * Launches are only written down here.  The caller sends them to the runner
 * after the commit: a command without a committed intent does not exist.
 */
#include "base/josch.h"

#include "run/engine.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "audit/audit.h"
#include "base/attempt.h"
#include "base/clock.h"
#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/wake.h"
#include "node/queue.h"
#include "node/recounts.h"
#include "node/store_node.h"
#include "node/waiting.h"
#include "run/admit.h"
#include "run/plan.h"
#include "run/quarantine.h"
#include "run/step.h"
#include "run/store_pass.h"
#include "run/store_report.h"
#include "run/store_sql_run.h"
#include "run/world.h"

/* Whether josch.recounts may have rows; not known when a process starts. */
static bool recounts_wait = true;

/* Whether the message of an open run may say that it waits to start; the same. */
static bool delays_wait = true;

/* ---- nodes that are counted anew ---- */

/* Nodes that are free. */
typedef struct Keys
{
	NodeKey    *keys;
	int			n;
	int			limit;
} Keys;

static int
apply_recount(EnginePass *pass, Piece *items, int n, void *argument)
{
	NodeKey    *keys = josch_step_keys(items, n);

	josch_recounts_take_away(keys, n);
	josch_store_node_recount_locked(keys, n);
	return n;
}

static void
list_recounts(void *argument)
{
	Keys	   *free = argument;

	free->keys = josch_recounts_list(free->limit, &free->n);
}

/* Counts the children that were noted, if they are free now. */
static void
count_anew(EnginePass *pass)
{
	int			kept = 0;
	Keys		free = {.limit = josch_step_limit(pass)};
	Piece	   *items;

	if (!josch_step_reach(pass, list_recounts, &free, 1))
	{
		return;
	}
	items = palloc0(sizeof(Piece) * Max(free.n, 1));
	for (int i = 0; i < free.n; i++)
	{
		if (!josch_step_is_quarantined(pass, free.keys[i]))
		{
			items[kept].key = free.keys[i];
			items[kept++].recount = true;
		}
	}
	josch_step_apply_all(pass, apply_recount, items, kept, NULL);
	pass->more |= free.n == free.limit;
}

/* ---- what happened ---- */

static int
compare_events(const void *a, const void *b)
{
	const RunEvent *left = *(RunEvent *const *) a;
	const RunEvent *right = *(RunEvent *const *) b;

	if (left->run_id != right->run_id)
	{
		return left->run_id < right->run_id ? -1 : 1;
	}
	if (left->nonce != right->nonce)
	{
		return left->nonce < right->nonce ? -1 : 1;
	}
	return (int) left->type - (int) right->type;
}

static int
compare_run_ids(const void *a, const void *b)
{
	const StoreOpenRun *left = a;
	const StoreOpenRun *right = b;

	return left->run_id < right->run_id ? -1 : left->run_id > right->run_id;
}

static RunEvent *
events_of(const Piece *items, int n)
{
	RunEvent   *events = palloc(sizeof(RunEvent) * n);

	for (int i = 0; i < n; i++)
	{
		events[i] = *items[i].event;
	}
	return events;
}

static int
apply_delayed(EnginePass *pass, Piece *items, int n, void *argument)
{
	josch_store_run_delayed(events_of(items, n), n);
	return n;
}

static int
apply_started(EnginePass *pass, Piece *items, int n, void *argument)
{
	RunEvent   *events = events_of(items, n);

	josch_store_pass_started(events, n);
	if (delays_wait)
	{
		josch_store_run_delayed(events, n);	/* no more: they have no text */
	}
	return n;
}

static void
give_places_back(EnginePass *pass, const Piece *items, int n)
{
	for (int i = 0; i < n; i++)
	{
		pass->ended[items[i].run->sql ? QUEUE_SQL : QUEUE_COMMANDS] += items[i].leaves;
	}
}

static int
apply_up(EnginePass *pass, Piece *items, int n, void *argument)
{
	give_places_back(pass, items, n);
	josch_store_run_up(events_of(items, n), n);
	return n;
}

/* Pieces whose runs say something. */
typedef struct Reports
{
	const Piece *items;
	int			n;
} Reports;

static void
put_reports(void *argument)
{
	Reports    *reports = argument;
	StoreReport *said = palloc(sizeof(StoreReport) * reports->n);
	int			n = 0;

	for (int i = 0; i < reports->n; i++)
	{
		const RunEvent *event = reports->items[i].event;

		if (event->report != NULL)
		{
			said[n++] = (StoreReport) {event->run_id, reports->items[i].key, reports->items[i].run->executor, event->report, event->type == RUN_REPORTED};
		}
	}
	if (n > 0)
	{
		josch_store_report_put(said, n);
	}
}

/* That it cannot be kept keeps nothing from happening: it is left, one by one. */
static void
keep_reports(const Piece *items, int n)
{
	Reports		reports = {items, n};
	ErrorData  *error;
	bool		any = false;

	for (int i = 0; i < n; i++)
	{
		any |= items[i].event->report != NULL;
	}
	error = any ? josch_attempt(put_reports, &reports) : NULL;
	if (error != NULL && n > 1)
	{
		keep_reports(items, n / 2);
		keep_reports(items + n / 2, n - n / 2);
	}
	else if (error != NULL)
	{
		ereport(LOG, (errcode(error->sqlerrcode),
					  errmsg("what run " INT64_FORMAT " says of itself is not kept: %s", items[0].event->run_id, error->message)));
	}
}

static int
apply_ends(EnginePass *pass, Piece *items, int n, void *argument)
{
	StoreEnd   *ends = palloc(sizeof(StoreEnd) * n);
	int64	   *sql = palloc(sizeof(int64) * n);
	int64		ahead = josch_clock_ahead();
	int			nsql = 0;

	for (int i = 0; i < n; i++)
	{
		ends[i] = josch_plan_end(items[i].run, items[i].event, pass->now, ahead);
		if (items[i].event->sql)
		{
			sql[nsql++] = items[i].event->run_id;
		}
	}
	give_places_back(pass, items, n);
	josch_store_pass_end(ends, n);
	keep_reports(items, n);
	if (nsql > 0)
	{
		josch_store_sql_run_forget_ends(sql, nsql);
	}
	return n;
}

/* What runs say of themselves, in the place of what they have said before. */
static int
apply_reported(EnginePass *pass, Piece *items, int n, void *argument)
{
	keep_reports(items, n);
	return n;
}

/* A run that is up has no place any more. */
static bool
gives_place_back(const RunEvent *event)
{
	return event->type == RUN_UP || event->type == RUN_ENDED;
}

/*
 * Sorts the events of the locked runs into the three steps.  A start that comes
 * together with its end is told by the end alone.
 */
static void
sort_events(EnginePass *pass, StoreOpenRun *runs, int nruns, Piece *steps[], int counts[])
{
	StoreOpenRun *left = NULL;

	for (int i = 0; i < pass->nevents; i++)
	{
		RunEvent *event = pass->events[i];
		StoreOpenRun wanted = {.run_id = event->run_id};
		StoreOpenRun *run;

		if (event->done)
		{
			continue;
		}
		run = bsearch(&wanted, runs, nruns, sizeof(StoreOpenRun), compare_run_ids);
		if (run == NULL)
		{
			pass->set_aside++;
			continue;
		}
		if (event->nonce != 0 && event->nonce != run->nonce)
		{
			event->done = true;		/* of another run, that was given this number before */
			continue;
		}
		if (josch_step_is_quarantined(pass, run->key))
		{
			continue;
		}
		if (event->type == RUN_STARTED && i + 1 < pass->nevents &&
			pass->events[i + 1]->run_id == event->run_id && pass->events[i + 1]->nonce == event->nonce &&
			pass->events[i + 1]->type == RUN_ENDED)
		{
			RunEvent *end = pass->events[i + 1];

			end->pid = event->pid;
			end->started_at = event->started_at;
			event->done = true;
			continue;
		}
		if (event->type == RUN_UP && !run->current)
		{
			event->done = true;
			continue;
		}
		steps[event->type][counts[event->type]++] =
			(Piece) {run->key, event, run, .leaves = gives_place_back(event) && !run->up && run != left};
		left = gives_place_back(event) ? run : left;
	}
}

/* The runs of all events, in order, and what was found of them. */
typedef struct EventRuns
{
	int			n;
	int64	   *ids;
	bool	   *closed;
	StoreOpenRun *open;
	int			nopen;
} EventRuns;

static void
lock_open_runs(void *argument)
{
	EventRuns  *runs = argument;

	runs->open = josch_store_pass_lock(runs->ids, runs->n, runs->closed, &runs->nopen);
}

/* False when they cannot be read now. */
static bool
lock_runs(EnginePass *pass, EventRuns *runs)
{
	int			n = pass->nevents;

	*runs = (EventRuns) {.n = n, .ids = palloc(sizeof(int64) * n), .closed = palloc0(sizeof(bool) * n)};
	qsort(pass->events, n, sizeof(RunEvent *), compare_events);
	for (int i = 0; i < n; i++)
	{
		runs->ids[i] = pass->events[i]->run_id;
	}
	if (!josch_step_reach(pass, lock_open_runs, runs, n))
	{
		return false;
	}
	qsort(runs->open, runs->nopen, sizeof(StoreOpenRun), compare_run_ids);
	for (int i = 0; i < n; i++)
	{
		pass->events[i]->done = runs->closed[i];
	}
	return true;
}

static void
apply_events(EnginePass *pass)
{
	EventRuns	runs;
	Piece	   *steps[RUN_EVENT_TYPES];
	int			counts[RUN_EVENT_TYPES] = {0};

	if (pass->nevents == 0 || !lock_runs(pass, &runs))
	{
		return;
	}
	for (int i = 0; i < RUN_EVENT_TYPES; i++)
	{
		steps[i] = palloc(sizeof(Piece) * pass->nevents);
	}
	sort_events(pass, runs.open, runs.nopen, steps, counts);
	delays_wait |= counts[RUN_DELAYED] > 0;
	josch_step_apply_all(pass, apply_delayed, steps[RUN_DELAYED], counts[RUN_DELAYED], NULL);
	josch_step_apply_all(pass, apply_started, steps[RUN_STARTED], counts[RUN_STARTED], NULL);
	josch_step_apply_all(pass, apply_reported, steps[RUN_REPORTED], counts[RUN_REPORTED], NULL);
	josch_step_apply_all(pass, apply_up, steps[RUN_UP], counts[RUN_UP], NULL);
	josch_step_apply_all(pass, apply_ends, steps[RUN_ENDED], counts[RUN_ENDED], NULL);
}

/* Nothing is done yet, as it was for a pass that then failed. */
static void
reset(EnginePass *pass)
{
	pass->launches = NULL;
	pass->nlaunches = 0;
	pass->set_aside = 0;
	pass->retry_at = DT_NOEND;
	pass->nstrays = 0;
	pass->changes = 0;
	pass->more = false;
	memset(pass->ended, 0, sizeof(pass->ended));
	for (int i = 0; i < pass->nevents; i++)
	{
		pass->events[i]->done = false;
	}
	for (int i = 0; i < pass->nfacts; i++)
	{
		pass->facts[i]->done = false;
	}
}

/* Allocates in the current context what lives on, and the rest in one of its own. */
static void
go(void *argument)
{
	EnginePass *pass = argument;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "josch engine pass", ALLOCSET_DEFAULT_SIZES);
	TimestampTz since = josch_clock_system_now();

	reset(pass);
	MemoryContextSwitchTo(scratch);
	if (pass->short_way)
	{
		josch_queue_open(&pass->marks);
		josch_audit_defer();
	}
	else
	{
		memset(&pass->marks, 0, sizeof(pass->marks));	/* what becomes ready goes to the table */
	}
	/* first: what is counted now may start in this very pass */
	if (pass->recounts_wait)
	{
		count_anew(pass);
	}
	apply_events(pass);
	josch_world_apply(pass);
	josch_admit_all(pass, caller, since);
	if (pass->short_way)
	{
		josch_queue_close(&pass->marks);
		josch_audit_write_deferred();
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

static bool
go_short_way(EnginePass *pass)
{
	ErrorData  *error;

	pass->short_way = true;
	error = josch_attempt(go, pass);
	pass->short_way = false;
	if (error == NULL)
	{
		return true;
	}
	ereport(DEBUG1, (errmsg_internal("the pass goes step by step: %s", error->message)));
	FreeErrorData(error);
	return false;
}

void
josch_engine_pass(EnginePass *pass)
{
	JoschMode	former = josch_mode_enter_engine();

	pass->noted = josch_recounts_noted();
	recounts_wait |= pass->woken;
	pass->recounts_wait = recounts_wait;
	if (pass->woken)
	{
		memset(&pass->marks, 0, sizeof(pass->marks));
	}
	pass->strays = palloc(sizeof(JoschRunKey) * Max(pass->nevents, 1));
	josch_quarantine_clear(pass->now);
	if (!go_short_way(pass))
	{
		go(pass);
	}
	recounts_wait |= josch_recounts_noted() > pass->noted;
	josch_mode = former;
	pass->trouble = josch_quarantine_reason(pass->now);
}

void
josch_engine_look_ahead(EnginePass *pass)
{
	pass->outlook = josch_store_run_outlook(pass->now, pass->runner.token);
	pass->set_aside += pass->outlook.recounts;
	recounts_wait = pass->outlook.recounts > 0;
	delays_wait = pass->outlook.delayed > 0;
}
