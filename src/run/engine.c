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
#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/wake.h"
#include "node/store_node.h"
#include "run/plan.h"
#include "run/store_sql_run.h"

/* Nodes that one statement takes in; bounds memory, not work. */
#define READY_LIMIT 10000

/* A node whose failure could not even be recorded is left alone for so long (doubled each time). */
#define QUARANTINE_SECONDS 1
#define MAX_QUARANTINE_SECONDS 64

/* What a step works on: a node, and the step's own data about it. */
typedef struct Item
{
	NodeKey		key;
	RunEvent *event;			/* NULL for nodes that are ready */
	StoreOpenRun *run;
	bool		recount;		/* to be counted: in no state in which it could fail */
} Item;

typedef void (*ApplyStep) (EnginePass *pass, Item *items, int n, void *argument);

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

/* Whether josch.recounts may have rows; not known when a process starts. */
static bool recounts_wait = true;

/* Whether the message of an open run may say that it waits to start; the same. */
static bool delays_wait = true;

/* ---- nodes whose own failure cannot be recorded ---- */

static Quarantined *
find_quarantined(NodeKey key)
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

/* Also notes when to come back to it. */
static bool
is_quarantined(NodeKey key, EnginePass *pass)
{
	Quarantined *q = quarantine != NULL ? find_quarantined(key) : NULL;

	if (q == NULL || q->until <= pass->now)
	{
		return false;
	}
	pass->retry_at = Min(pass->retry_at, q->until);
	return true;
}

/* Forgets those that have long been tried again with success. */
static void
clear_quarantine(TimestampTz now)
{
	Quarantined **link = &quarantine;

	while (*link != NULL)
	{
		Quarantined *q = *link;

		if (TimestampDifferenceExceeds(q->until, now, MAX_QUARANTINE_SECONDS * 1000))
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

static void
put_in_quarantine(NodeKey key, EnginePass *pass, char *reason)
{
	Quarantined *q = find_quarantined(key);

	if (q == NULL)
	{
		q = MemoryContextAllocZero(TopMemoryContext, sizeof(Quarantined));
		q->key = key;
		q->seconds = QUARANTINE_SECONDS;
		q->next = quarantine;
		quarantine = q;
	}
	else
	{
		q->seconds = Min(q->seconds * 2, MAX_QUARANTINE_SECONDS);
	}
	strlcpy(q->reason, josch_report_cut(reason, JOSCH_WAIT_MAX - 1), JOSCH_WAIT_MAX);
	q->until = TimestampTzPlusMilliseconds(pass->now, q->seconds * 1000);
	pass->retry_at = Min(pass->retry_at, q->until);
}

/* What keeps nodes from being handled now; NULL: nothing. */
static const char *
quarantine_reason(TimestampTz now)
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
	Item	   *items;
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
attempt(EnginePass *pass, ApplyStep apply, Item *items, int n, void *argument)
{
	Attempt		a = {pass, apply, items, n, argument};

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
record_failure(EnginePass *pass, Item *items, int n, void *argument)
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
blame(EnginePass *pass, Item *item, ErrorData *error)
{
	char	   *message;

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
	put_in_quarantine(item->key, pass, error->message);
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("node %s is set aside: %s", josch_report_key(item->key.node_id, item->key.job_date),
					error->message)));
}

/* Applies the step to all items that let it be applied. */
static void
apply_all(EnginePass *pass, ApplyStep apply, Item *items, int n, void *argument)
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
keys_of(const Item *items, int n)
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
	bool		reached = josch_attempt_unless_locked(work, argument);

	pass->set_aside += reached ? 0 : n;
	return reached;
}

/* ---- children ---- */

/* Nodes, and how many of their children somebody holds; or nodes that are free. */
typedef struct Keys
{
	NodeKey    *keys;
	int			n;
	int			missed;
} Keys;

static void
lock_children_of(void *argument)
{
	Keys	   *parents = argument;

	parents->missed = josch_store_run_lock_children(parents->keys, parents->n);
}

/* Locks the children of what is going to change; those that somebody holds will be counted anew. */
static bool
lock_children(EnginePass *pass, const Item *items, int n)
{
	Keys		parents = {keys_of(items, n), n, 0};

	if (n == 0 || !reach(pass, lock_children_of, &parents, n))
	{
		return false;
	}
	recounts_wait |= parents.missed > 0;
	return true;
}

