/*
 * src/server/scheduler_world.c
 *	  Files and queries that nodes wait for: who does, and what is heard of them.
 *
 * The list is josch.waiting's, so nothing of it is remembered over a restart, and nothing
 * need be: the runner is asked anew by whoever connects, and so are queries.  It is read
 * when somebody has begun to wait, or ceased to; what is heard waits for a pass, and is
 * asked anew when that finds that it was about something else.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/snapmgr.h"

#include "base/attempt.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/report.h"
#include "day/store_environment.h"
#include "node/wait_path.h"
#include "run/store_world.h"

/* Nodes that are waited with at once; those after them have their turn when some of these go on. */
#define MOST 100000

/* A listing takes no more than this part of the time. */
#define LIST_SHARE 5

/* Facts that a pass takes. */
#define MAX_FACTS 5000

/* A number that the runner knows. */
typedef struct Number
{
	int64		number;			/* the hash key */
	NodeKey		key;
} Number;

void
josch_scheduler_world_init(Scheduler *scheduler)
{
	HASHCTL		waited = {.keysize = sizeof(NodeKey), .entrysize = sizeof(Waited), .hcxt = scheduler->context};
	HASHCTL		numbers = {.keysize = sizeof(int64), .entrysize = sizeof(Number), .hcxt = scheduler->context};

	scheduler->world = (World) {
		.waited = hash_create("josch waited", 64, &waited, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT),
		.numbers = hash_create("josch watch numbers", 64, &numbers, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT),
		.stale = true,.judge_at = DT_NOEND
	};
}

/* The hash key has no bytes that are not set; a struct that is handed on may have others again. */
static Waited *
search(HTAB *waited, NodeKey key, HASHACTION action, bool *known)
{
	NodeKey		clean;

	memset(&clean, 0, sizeof(clean));
	clean.node_id = key.node_id;
	clean.job_date = key.job_date;
	return hash_search(waited, &clean, action, known);
}

Waited *
josch_scheduler_world_find(const Scheduler *scheduler, NodeKey key)
{
	return search(scheduler->world.waited, key, HASH_FIND, NULL);
}

/* ---- what is heard ---- */

void
josch_scheduler_world_take(Scheduler *scheduler, const WorldFact *fact)
{
	MemoryContext former = MemoryContextSwitchTo(scheduler->context);
	WorldFact  *kept = palloc(sizeof(WorldFact));

	*kept = *fact;
	kept->text = fact->text != NULL ? pstrdup(fact->text) : NULL;
	kept->done = false;
	scheduler->world.facts = lappend(scheduler->world.facts, kept);
	scheduler->pass_wanted = true;
	MemoryContextSwitchTo(former);
}

void
josch_scheduler_world_tell(Scheduler *scheduler, Waited *waited, const char *text, bool utf8)
{
	uint64		told = text != NULL ? josch_store_world_hash(text) : 0;
	WorldFact	fact = {.key = waited->key,.kind = WORLD_TROUBLE,.text = unconstify(char *, text),.utf8 = utf8};

	if (waited->told != told)
	{
		waited->told = told;
		josch_scheduler_world_take(scheduler, &fact);
	}
}

static void
report_short(Scheduler *scheduler, Waited *waited, const char *reason)
{
	World	   *world = &scheduler->world;

	if (reason == NULL && !waited->is_short)
	{
		return;
	}
	world->nshort += (reason != NULL) - waited->is_short;
	waited->is_short = reason != NULL;
	if (reason != NULL || world->nshort == 0)
	{
		strlcpy(scheduler->status.files_wait, reason != NULL ? reason : "", JOSCH_WAIT_MAX);
		josch_wake_report(&scheduler->status);
	}
}

/* The runner is to look for it no more, if it does. */
static void
forget_number(Scheduler *scheduler, Waited *waited, bool tell)
{
	if (waited->number != 0)
	{
		(void) hash_search(scheduler->world.numbers, &waited->number, HASH_REMOVE, NULL);
		if (tell && scheduler->runner != NULL)
		{
			josch_runner_send_unwatch(scheduler->runner, waited->number);
		}
	}
	waited->number = 0;
	report_short(scheduler, waited, NULL);
}

