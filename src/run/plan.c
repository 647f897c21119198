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

static bool
take(int *places)
{
	if (*places <= 0)
	{
		return false;
	}
	(*places)--;
	return true;
}

PlanAction
josch_plan_ready(const StoreReady *node, TimestampTz now, PlanPlaces *places)
{
	if (node->due_at > now && !node->forced)
	{
		return PLAN_WAIT;
	}
	if (node->node_type == 'S')
	{
		return PLAN_ASK_SIGNOFF;
	}
	if (node->has_command)
	{
		return take(&places->commands) ? PLAN_RUN_COMMAND : PLAN_WAIT;
	}
	if (node->has_sql)
	{
		return take(&places->sql) ? PLAN_RUN_SQL : PLAN_WAIT;
	}
	return node->node_type == 'R' ? PLAN_ASK_REVIEW : PLAN_SUCCEED;
}

static PlanEnd
failed(char *message)
{
	PlanEnd		end = {NODE_STATE_FAILED, "failed", message};

	return end;
}

/* What the exit itself says, whoever caused it. */
static char *
describe(const RunOutcome *outcome)
{
	switch (outcome->kind)
	{
		case RUN_END_EXIT:
			return psprintf("exit code %d", outcome->value);
		case RUN_END_SIGNAL:
			return psprintf("signal %d (%s)", outcome->value, strsignal(outcome->value));
		case RUN_END_NOT_STARTED:
			return psprintf("could not be started: %s", outcome->text != NULL ? outcome->text : "no reason given");
		case RUN_END_ERROR:
			return pstrdup(outcome->text != NULL ? outcome->text : "SQL failed");
		case RUN_END_UNKNOWN:
			return psprintf("how it ended cannot be known: %s",
							outcome->text != NULL ? outcome->text : "the runner lost sight of it");
	}
	elog(ERROR, "unrecognized end of a run: %d", (int) outcome->kind);
}

PlanEnd
josch_plan_end(char node_type, const RunOutcome *outcome)
{
	bool		clean = outcome->kind == RUN_END_EXIT && outcome->value == 0;
	PlanEnd		end = {NODE_STATE_SUCCEEDED, "succeeded", NULL};

	if (outcome->kind == RUN_END_NOT_STARTED)
	{
		return failed(describe(outcome));
	}
	if (outcome->timed_out)
	{
		return failed(psprintf("timed out: %s", describe(outcome)));
	}
	if (outcome->stopped_by != NULL && node_type == 'L')
	{
		/* on purpose: whatever the exit, it is what was wanted */
		end.message = psprintf("stopped by %s", outcome->stopped_by);
		if (outcome->kind == RUN_END_UNKNOWN)
		{
			end.status = "unknown";
		}
		return end;
	}
	if (outcome->kind == RUN_END_UNKNOWN)
	{
		end.state = NODE_STATE_UNKNOWN;
		end.status = "unknown";
		end.message = describe(outcome);
		return end;
	}
	if (clean)
	{
		end.state = node_type == 'R' ? NODE_STATE_REVIEW : NODE_STATE_SUCCEEDED;
		return end;
	}
	if (outcome->stopped_by != NULL)
	{
		return failed(psprintf("stopped by %s: %s", outcome->stopped_by, describe(outcome)));
	}
	return failed(describe(outcome));
}