static void
apply_recount(EnginePass *pass, Item *items, int n, void *argument)
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
	Item	   *items;

	if (!reach(pass, list_recounts, &free, 1))
	{
		return;
	}
	items = palloc0(sizeof(Item) * Max(free.n, 1));
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
events_of(const Item *items, int n)
{
	RunEvent   *events = palloc(sizeof(RunEvent) * n);

	for (int i = 0; i < n; i++)
	{
		events[i] = *items[i].event;
	}
	return events;
}

static void
apply_delayed(EnginePass *pass, Item *items, int n, void *argument)
{
	josch_store_run_delayed(events_of(items, n), n);
}

static void
apply_started(EnginePass *pass, Item *items, int n, void *argument)
{
	RunEvent   *events = events_of(items, n);

	josch_store_run_started(events, n);
	if (delays_wait)
	{
		josch_store_run_delayed(events, n);	/* no more: they have no text */
	}
}

static void
apply_up(EnginePass *pass, Item *items, int n, void *argument)
{
	josch_store_run_up(events_of(items, n), n);
}

static void
apply_ends(EnginePass *pass, Item *items, int n, void *argument)
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
	josch_store_run_end(ends, n);
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
sort_events(EnginePass *pass, StoreOpenRun *runs, int nruns, Item *steps[], int counts[])
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
		steps[event->type][counts[event->type]++] = (Item) {run->key, event, run};
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

	runs->open = josch_store_run_lock_open(runs->ids, runs->n, runs->closed, &runs->nopen);
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
	Item	   *steps[RUN_EVENT_TYPES];
	int			counts[RUN_EVENT_TYPES] = {0};

	if (pass->nevents == 0 || !lock_runs(pass, &runs))
	{
		return;
	}
	for (int i = 0; i < RUN_EVENT_TYPES; i++)
	{
		steps[i] = palloc(sizeof(Item) * pass->nevents);
	}
	sort_events(pass, runs.open, runs.nopen, steps, counts);
	delays_wait |= counts[RUN_DELAYED] > 0;
	apply_all(pass, apply_delayed, steps[RUN_DELAYED], counts[RUN_DELAYED], NULL);
	apply_all(pass, apply_started, steps[RUN_STARTED], counts[RUN_STARTED], NULL);
	if (lock_children(pass, steps[RUN_UP], counts[RUN_UP]))
	{
		apply_all(pass, apply_up, steps[RUN_UP], counts[RUN_UP], NULL);
	}
	if (lock_children(pass, steps[RUN_ENDED], counts[RUN_ENDED]))
	{
		apply_all(pass, apply_ends, steps[RUN_ENDED], counts[RUN_ENDED], NULL);
	}
}

/* ---- what is ready ---- */

static void
apply_move(EnginePass *pass, Item *items, int n, void *argument)
{
	NodeState	state = *(NodeState *) argument;

	if (josch_store_run_move(keys_of(items, n), n, josch_fsm_label(state)) < n)
	{
		complain_of_suppression(josch_fsm_label(state));
	}
}

/* The launches are collected in the context that the argument names. */
static void
apply_launch(EnginePass *pass, Item *items, int n, void *argument)
{
	MemoryContext former = MemoryContextSwitchTo((MemoryContext) argument);
	int			launched;
	StoreLaunch *launches;

	launches = josch_store_run_launch(keys_of(items, n), n, &pass->runner, &launched);
	pass->launches = pass->launches == NULL ?
		palloc(sizeof(StoreLaunch) * Max(launched, 1)) :
		repalloc(pass->launches, sizeof(StoreLaunch) * (pass->nlaunches + Max(launched, 1)));
	memcpy(pass->launches + pass->nlaunches, launches, sizeof(StoreLaunch) * launched);
	pass->nlaunches += launched;
	MemoryContextSwitchTo(former);
}

/* The free places of a pass, counted when the first is asked for. */
typedef struct Places
{
	bool		known;
	PlanPlaces	free;
	bool		no_commands;	/* there is no place: list what needs none */
	bool		no_sql;
} Places;