void
josch_scheduler_world_hear(Scheduler *scheduler, const JoschRunnerEvent *event)
{
	Number	   *number = hash_search(scheduler->world.numbers, &event->number, HASH_FIND, NULL);
	Waited	   *waited = number == NULL ? NULL : josch_scheduler_world_find(scheduler, number->key);
	WorldFact	fact = {.kind = WORLD_FILE,.text = event->text,.utf8 = true,.at = josch_clock_now()};

	if (waited == NULL)
	{
		return;					/* it was taken back meanwhile */
	}
	switch (event->looked)
	{
		case JOSCH_LOOKED_FOUND:
			fact.key = waited->key;
			fact.asked = waited->file;
			forget_number(scheduler, waited, false);
			waited->found = true;
			waited->told = 0;
			josch_scheduler_world_take(scheduler, &fact);
			break;
		case JOSCH_LOOKED_HINDERED:
			josch_scheduler_world_tell(scheduler, waited, event->text, true);
			break;
		case JOSCH_LOOKED_SHORT:
			report_short(scheduler, waited, event->text);
			break;
		case JOSCH_LOOKED_WELL:
			report_short(scheduler, waited, NULL);
			josch_scheduler_world_tell(scheduler, waited, NULL, false);
			break;
	}
}

void
josch_scheduler_world_lose_runner(Scheduler *scheduler)
{
	HASH_SEQ_STATUS all;
	Waited	   *waited;

	hash_seq_init(&all, scheduler->world.waited);
	while ((waited = hash_seq_search(&all)) != NULL)
	{
		forget_number(scheduler, waited, false);
	}
	scheduler->world.could_ask = false;
}

/* ---- what a pass takes ---- */

void
josch_scheduler_world_gather(Scheduler *scheduler, EnginePass *pass)
{
	List	   *facts = scheduler->world.facts;
	ListCell   *cell;

	pass->facts = palloc(sizeof(WorldFact *) * (Min(list_length(facts), MAX_FACTS) + 1));
	foreach(cell, facts)
	{
		WorldFact  *fact = lfirst(cell);
		char	   *text = fact->text;

		if (pass->nfacts == MAX_FACTS)
		{
			scheduler->pass_wanted = true;
			break;
		}
		if (fact->utf8 && text != NULL)
		{
			fact->text = MemoryContextStrdup(scheduler->context, josch_report_cut(josch_encoding_from_utf8(text), JOSCH_MESSAGE_MAX));
			pfree(text);
		}
		fact->utf8 = false;
		pass->facts[pass->nfacts++] = fact;
	}
}

void
josch_scheduler_world_forget_done(Scheduler *scheduler)
{
	World	   *world = &scheduler->world;
	ListCell   *cell;

	foreach(cell, world->facts)
	{
		WorldFact  *fact = lfirst(cell);

		if (fact->done)
		{
			/* it may have been about something else, or have been undone since: then it is asked anew */
			world->stale |= fact->kind != WORLD_TROUBLE;
			scheduler->pass_wanted |= fact->kind != WORLD_TROUBLE;
			if (fact->text != NULL)
			{
				pfree(fact->text);
			}
			pfree(fact);
			world->facts = foreach_delete_current(world->facts, cell);
		}
	}
}

/* Whether something of it has been heard, and no pass has taken that yet. */
static bool
is_heard(const World *world, NodeKey key, WorldFactKind kind)
{
	ListCell   *cell;

	foreach(cell, world->facts)
	{
		const WorldFact *fact = lfirst(cell);

		if (fact->kind == kind && josch_node_key_equal(fact->key, key))
		{
			return true;
		}
	}
	return false;
}

/* ---- who waits ---- */

/* The runner is asked to look for its file; needs a transaction. */
static void
ask_for_file(Scheduler *scheduler, Waited *waited, const StoreWaited *row)
{
	World	   *world = &scheduler->world;
	EnvironmentRequest request = {.key = row->key};
	WaitPath	path = josch_wait_path(row->wait_file, josch_store_environment_block(josch_store_environment_read(&request, 1)));
	Number	   *number;

	if (path.fault != NULL)
	{
		josch_scheduler_world_tell(scheduler, waited, path.fault, false);
		return;
	}
	waited->number = ++world->last_number;
	number = hash_search(world->numbers, &waited->number, HASH_ENTER, NULL);
	number->key = waited->key;
	josch_runner_send_watch(scheduler->runner, waited->number, &path, row->stable_ms, row->interval_ms);
}

static void
see_file(Scheduler *scheduler, Waited *waited, const StoreWaited *row)
{
	World	   *world = &scheduler->world;
	uint64		file = row->wait_file != NULL ? josch_store_world_hash(row->wait_file) : 0;

	if (waited->file != file || waited->stable_ms != row->stable_ms || waited->interval_ms != row->interval_ms)
	{
		forget_number(scheduler, waited, true);
		waited->found = false;
	}
	waited->file = file;
	waited->stable_ms = row->stable_ms;
	if (file != 0 && waited->number == 0 && world->could_ask && !(waited->found && is_heard(world, waited->key, WORLD_FILE)))
	{
		waited->found = false;
		ask_for_file(scheduler, waited, row);
	}
}

