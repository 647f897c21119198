/*
 * src/server/scheduler_hook_book.c
 *	  What is on its way to hooks, and what was heard of it.
 *
 * As with runs: an end is kept until it is committed, and only then does the runner hear
 * that it may forget it.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "utils/memutils.h"

#include "alarm/store_delivery.h"
#include "server/scheduler_hook_book.h"

/* One that was sent. */
typedef struct HookRun
{
	JoschRunKey key;			/* must be first */
	int64		delivery_id;
	bool		ended;			/* it is among the ends */
} HookRun;

/* ---- what was heard ---- */

static HookRun *
find(const Scheduler *scheduler, JoschRunKey key)
{
	return hash_search(scheduler->hooks.sent, &key, HASH_FIND, NULL);
}

void
josch_hook_book_remember(Scheduler *scheduler, const Delivery *delivery)
{
	JoschRunKey key = {delivery->run_id, delivery->nonce};
	bool		found;
	HookRun    *run = hash_search(scheduler->hooks.sent, &key, HASH_ENTER, &found);

	if (!found)
	{
		run->delivery_id = delivery->delivery_id;
		run->ended = false;
	}
}

static char *
keep(Scheduler *scheduler, const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : MemoryContextStrdup(scheduler->context, text);
}

static void
take_end(Scheduler *scheduler, int64 delivery_id, const RunEvent *event)
{
	MemoryContext former = MemoryContextSwitchTo(scheduler->context);
	HookEnd    *end = palloc0(sizeof(HookEnd));

	end->delivery_id = delivery_id;
	end->event = *event;
	end->event.text = keep(scheduler, event->text);
	end->event.output_tail = keep(scheduler, event->output_tail);
	end->event.survivors = NULL;
	scheduler->hooks.ends = lappend(scheduler->hooks.ends, end);
	MemoryContextSwitchTo(former);
}

/* It has failed, and this is all that is known. */
static void
take_failure(Scheduler *scheduler, int64 delivery_id, JoschRunKey key, const char *reason)
{
	RunEvent	event = josch_run_event(RUN_ENDED, key);

	event.kind = RUN_END_UNKNOWN;
	event.text = unconstify(char *, reason);
	take_end(scheduler, delivery_id, &event);
}

void
josch_hook_book_fail(Scheduler *scheduler, const Delivery *delivery, const char *reason)
{
	JoschRunKey key = {delivery->run_id, delivery->nonce};
	HookRun    *run = find(scheduler, key);

	if (run != NULL)
	{
		run->ended = true;
	}
	take_failure(scheduler, delivery->delivery_id, key, reason);
}

bool
josch_scheduler_hooks_take(Scheduler *scheduler, const JoschRunnerEvent *event)
{
	HookRun    *run = find(scheduler, josch_run_event_key(&event->run));

	if (run == NULL)
	{
		return false;
	}
	if (run->ended || (event->type == JOSCH_RUNNER_EVENT && (event->run.type == RUN_STARTED || event->run.type == RUN_UP)))
	{
		return true;
	}
	run->ended = true;
	if (event->type == JOSCH_RUNNER_REFUSED)
	{
		take_failure(scheduler, run->delivery_id, run->key, event->text);
	}
	else if (event->run.type == RUN_DELAYED)
	{
		take_failure(scheduler, run->delivery_id, run->key, event->run.text);
	}
	else
	{
		take_end(scheduler, run->delivery_id, &event->run);
	}
	return true;
}

void
josch_scheduler_hooks_listed(Scheduler *scheduler)
{
	HASH_SEQ_STATUS all;
	HookRun    *run;

	hash_seq_init(&all, scheduler->hooks.sent);
	while ((run = hash_seq_search(&all)) != NULL)
	{
		if (!run->ended && hash_search(scheduler->listed, &run->key, HASH_FIND, NULL) == NULL)
		{
			run->ended = true;
			take_failure(scheduler, run->delivery_id, run->key, "the runner does not know it any more");
		}
	}
}

int
josch_scheduler_hooks_living(const Scheduler *scheduler)
{
	HASH_SEQ_STATUS all;
	HookRun    *run;
	int			n = 0;

	hash_seq_init(&all, scheduler->hooks.sent);
	while ((run = hash_seq_search(&all)) != NULL)
	{
		n += hash_search(scheduler->living, &run->key, HASH_FIND, NULL) != NULL ? 1 : 0;
	}
	return n;
}

/* What is committed is forgotten here, and by the runner. */
void
josch_hook_book_forget_ends(Scheduler *scheduler)
{
	JoschRunKey *keys = palloc(sizeof(JoschRunKey) * (list_length(scheduler->hooks.ends) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, scheduler->hooks.ends)
	{
		HookEnd    *end = lfirst(cell);

		keys[n] = josch_run_event_key(&end->event);
		n += hash_search(scheduler->hooks.sent, &keys[n], HASH_REMOVE, NULL) != NULL ? 1 : 0;
		if (end->event.text != NULL)
		{
			pfree(end->event.text);
		}
		if (end->event.output_tail != NULL)
		{
			pfree(end->event.output_tail);
		}
		pfree(end);
	}
	list_free(scheduler->hooks.ends);
	scheduler->hooks.ends = NIL;
	if (n > 0 && scheduler->runner != NULL)
	{
		josch_runner_send_forget(scheduler->runner, JOSCH_SCOPE_OWN, keys, n);
	}
}

void
josch_scheduler_hooks_init(Scheduler *scheduler)
{
	HASHCTL		control = {.keysize = sizeof(JoschRunKey),.entrysize = sizeof(HookRun),.hcxt = scheduler->context};

	scheduler->hooks.sent = hash_create("josch deliveries", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	scheduler->hooks.due_at = DT_NOEND;
}

void
josch_scheduler_hooks_load(Scheduler *scheduler)
{
	int			n;
	Delivery   *running;

	if (scheduler->hooks.loaded)
	{
		return;
	}
	running = josch_store_delivery_running(&n);
	for (int i = 0; i < n; i++)
	{
		if (running[i].sql)
		{
			josch_hook_book_fail(scheduler, &running[i], "the scheduler ended meanwhile");
		}
		else
		{
			josch_hook_book_remember(scheduler, &running[i]);
		}
	}
	scheduler->hooks.loaded = true;
}