/* Counts only when it matters: when the bound leaves no place for all of n. */
static void
count_places(EnginePass *pass, Places *places, int n)
{
	int			commands = pass->open_bound;
	int			sql = pass->open_bound;

	if (pass->open_bound < 0 || pass->open_bound + n > Min(pass->max_commands, pass->max_sql))
	{
		josch_store_run_places(&commands, &sql);
	}
	places->free.commands = Max(pass->max_commands - commands, 0);
	places->free.sql = Max(pass->max_sql - sql, 0);
	places->known = true;
}

/* A full list of nodes that find no place must not hide others; true when that changes the list. */
static bool
pass_over(Places *places)
{
	bool		commands = places->known && places->free.commands == 0 && !places->no_commands;
	bool		sql = places->known && places->free.sql == 0 && !places->no_sql;

	places->no_commands |= commands;
	places->no_sql |= sql;
	return commands || sql;
}

/* One list of ready nodes. */
typedef struct ReadyList
{
	EnginePass *pass;
	Places	   *places;
	StoreReady *nodes;
	int			n;
} ReadyList;

static void
list_ready(void *argument)
{
	ReadyList  *list = argument;
	Places	   *places = list->places;

	list->nodes = josch_store_run_ready(list->pass->now, READY_LIMIT, !places->no_commands, !places->no_sql, &list->n);
	for (int i = 0; i < list->n && !places->known; i++)
	{
		if (list->nodes[i].has_command || list->nodes[i].has_sql)
		{
			count_places(list->pass, places, list->n);
		}
	}
}

/* Sorts the nodes by what is to be done with them. */
static void
sort_ready(EnginePass *pass, const ReadyList *list, Item *lists[], int counts[])
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
		lists[action][counts[action]++] = (Item) {.key = node->key};
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
	Item	   *lists[PLAN_RUN_SQL + 1];
	int			counts[PLAN_RUN_SQL + 1] = {0};
	NodeState	succeeded = NODE_STATE_SUCCEEDED;
	NodeState	signoff = NODE_STATE_SIGNOFF;
	NodeState	review = NODE_STATE_REVIEW;
	int64		before = pass->changes;
	bool		progress;

	pass->left = 0;
	if (!reach(pass, list_ready, &list, 1) || list.n == 0)
	{
		return false;
	}
	for (int i = 0; i <= PLAN_RUN_SQL; i++)
	{
		lists[i] = palloc(sizeof(Item) * list.n);
	}
	sort_ready(pass, &list, lists, counts);
	if (lock_children(pass, lists[PLAN_SUCCEED], counts[PLAN_SUCCEED]))
	{
		apply_all(pass, apply_move, lists[PLAN_SUCCEED], counts[PLAN_SUCCEED], &succeeded);
	}
	progress = pass->changes > before;
	apply_all(pass, apply_move, lists[PLAN_ASK_SIGNOFF], counts[PLAN_ASK_SIGNOFF], &signoff);
	apply_all(pass, apply_move, lists[PLAN_ASK_REVIEW], counts[PLAN_ASK_REVIEW], &review);
	apply_all(pass, apply_launch, lists[PLAN_RUN_COMMAND], counts[PLAN_RUN_COMMAND], caller);
	apply_all(pass, apply_launch, lists[PLAN_RUN_SQL], counts[PLAN_RUN_SQL], caller);
	pass->left = places->no_commands || places->no_sql ? READY_LIMIT : list.n - (int) (pass->changes - before);
	return progress || (list.n == READY_LIMIT && (pass->changes > before || pass_over(places)));
}

void
josch_engine_pass(EnginePass *pass)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller, "josch engine pass", ALLOCSET_DEFAULT_SIZES);
	JoschMode	former = josch_mode_enter_engine();
	Places		places = {0};

	pass->launches = NULL;
	pass->nlaunches = 0;
	pass->set_aside = 0;
	pass->retry_at = DT_NOEND;
	pass->strays = palloc(sizeof(JoschRunKey) * Max(pass->nevents, 1));
	pass->nstrays = 0;
	pass->changes = 0;
	for (int i = 0; i < pass->nevents; i++)
	{
		pass->events[i]->done = false;	/* as it was for a pass that then failed */
	}
	clear_quarantine(pass->now);
	MemoryContextSwitchTo(scratch);
	/* first: what is counted now may start in this very pass */
	if (recounts_wait)
	{
		count_anew(pass);
	}
	apply_events(pass);
	do
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
	} while (!pass->events_only && admit(pass, &places, caller));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	josch_mode = former;
	pass->trouble = quarantine_reason(pass->now);
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
