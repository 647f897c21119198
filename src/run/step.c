/*
 * src/run/step.c
 *	  One bad node never stops the others: how a pass applies what it does.
 */
#include "base/josch.h"

#include "run/step.h"

#include "miscadmin.h"

#include "base/attempt.h"
#include "base/report.h"
#include "run/quarantine.h"

#define LIMIT 10000
#define LIMIT_IN_TIME 500

int
josch_step_limit(const EnginePass *pass)
{
	return pass->budget_ms == 0 ? LIMIT : LIMIT_IN_TIME;
}

bool
josch_step_is_quarantined(EnginePass *pass, NodeKey key)
{
	TimestampTz until = josch_quarantine_until(key, pass->now);

	if (until != 0)
	{
		pass->retry_at = Min(pass->retry_at, until);
	}
	return until != 0;
}

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
	JoschStep	apply;
	Piece	   *items;
	int			n;
	void	   *argument;
	int			changed;
} Attempt;

static void
apply_step(void *argument)
{
	Attempt    *a = argument;

	a->changed = a->apply(a->pass, a->items, a->n, a->argument);
}

/* Runs the step in a subtransaction; NULL, or the error, after which nothing of it is left. */
static ErrorData *
attempt(EnginePass *pass, JoschStep apply, Piece *items, int n, void *argument)
{
	Attempt		a = {pass, apply, items, n, argument};
	EnginePass	before = *pass;
	ErrorData  *error = NULL;

	if (pass->short_way)
	{
		apply_step(&a);
	}
	else
	{
		error = josch_attempt(apply_step, &a);
	}
	if (error != NULL)
	{
		*pass = before;			/* of what it has noted nothing has happened */
	}
	else
	{
		pass->changes += a.changed;
	}
	return error;
}

void
josch_step_complain_of_suppression(const char *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger on josch.nodes suppressed the change to \"%s\"", state)));
}

static int
record_failure(EnginePass *pass, Piece *items, int n, void *argument)
{
	for (int i = 0; i < n; i++)
	{
		if (!josch_store_run_fail_node(items[i].key, (const char *) argument) && items[i].event == NULL)
		{
			josch_step_complain_of_suppression("failed");
		}
	}
	return n;
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

void
josch_step_apply_all(EnginePass *pass, JoschStep apply, Piece *items, int n, void *argument)
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
		josch_step_apply_all(pass, apply, items, n / 2, argument);
		josch_step_apply_all(pass, apply, items + n / 2, n - n / 2, argument);
	}
}

NodeKey *
josch_step_keys(const Piece *items, int n)
{
	NodeKey    *keys = palloc(sizeof(NodeKey) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		keys[i] = items[i].key;
	}
	return keys;
}

bool
josch_step_reach(EnginePass *pass, void (*work) (void *argument), void *argument, int n)
{
	bool		reached;

	if (pass->short_way)
	{
		work(argument);
		return true;
	}
	reached = josch_attempt_unless_locked(work, argument);
	pass->set_aside += reached ? 0 : n;
	return reached;
}
