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

#include "base/attempt.h"
#include "base/clock.h"
#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/wake.h"
#include "node/store_node.h"
#include "run/plan.h"
#include "run/quarantine.h"
#include "run/store_pass.h"
#include "run/store_sql_run.h"

/* Nodes that one statement takes in: of a pass that may take its time, and of one that may not. */
#define READY_LIMIT 10000
#define READY_LIMIT_IN_TIME 500

/* Beside as many as there are places for. */
#define READY_SPARE 100

/* What a step works on: a node, and the step's own data about it. */
typedef struct Piece
{
	NodeKey		key;
	RunEvent *event;			/* NULL for nodes that are ready */
	StoreOpenRun *run;
	bool		recount;		/* to be counted: in no state in which it could fail */
} Piece;

typedef void (*ApplyStep) (EnginePass *pass, Piece *items, int n, void *argument);

/*
 * A pass goes the short way first, as one subtransaction: rows are locked and changed
 * in it, so that no lock has to be kept beside a change.  Only when something fails in
 * it, the pass goes step by step, each in a subtransaction of its own.
 */
static bool short_way = false;

/* Whether josch.recounts may have rows; not known when a process starts. */
static bool recounts_wait = true;

/* Whether the message of an open run may say that it waits to start; the same. */
static bool delays_wait = true;

/* Also notes when to come back to it. */
static bool
is_quarantined(NodeKey key, EnginePass *pass)
{
	TimestampTz until = josch_quarantine_until(key, pass->now);

	if (until != 0)
	{
		pass->retry_at = Min(pass->retry_at, until);
	}
	return until != 0;
}

/* ---- one bad node never stops the others ---- */

/* Reasons that pass by themselves: the node is not to blame. */
static bool
is_passing(int sqlstate)
{
	int			class = ERRCODE_TO_CATEGORY(sqlstate);

	return class == ERRCODE_TRANSACTION_ROLLBACK || class == ERRCODE_INSUFFICIENT_RESOURCES ||
		sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* A step with all that it is called with. */
typedef struct Attempt
{
	EnginePass *pass;
	ApplyStep	apply;
	Piece	   *items;
	int			n;
	void	   *argument;
} Attempt;

static void
apply_step(void *argument)
{
	Attempt    *a = argument;

	a->apply(a->pass, a->items, a->n, a->argument);
}

/* Runs the step in a subtransaction; NULL, or the error, after which nothing of it is left. */
static ErrorData *
attempt(EnginePass *pass, ApplyStep apply, Piece *items, int n, void *argument)
{
	Attempt		a = {pass, apply, items, n, argument};

	if (short_way)
	{
		apply_step(&a);
		return NULL;
	}
	return josch_attempt(apply_step, &a);
}

/* A node that stays ready for all that is done to it would be taken up again and again. */
static void
complain_of_suppression(const char *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger on josch.nodes suppressed the change to \"%s\"", state)));
}

static void
record_failure(EnginePass *pass, Piece *items, int n, void *argument)
{
	for (int i = 0; i < n; i++)
	{
		if (!josch_store_run_fail_node(items[i].key, (const char *) argument) && items[i].event == NULL)
		{
			complain_of_suppression("failed");
		}
	}
}

/* A node that has failed must not have a command that nobody can stop any more. */
static void
note_stray(EnginePass *pass, const RunEvent *event)
{
	if (event->type != RUN_ENDED)
	{
		pass->strays[pass->nstrays++] = josch_run_event_key(event);
	}
}

/* The culprit stands alone: it fails, or is left alone for a while. */
static void
blame(EnginePass *pass, Piece *item, ErrorData *error)
{
	char	   *message;
	TimestampTz until;

	if (!item->recount && !is_passing(error->sqlerrcode))
	{
		message = error->detail != NULL ? psprintf("%s: %s", error->message, error->detail) : error->message;
		message = josch_report_cut(message, JOSCH_MESSAGE_MAX);
		if (attempt(pass, record_failure, item, 1, message) == NULL)
		{
			if (item->event != NULL)
			{
				note_stray(pass, item->event);
				item->event->done = true;
			}
			pass->changes++;
			return;
		}
	}
	until = josch_quarantine_put(item->key, pass->now, error->message);
	pass->retry_at = Min(pass->retry_at, until);
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("node %s is set aside: %s", josch_report_key(item->key.node_id, item->key.job_date),
					error->message)));
}

