/*
 * src/server/why_limits.c
 *	  What limits and pauses say of a node that is ready: the answer of the engine's own function.
 */
#include "base/josch.h"

#include "server/why_limits.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/config.h"
#include "node/units.h"
#include "run/store_pauses.h"

/* Starts that are thought of at most. */
#define MAX_BEGUN 1000

void
josch_why_limits_open(WhyBook *book, TimestampTz now)
{
	memset(book, 0, sizeof(WhyBook));
	book->pauses = josch_pauses_read();
	book->now = now;
}

void
josch_why_limits_close(WhyBook *book)
{
	if (book->opened)
	{
		josch_limit_book_close(&book->book);
	}
}

char *
josch_why_limits_database(const WhyBook *book)
{
	const Pause *pause = josch_pauses_of_database(&book->pauses);

	return pause == NULL ? NULL : psprintf("the database is paused %s", josch_pauses_text(pause));
}

static void
open_book(WhyBook *book)
{
	int			at;

	josch_limit_book_open(&book->book, &book->pauses, AccessShareLock);
	book->opened = true;
	book->heads = josch_limit_book_heads(&book->book, &book->nheads);
	book->begun = palloc(sizeof(NodeKey) * MAX_BEGUN);
	while (book->nbegun < MAX_BEGUN &&
		   (at = josch_limits_next(book->heads, book->nheads, book->now, josch_config_reserve_after, NULL, NULL)) >= 0)
	{
		CHECK_FOR_INTERRUPTS();
		josch_limits_take(book->heads[at].needs, book->heads[at].nneeds);
		book->begun[book->nbegun++] = book->heads[at].key;
		(void) josch_limit_book_next(&book->book, &book->heads[at]);
	}
}

static LimitVerdict
verdict_of(WhyBook *book, NodeKey key)
{
	LimitVerdict fits = {LIMIT_FITS, NULL};
	LimitHead	head;

	for (int i = 0; i < book->nbegun; i++)
	{
		if (josch_node_key_equal(book->begun[i], key))
		{
			return fits;
		}
	}
	for (int i = 0; i < book->nheads; i++)
	{
		if (josch_node_key_equal(book->heads[i].key, key))
		{
			return book->heads[i].verdict;
		}
	}
	return josch_limit_book_find(&book->book, key, &head) ? josch_limits_judge(head.needs, head.nneeds) : fits;
}

/* ---- in words ---- */

static Why
never_fits(const LimitNeed *need)
{
	return josch_why_because(WHY_NEVER_FITS, !need->pool->there ?
							 psprintf("%s \"%s\" does not exist", need->pool->kind == LIMIT_OF_EXECUTOR ? "executor" : "semaphore", need->pool->name) :
							 psprintf("it needs %d units of semaphore \"%s\", and can never start while its capacity is " INT64_FORMAT,
									  need->units, need->pool->name, need->capacity));
}

static Why
taken(const LimitNeed *need)
{
	const LimitPool *pool = need->pool;
	TimestampTz since;
	char	   *holders = josch_store_pauses_holders(pool->kind, pool->name, &since);

	if (pool->kind == LIMIT_OF_JOB)
	{
		return josch_why_because(WHY_MAX_RUNNING_JOB,
								 psprintf(INT64_FORMAT " nodes of job \"%s\" run, and it allows " INT64_FORMAT "%s%s", pool->used, pool->name, need->capacity,
										  holders != NULL ? ": " : "", holders != NULL ? holders : ""));
	}
	if (pool->kind == LIMIT_OF_EXECUTOR)
	{
		return josch_why_because(WHY_EXECUTOR, psprintf("waits for executor \"%s\": " INT64_FORMAT " of " INT64_FORMAT " run%s%s", pool->name, pool->used, need->capacity,
														holders != NULL ? ": " : "", holders != NULL ? holders : ""));
	}
	return josch_why_because(WHY_SEMAPHORE,
							 psprintf("it needs %d unit%s of semaphore \"%s\", of which " INT64_FORMAT " of " INT64_FORMAT " are free%s%s", need->units,
									  need->units == 1 ? "" : "s", pool->name, Max(need->capacity - pool->used, 0), need->capacity,
									  holders != NULL ? ": " : "", holders != NULL ? holders : ""));
}

static Why
kept(const LimitNeed *need)
{
	const LimitPool *pool = need->pool;
	WhyNode    *keeper = josch_store_why_nodes(&pool->keeper, 1);
	const char *name = keeper->node_name != NULL ? keeper->node_name : psprintf(INT64_FORMAT, pool->keeper.node_id);

	return josch_why_because(WHY_RESERVED,
							 psprintf("%s \"%s\" is kept for \"%s\", which has waited since %s", pool->kind == LIMIT_OF_JOB ? "a place of job" : pool->kind == LIMIT_OF_EXECUTOR ? "a place of executor" : "semaphore",
									  pool->name, name, timestamptz_to_str(keeper->since)));
}

static Why
in_words(const WhyBook *book, LimitVerdict verdict)
{
	const char *name = verdict.need != NULL ? verdict.need->pool->name : NULL;

	switch (verdict.answer)
	{
		case LIMIT_NEVER_FITS:
			return never_fits(verdict.need);
		case LIMIT_CLOSED:
			return verdict.need->pool->kind == LIMIT_OF_EXECUTOR ? josch_why_because(WHY_EXECUTOR, psprintf("executor \"%s\" is closed: its max_running is 0", name)) :
				josch_why_because(WHY_SEMAPHORE, psprintf("semaphore \"%s\" is closed: its capacity is 0", name));
		case LIMIT_PAUSED:
			return josch_why_because(WHY_SEMAPHORE, psprintf("semaphore \"%s\" is paused %s", name,
															 josch_pauses_text(josch_pauses_of_semaphore(&book->pauses, name))));
		case LIMIT_TAKEN:
			return taken(verdict.need);
		case LIMIT_KEPT:
			return kept(verdict.need);
		case LIMIT_FITS:
			break;
	}
	return josch_why_because(WHY_TURN, NULL);
}

Why
josch_why_limits_of(void *argument, const WhyNode *node)
{
	WhyBook    *book = argument;
	const Pause *pause = josch_pauses_of_job(&book->pauses, node->job_name, node->key.job_date);

	if (pause != NULL)
	{
		return josch_why_because(WHY_PAUSED_JOB, psprintf("%s is paused %s", pause->what == PAUSE_DAY ? "its day" : psprintf("job \"%s\"", node->job_name),
														  josch_pauses_text(pause)));
	}
	if (!book->opened)
	{
		open_book(book);
	}
	return in_words(book, verdict_of(book, node->key));
}
