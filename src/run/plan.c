/*
 * src/run/plan.c
 *	  What to do: structs in, actions out.
 *
 * The decisions of the engine stand here, and in verdict.c, without a table or a clock
 * in sight, so that they can be read, and tried, in one place.
 */
#include "base/josch.h"

#include "run/plan.h"

NodeState
josch_plan_free(char node_type)
{
	return node_type == 'S' ? NODE_STATE_SIGNOFF : node_type == 'R' ? NODE_STATE_REVIEW : NODE_STATE_SUCCEEDED;
}

StoreEnd
josch_plan_end(const StoreOpenRun *run, const RunEvent *event, TimestampTz now, int64 ahead)
{
	StoreEnd	end = {.event = *event, .move_node = run->current};
	RunFacts	facts = {run->run_id, run->node_type, run->requested_at, run->stopped_by, run->rules, run->gives_up, run->up};

	end.event.ended_at = event->ended_at != 0 ? event->ended_at : now;
	/* SQL: the time was up, but the commit was there before */
	end.event.timed_out |= run->timed_out && event->kind != RUN_END_DONE;
	end.exit_code = event->kind == RUN_END_EXIT ? event->value : -1;
	end.exit_signal = event->kind == RUN_END_SIGNAL ? event->value : 0;
	end.verdict = josch_verdict(&facts, &end.event, end.event.ended_at + (run->sql || event->ended_at == 0 ? 0 : ahead));
	return end;
}