/* Applies the step to all items that let it be applied. */
static void
apply_all(EnginePass *pass, ApplyStep apply, Piece *items, int n, void *argument)
{
	ErrorData  *error;

	if (n == 0)
	{
		return;
	}
	CHECK_FOR_INTERRUPTS();
	error = attempt(pass, apply, items, n, argument);
	if (error == NULL)
	{
		for (int i = 0; i < n; i++)
		{
			if (items[i].event != NULL)
			{
				items[i].event->done = true;
			}
		}
		pass->changes += n;
	}
	else if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
	{
		/* rows are locked before, so it is a whole table: none of these is to blame, nor would fewer do better */
		pass->set_aside += n;
		ereport(DEBUG1, (errmsg_internal("%d nodes are set aside: %s", n, error->message)));
	}
	else if (n == 1)
	{
		blame(pass, items, error);
	}
	else
	{
		apply_all(pass, apply, items, n / 2, argument);
		apply_all(pass, apply, items + n / 2, n - n / 2, argument);
	}
}

static NodeKey *
keys_of(const Piece *items, int n)
{
	NodeKey    *keys = palloc(sizeof(NodeKey) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		keys[i] = items[i].key;
	}
	return keys;
}

/*
 * Reads and locks what a step works on.  False when somebody holds a whole
 * table: then the step, of n things, is set aside, and others go on.
 */
static bool
reach(EnginePass *pass, void (*work) (void *argument), void *argument, int n)
{
	bool		reached;

	if (short_way)
	{
		work(argument);
		return true;
	}
	reached = josch_attempt_unless_locked(work, argument);
	pass->set_aside += reached ? 0 : n;
	return reached;
}

/* ---- nodes that are counted anew ---- */

/* Nodes that are free. */
typedef struct Keys
{
	NodeKey    *keys;
	int			n;
} Keys;

static void
apply_recount(EnginePass *pass, Piece *items, int n, void *argument)
{
	NodeKey    *keys = keys_of(items, n);

	josch_store_node_recount_locked(keys, n);
	josch_store_run_forget_recounts(keys, n);
}

static void
list_recounts(void *argument)
{
	Keys	   *free = argument;

	free->keys = josch_store_run_list_recounts(&free->n);
}

