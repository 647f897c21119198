/*
 * src/run/plan.c
 *	  What to do: structs in, actions out.
 *
 * The decisions of the engine stand here without a table or a clock in sight,
 * so that they can be read, and tried, in one place.  One rule above all: never
 * guess success.
 */
#include "base/josch.h"

#include "run/plan.h"

#include <string.h>

#include "base/report.h"

NodeState
josch_plan_free(char node_type)
{
	return node_type == 'S' ? NODE_STATE_SIGNOFF : node_type == 'R' ? NODE_STATE_REVIEW : NODE_STATE_SUCCEEDED;
}

/* What the end itself says, whoever caused it. */
static char *
describe(const RunEvent *event)
{
	switch (event->kind)
	{
		case RUN_END_DONE:
			return pstrdup("done");
		case RUN_END_EXIT:
			return psprintf("exit code %d", event->value);
		case RUN_END_SIGNAL:
			return psprintf("signal %d (%s)", event->value, strsignal(event->value));
		case RUN_END_NOT_STARTED:
			return psprintf("could not be started: %s", event->text != NULL ? event->text : "no reason given");
		case RUN_END_ERROR:
			return pstrdup(event->text != NULL ? event->text : "SQL failed");
		case RUN_END_WATCHED:
		case RUN_END_UNKNOWN:
			return psprintf("how it ended cannot be known: %s%s%s",
							event->text != NULL ? event->text : "the runner lost sight of it",
							event->survivors != NULL ? "; processes of it still live: " : event->looked ? "; no process of it was found" : "",
							event->survivors != NULL ? event->survivors : "");
	}
	elog(ERROR, "unrecognized end of a run: %d", (int) event->kind);
}

static void
conclude(StoreEnd *end, NodeState state, const char *status, char *message)
{
	end->state = state;
	end->status = status;
	end->message = josch_report_cut(message, JOSCH_MESSAGE_MAX);
}

static void
decide(StoreEnd *end, const StoreOpenRun *run)
{
	const RunEvent *event = &end->event;

	if (event->kind == RUN_END_NOT_STARTED)
	{
		conclude(end, NODE_STATE_FAILED, "failed", describe(event));
	}
	else if (event->timed_out)
	{
		conclude(end, NODE_STATE_FAILED, "failed", psprintf("timed out: %s", describe(event)));
	}
	else if (event->kind == RUN_END_UNKNOWN || (event->kind == RUN_END_WATCHED && run->stopped_by == NULL))
	{
		conclude(end, NODE_STATE_UNKNOWN, "unknown", describe(event));
	}
	else if (run->stopped_by != NULL && run->node_type == 'L')
	{
		/* on purpose: whatever the exit, it is what was wanted */
		conclude(end, NODE_STATE_SUCCEEDED, "succeeded", psprintf("stopped by %s", run->stopped_by));
	}
	else if (event->kind == RUN_END_DONE || (event->kind == RUN_END_EXIT && event->value == 0 && !event->stopped))
	{
		conclude(end, run->node_type == 'R' ? NODE_STATE_REVIEW : NODE_STATE_SUCCEEDED, "succeeded",
				 event->kind == RUN_END_DONE ? event->text : NULL);
	}
	else if (run->stopped_by != NULL)
	{
		conclude(end, NODE_STATE_FAILED, "failed", psprintf("stopped by %s: %s", run->stopped_by, describe(event)));
	}
	else
	{
		conclude(end, NODE_STATE_FAILED, "failed", describe(event));
	}
}

StoreEnd
josch_plan_end(const StoreOpenRun *run, const RunEvent *event, TimestampTz now)
{
	StoreEnd	end = {.event = *event, .move_node = run->current};

	end.event.ended_at = event->ended_at != 0 ? event->ended_at : now;
	/* SQL: the time was up, but the commit was there before */
	end.event.timed_out |= run->timed_out && event->kind != RUN_END_DONE;
	end.exit_code = event->kind == RUN_END_EXIT ? event->value : -1;
	end.exit_signal = event->kind == RUN_END_SIGNAL ? event->value : 0;
	decide(&end, run);
	return end;
}