static void
see_query(Scheduler *scheduler, Waited *waited, const StoreWaited *row)
{
	TimestampTz now = josch_clock_now();

	if (row->query == 0)
	{
		waited->judge_at = DT_NOEND;
	}
	else if (waited->query != row->query || waited->owner != row->owner ||
			 (TIMESTAMP_IS_NOEND(waited->judge_at) && !is_heard(&scheduler->world, waited->key, WORLD_SQL)))
	{
		waited->judge_at = now;
		waited->again = waited->judging;
	}
	else if (!TIMESTAMP_IS_NOEND(waited->judge_at))
	{
		waited->judge_at = Min(waited->judge_at, TimestampTzPlusMilliseconds(now, row->interval_ms));
	}
	waited->query = row->query;
	waited->owner = row->owner;
	scheduler->world.judge_at = Min(scheduler->world.judge_at, waited->judge_at);
}

static void
see(Scheduler *scheduler, const StoreWaited *row)
{
	bool		known;
	Waited	   *waited = search(scheduler->world.waited, row->key, HASH_ENTER, &known);

	if (!known)
	{
		memset((char *) waited + sizeof(NodeKey), 0, sizeof(Waited) - sizeof(NodeKey));
		waited->judge_at = DT_NOEND;
		waited->told = row->message != NULL ? josch_store_world_hash(row->message) : 0;
	}
	waited->seen = true;
	see_file(scheduler, waited, row);
	see_query(scheduler, waited, row);
	waited->interval_ms = row->interval_ms;
}

/* Those that wait no more. */
static void
forget_unseen(Scheduler *scheduler)
{
	HASH_SEQ_STATUS all;
	Waited	   *waited;

	hash_seq_init(&all, scheduler->world.waited);
	while ((waited = hash_seq_search(&all)) != NULL)
	{
		if (!waited->seen)
		{
			forget_number(scheduler, waited, true);
			(void) search(scheduler->world.waited, waited->key, HASH_REMOVE, NULL);
		}
		else
		{
			waited->seen = false;
		}
	}
}

static void
list(void *argument)
{
	Scheduler  *scheduler = argument;
	int			n;
	StoreWaited *rows = josch_store_world_list(MOST, &n);

	for (int i = 0; i < n; i++)
	{
		see(scheduler, &rows[i]);
	}
	forget_unseen(scheduler);
}

/* In a transaction of its own; what fails is tried again when it has rested. */
static void
list_all(Scheduler *scheduler)
{
	World	   *world = &scheduler->world;
	TimestampTz since = josch_clock_system_now();
	volatile bool listed = false;

	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		MemoryContextSwitchTo(scheduler->scratch);
		listed = josch_attempt_unless_locked(list, scheduler);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		listed = false;
		(void) josch_scheduler_recover(scheduler);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(scheduler->scratch);
	world->stale = !listed;
	world->listed_at = josch_clock_system_now();
	world->listing_ms = listed ? (world->listed_at - since) / 1000 : 1000;
	if (scheduler->runner != NULL)
	{
		josch_runner_flush(scheduler->runner);
	}
}

/* When it may be listed again. */
static TimestampTz
rested_at(const World *world)
{
	TimestampTz now = josch_clock_now();
	int64		passed = (josch_clock_system_now() - world->listed_at) / 1000;
	int64		rest = world->listing_ms * (LIST_SHARE - 1);

	return passed < 0 || passed >= rest ? now : TimestampTzPlusMilliseconds(now, rest - passed);
}

/* Whatever is asked is asked at once, or as soon as it has been answered. */
static void
note_data(World *world)
{
	HASH_SEQ_STATUS all;
	Waited	   *waited;

	hash_seq_init(&all, world->waited);
	while ((waited = hash_seq_search(&all)) != NULL)
	{
		if (!TIMESTAMP_IS_NOEND(waited->judge_at))
		{
			/* who was due before is still the first */
			waited->judge_at = Min(waited->judge_at, josch_clock_now());
			world->judge_at = Min(world->judge_at, waited->judge_at);
			waited->again = waited->judging;
		}
	}
}

void
josch_scheduler_world(Scheduler *scheduler)
{
	World	   *world = &scheduler->world;
	bool		can_ask = scheduler->phase != RUNNER_ABSENT && scheduler->runner != NULL;
	bool		others;
	bool		data;

	josch_wake_was_for_world(&others, &data);
	world->stale |= others || (can_ask && !world->could_ask);
	world->could_ask = can_ask;
	if (data)
	{
		note_data(world);
	}
	if (!josch_scheduler_may_ask_world(scheduler))
	{
		return;
	}
	if (world->stale && rested_at(world) <= josch_clock_now())
	{
		list_all(scheduler);
	}
}

TimestampTz
josch_scheduler_world_due(const Scheduler *scheduler)
{
	/* an arming wakes it, a setting does */
	return scheduler->world.stale && josch_scheduler_may_ask_world(scheduler) ? rested_at(&scheduler->world) : DT_NOEND;
}