/* Counts the children that former passes left out, if they are free now. */
static void
count_anew(EnginePass *pass)
{
	int			kept = 0;
	Keys		free = {0};
	Piece	   *items;

	if (!reach(pass, list_recounts, &free, 1))
	{
		return;
	}
	items = palloc0(sizeof(Piece) * Max(free.n, 1));
	for (int i = 0; i < free.n; i++)
	{
		if (!is_quarantined(free.keys[i], pass))
		{
			items[kept].key = free.keys[i];
			items[kept++].recount = true;
		}
	}
	apply_all(pass, apply_recount, items, kept, NULL);
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

static void
apply_delayed(EnginePass *pass, Piece *items, int n, void *argument)
{
	josch_store_run_delayed(events_of(items, n), n);
}

static void
apply_started(EnginePass *pass, Piece *items, int n, void *argument)
{
	RunEvent   *events = events_of(items, n);

	josch_store_pass_started(events, n);
	if (delays_wait)
	{
		josch_store_run_delayed(events, n);	/* no more: they have no text */
	}
}

static void
apply_up(EnginePass *pass, Piece *items, int n, void *argument)
{
	josch_store_run_up(events_of(items, n), n);
}

static void
apply_ends(EnginePass *pass, Piece *items, int n, void *argument)
{
	StoreEnd   *ends = palloc(sizeof(StoreEnd) * n);
	int64	   *sql = palloc(sizeof(int64) * n);
	int			nsql = 0;

	for (int i = 0; i < n; i++)
	{
		ends[i] = josch_plan_end(items[i].run, items[i].event, pass->now);
		if (items[i].event->sql)
		{
			sql[nsql++] = items[i].event->run_id;
		}
	}
	josch_store_pass_end(ends, n);
	if (nsql > 0)
	{
		josch_store_sql_run_forget_ends(sql, nsql);
	}
}

/*
 * Sorts the events of the locked runs into the three steps.  A start that comes
 * together with its end is told by the end alone.
 */
static void
sort_events(EnginePass *pass, StoreOpenRun *runs, int nruns, Piece *steps[], int counts[])
{
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
		if (is_quarantined(run->key, pass))
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
		steps[event->type][counts[event->type]++] = (Piece) {run->key, event, run};
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
	if (!reach(pass, lock_open_runs, runs, n))
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
	apply_all(pass, apply_delayed, steps[RUN_DELAYED], counts[RUN_DELAYED], NULL);
	apply_all(pass, apply_started, steps[RUN_STARTED], counts[RUN_STARTED], NULL);
	apply_all(pass, apply_up, steps[RUN_UP], counts[RUN_UP], NULL);
	apply_all(pass, apply_ends, steps[RUN_ENDED], counts[RUN_ENDED], NULL);
}

/* ---- what is ready ---- */

static void
apply_move(EnginePass *pass, Piece *items, int n, void *argument)
{
	NodeState	state = *(NodeState *) argument;

	if (josch_store_pass_move(keys_of(items, n), n, state) < n)
	{
		complain_of_suppression(josch_fsm_label(state));
	}
}

/* The launches are collected in the context that the argument names. */
static void
apply_launch(EnginePass *pass, Piece *items, int n, void *argument)
{
	MemoryContext former = MemoryContextSwitchTo((MemoryContext) argument);
	int			launched;
	StoreLaunch *launches;

	launches = josch_store_pass_launch(keys_of(items, n), n, &pass->runner, &launched);
	pass->launches = pass->launches == NULL ?
		palloc(sizeof(StoreLaunch) * Max(launched, 1)) :
		repalloc(pass->launches, sizeof(StoreLaunch) * (pass->nlaunches + Max(launched, 1)));
	memcpy(pass->launches + pass->nlaunches, launches, sizeof(StoreLaunch) * launched);
	pass->nlaunches += launched;
	MemoryContextSwitchTo(former);
}

/* The free places of a pass. */
typedef struct Places
{
	bool		exact;			/* counted; else there are these at least */
	PlanPlaces	free;
	bool		no_commands;	/* there is no place: list what needs none */
	bool		no_sql;
} Places;

/* One list of ready nodes. */
typedef struct ReadyList
{
	EnginePass *pass;
	Places	   *places;
	StoreReady *nodes;
	int			n;
	int			limit;			/* n of so many: there may be more */
} ReadyList;

/* A full list of nodes that find no place must not hide others; true when that changes the list. */
static bool
pass_over(Places *places)
{
	bool		commands = places->exact && places->free.commands == 0 && !places->no_commands;
	bool		sql = places->exact && places->free.sql == 0 && !places->no_sql;

	places->no_commands |= commands;
	places->no_sql |= sql;
	return commands || sql;
}

/* Reads as many rows as runs are open. */
static void
count_places(EnginePass *pass, Places *places)
{
	int			commands;
	int			sql;

	josch_store_run_places(&commands, &sql);
	places->free.commands = Max(pass->max_commands - commands, 0);
	places->free.sql = Max(pass->max_sql - sql, 0);
	places->exact = true;
}

/* Places come first, and then as many nodes: those that wait for one are not even read. */
static void
find_places(void *argument)
{
	Places	   *places = ((ReadyList *) argument)->places;
	EnginePass *pass = ((ReadyList *) argument)->pass;

	if (pass->open_bound < 0 || pass->open_bound >= Min(pass->max_commands, pass->max_sql))
	{
		count_places(pass, places);
	}
	else
	{
		places->free.commands = pass->max_commands - pass->open_bound;
		places->free.sql = pass->max_sql - pass->open_bound;
	}
	(void) pass_over(places);
}

/* No more nodes than may find a place, and some that need none. */
static int
ready_limit(const EnginePass *pass, const Places *places)
{
	int			limit = pass->budget_ms == 0 ? READY_LIMIT : READY_LIMIT_IN_TIME;

	return places->exact ? Min(limit, places->free.commands + places->free.sql + READY_SPARE) : limit;
}

static bool
needs_place(const StoreReady *node)
{
	return node->has_command || node->has_sql;
}

static void
list_ready(void *argument)
{
	ReadyList  *list = argument;
	Places	   *places = list->places;

	list->limit = ready_limit(list->pass, places);
	list->nodes = josch_store_run_ready(list->pass->now, list->limit, !places->no_commands, !places->no_sql, &list->n);
	for (int i = 0; i < list->n && !places->exact && list->n > Min(places->free.commands, places->free.sql); i++)
	{
		if (needs_place(&list->nodes[i]))
		{
			count_places(list->pass, places);
		}
	}
}

/* Sorts the nodes by what is to be done with them. */
static void
sort_ready(EnginePass *pass, const ReadyList *list, Piece *lists[], int counts[])
{
	for (int i = 0; i < list->n; i++)
	{
		StoreReady *node = &list->nodes[i];
		PlanAction	action;

		if (is_quarantined(node->key, pass))
		{
			continue;
		}
		action = josch_plan_ready(node, &list->places->free);
		lists[action][counts[action]++] = (Piece) {.key = node->key};
	}
}

/*
 * Takes one list of ready nodes; pass->left of them stay ready.  Returns true when
 * there may be more: when a milestone has freed its children, or the list was full.
 */
static bool
admit(EnginePass *pass, Places *places, MemoryContext caller)
{
	ReadyList	list = {pass, places};
	Piece	   *lists[PLAN_RUN_SQL + 1];
	int			counts[PLAN_RUN_SQL + 1] = {0};
	NodeState	succeeded = NODE_STATE_SUCCEEDED;
	NodeState	signoff = NODE_STATE_SIGNOFF;
	NodeState	review = NODE_STATE_REVIEW;
	int64		before = pass->changes;
	bool		progress;

	pass->left = places->no_commands || places->no_sql ? READY_LIMIT : 0;
	if (!reach(pass, list_ready, &list, 1) || list.n == 0)
	{
		return false;
	}
	for (int i = 0; i <= PLAN_RUN_SQL; i++)
	{
		lists[i] = palloc(sizeof(Piece) * list.n);
	}
	sort_ready(pass, &list, lists, counts);
	apply_all(pass, apply_move, lists[PLAN_SUCCEED], counts[PLAN_SUCCEED], &succeeded);
	progress = pass->changes > before;
	apply_all(pass, apply_move, lists[PLAN_ASK_SIGNOFF], counts[PLAN_ASK_SIGNOFF], &signoff);
	apply_all(pass, apply_move, lists[PLAN_ASK_REVIEW], counts[PLAN_ASK_REVIEW], &review);
	apply_all(pass, apply_launch, lists[PLAN_RUN_COMMAND], counts[PLAN_RUN_COMMAND], caller);
	apply_all(pass, apply_launch, lists[PLAN_RUN_SQL], counts[PLAN_RUN_SQL], caller);
	if (pass->left < READY_LIMIT)
	{
		pass->left = list.n == list.limit ? READY_LIMIT : list.n - (int) (pass->changes - before);
	}
	return progress || (list.n == list.limit && (pass->changes > before || pass_over(places)));
}

/* Nothing is done yet, as it was for a pass that then failed. */
static void
reset(EnginePass *pass)
{
	pass->launches = NULL;
	pass->nlaunches = 0;
	pass->left = 0;
	pass->set_aside = 0;
	pass->retry_at = DT_NOEND;
	pass->nstrays = 0;
	pass->changes = 0;
	pass->more = false;
	for (int i = 0; i < pass->nevents; i++)
	{
		pass->events[i]->done = false;
	}
}

/* So that no graph, however large, keeps others from being served. */
static bool
time_is_up(const EnginePass *pass, TimestampTz since)
{
	return pass->budget_ms > 0 && TimestampDifferenceExceeds(since, josch_clock_system_now(), pass->budget_ms);
}

/* Allocates in the current context what lives on, and the rest in one of its own. */
static void
go(void *argument)
{
	EnginePass *pass = argument;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "josch engine pass", ALLOCSET_DEFAULT_SIZES);
	TimestampTz since = josch_clock_system_now();
	Places		places = {0};

	reset(pass);
	MemoryContextSwitchTo(scratch);
	/* first: what is counted now may start in this very pass */
	if (recounts_wait)
	{
		count_anew(pass);
	}
	apply_events(pass);
	if (!pass->events_only)
	{
		(void) reach(pass, find_places, &(ReadyList) {pass, &places}, 1);
	}
	do
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
	} while (!pass->events_only && admit(pass, &places, caller) && !(pass->more = time_is_up(pass, since)));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

static bool
go_short_way(EnginePass *pass)
{
	ErrorData  *error;

	short_way = true;
	error = josch_attempt(go, pass);
	short_way = false;
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
	int64		noted = josch_store_node_noted();

	short_way = false;			/* a cancel may have left it so */
	pass->strays = palloc(sizeof(JoschRunKey) * Max(pass->nevents, 1));
	josch_quarantine_clear(pass->now);
	if (!go_short_way(pass))
	{
		go(pass);
	}
	recounts_wait |= josch_store_node_noted() > noted;
	josch_mode = former;
	pass->trouble = josch_quarantine_reason(pass->now);
}

void
josch_engine_look_ahead(EnginePass *pass)
{
	pass->outlook = josch_store_run_outlook(pass->now, pass->runner.token);
	/* due, and not among those that could be locked */
	if (!pass->events_only && pass->left < READY_LIMIT)
	{
		pass->set_aside += Max(pass->outlook.due - pass->left, 0);
	}
	pass->set_aside += pass->outlook.recounts;
	recounts_wait = pass->outlook.recounts > 0;
	delays_wait = pass->outlook.delayed > 0;
}
