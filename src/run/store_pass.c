/*
 * src/run/store_pass.c
 *	  What a pass reads and writes: nodes and runs by their keys.
 *
 * A row is found, locked and changed in the same subtransaction, so that no lock has
 * to be remembered beside a change.
 */
#include "base/josch.h"

#include "run/store_pass.h"

#include "utils/builtins.h"

#include "base/finder.h"
#include "base/update.h"
#include "node/join.h"
#include "node/node_table.h"
#include "node/omitted.h"
#include "node/waiting.h"
#include "run/run_table.h"
#include "run/store_rules.h"

/* ---- what ended, and what started ---- */

static bool
is_null(JoschFinder *finder, int column)
{
	bool		isnull;

	(void) josch_finder_get(finder, column, &isnull);
	return isnull;
}

static StoreOpenRun
read_run(JoschFinder *runs)
{
	StoreOpenRun run = {0};
	bool		isnull;
	Datum		by = josch_finder_get(runs, RUNS_STOP_REQUESTED_BY, &isnull);

	run.stopped_by = isnull ? NULL : TextDatumGetCString(by);
	run.run_id = DatumGetInt64(josch_finder_get(runs, RUNS_RUN_ID, &isnull));
	run.nonce = DatumGetInt64(josch_finder_get(runs, RUNS_NONCE, &isnull));
	run.requested_at = DatumGetTimestampTz(josch_finder_get(runs, RUNS_REQUESTED_AT, &isnull));
	run.key.node_id = DatumGetInt64(josch_finder_get(runs, RUNS_NODE_ID, &isnull));
	run.key.job_date = DatumGetDateADT(josch_finder_get(runs, RUNS_JOB_DATE, &isnull));
	run.node_type = TextDatumGetCString(josch_finder_get(runs, RUNS_NODE_TYPE, &isnull))[0];
	run.sql = strcmp(TextDatumGetCString(josch_finder_get(runs, RUNS_KIND, &isnull)), "sql") == 0;
	run.up = !is_null(runs, RUNS_UP_AT);
	by = josch_finder_get(runs, RUNS_EXECUTOR, &isnull);
	run.executor = isnull ? NULL : TextDatumGetCString(by);
	run.timed_out = DatumGetBool(josch_finder_get(runs, RUNS_TIMED_OUT, &isnull));
	return run;
}

/* Whether the node is in that run; false when somebody holds it. */
static bool
lock_node(JoschFinder *nodes, StoreOpenRun *run)
{
	Datum		key[JOSCH_NODE_KEYS];
	bool		isnull;
	NodeState	state;
	int64		run_id;
	JoschLock	lock;

	josch_node_key_datums(run->key, key);
	if (!josch_finder_find(nodes, key) || (lock = josch_finder_lock(nodes)) == JOSCH_LOCK_GONE)
	{
		return true;			/* its own row is all that is left to be closed */
	}
	if (lock == JOSCH_LOCK_HELD)
	{
		return false;
	}
	state = josch_node_state(josch_finder_get(nodes, NODES_STATE, &isnull));
	run_id = DatumGetInt64(josch_finder_get(nodes, NODES_RUN_ID, &isnull));
	run->current = !isnull && run_id == run->run_id && (state == NODE_STATE_RUNNING || state == NODE_STATE_UP);
	run->rules = run->current ? josch_store_rules_read(nodes) : NULL;
	run->gives_up = josch_node_is_given_up(josch_finder_get(nodes, NODES_ON_FAILURE, &isnull));
	return true;
}

/* True when the run is open, and it and its node are locked now. */
static bool
lock_run(JoschFinder *runs, JoschFinder *nodes, int64 run_id, StoreOpenRun *run, bool *closed)
{
	Datum		key = Int64GetDatum(run_id);
	JoschLock	lock;

	*closed = !josch_finder_find(runs, &key) || !is_null(runs, RUNS_ENDED_AT);
	if (*closed || (lock = josch_finder_lock(runs)) == JOSCH_LOCK_HELD)
	{
		return false;
	}
	*closed = lock == JOSCH_LOCK_GONE || !is_null(runs, RUNS_ENDED_AT);
	if (*closed)
	{
		return false;
	}
	*run = read_run(runs);
	return lock_node(nodes, run);
}

StoreOpenRun *
josch_store_pass_lock(const int64 *run_ids, int n, bool *closed, int *found)
{
	StoreOpenRun *open = palloc(sizeof(StoreOpenRun) * Max(n, 1));
	JoschFinder runs;
	JoschFinder nodes;

	*found = 0;
	josch_finder_open(&runs, &josch_runs, 1, RowExclusiveLock);
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && run_ids[i] == run_ids[i - 1])
		{
			closed[i] = closed[i - 1];
		}
		else if (lock_run(&runs, &nodes, run_ids[i], &open[*found], &closed[i]))
		{
			(*found)++;
		}
	}
	josch_finder_close(&nodes);
	josch_finder_close(&runs);
	return open;
}

static void
set_or_null(JoschUpdate *update, int column, bool given, Datum value)
{
	if (given)
	{
		josch_update_set(update, column, value);
	}
	else
	{
		josch_update_set_null(update, column);
	}
}

/* What the row does not have yet. */
static void
complete(JoschUpdate *update, int column, bool given, Datum value)
{
	bool		isnull;

	(void) josch_update_get(update, column, &isnull);
	if (isnull && given)
	{
		josch_update_set(update, column, value);
	}
}

/* It has a process now, or, where an executor's program has attached to it, another one. */
static bool
is_news(JoschUpdate *runs, const RunEvent *event)
{
	bool		no_pid;
	bool		isnull;
	int32		pid = DatumGetInt32(josch_update_get(runs, RUNS_PID, &no_pid));
	bool		starting = strcmp(TextDatumGetCString(josch_update_get(runs, RUNS_STATUS, &isnull)), "starting") == 0;

	return starting || (event->pid != 0 && (no_pid || pid != event->pid));
}

void
josch_store_pass_started(const RunEvent *events, int n)
{
	static const int changed[] = {RUNS_STATUS, RUNS_PID, RUNS_STARTED_AT};
	JoschUpdate *runs;

	if (n == 0)
	{
		return;
	}
	runs = josch_update_begin(&josch_runs, 1, lengthof(changed), changed);
	for (int i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(events[i].run_id);

		if (josch_update_find(runs, &key) == JOSCH_FOUND && is_news(runs, &events[i]))
		{
			josch_update_set_text(runs, RUNS_STATUS, "running");
			set_or_null(runs, RUNS_PID, events[i].pid != 0, Int32GetDatum(events[i].pid));
			complete(runs, RUNS_STARTED_AT, true, TimestampTzGetDatum(events[i].started_at));
			(void) josch_update_write(runs);
		}
	}
	josch_update_end(runs);
}

static void
write_end(JoschUpdate *runs, const StoreEnd *end)
{
	const RunEvent *event = &end->event;

	josch_update_set_text(runs, RUNS_STATUS, end->verdict.status);
	complete(runs, RUNS_STARTED_AT, event->started_at != 0, TimestampTzGetDatum(event->started_at));
	complete(runs, RUNS_PID, event->pid != 0, Int32GetDatum(event->pid));
	josch_update_set(runs, RUNS_ENDED_AT, TimestampTzGetDatum(event->ended_at));
	set_or_null(runs, RUNS_EXIT_CODE, end->exit_code != -1, Int32GetDatum(end->exit_code));
	set_or_null(runs, RUNS_EXIT_SIGNAL, end->exit_signal != 0, Int32GetDatum(end->exit_signal));
	josch_update_set_text(runs, RUNS_MESSAGE, end->verdict.reason);
	josch_update_set(runs, RUNS_TIMED_OUT, BoolGetDatum(event->timed_out));
	set_or_null(runs, RUNS_CPU_SECONDS, event->cpu_seconds != -1, Float8GetDatum(event->cpu_seconds));
	set_or_null(runs, RUNS_PEAK_MEMORY, event->peak_memory != -1, Int64GetDatum(event->peak_memory));
	josch_update_set_text(runs, RUNS_OUTPUT_TAIL, event->output_tail);
	josch_update_set_text(runs, RUNS_SURVIVORS, event->survivors);
	josch_update_set_text(runs, RUNS_SQLSTATE, event->sqlstate != 0 ? unpack_sql_state(event->sqlstate) : NULL);
	(void) josch_update_write(runs);
}

/* An end whose run was found, for the node. */
typedef struct NodeEnd
{
	const StoreEnd *end;
	NodeKey		key;
	TimestampTz started_at;		/* 0: not known */
} NodeEnd;

static NodeEnd
node_end(JoschUpdate *runs, const StoreEnd *end)
{
	bool		isnull;
	NodeEnd		result = {.end = end};

	result.key.node_id = DatumGetInt64(josch_update_get(runs, RUNS_NODE_ID, &isnull));
	result.key.job_date = DatumGetDateADT(josch_update_get(runs, RUNS_JOB_DATE, &isnull));
	result.started_at = DatumGetTimestampTz(josch_update_get(runs, RUNS_STARTED_AT, &isnull));
	result.started_at = isnull ? end->event.started_at : result.started_at;
	return result;
}

/* The node runs again: by one more of its retries, or, where it is repeated, with all of them anew. */
static void
set_next_attempt(JoschUpdate *nodes, const Verdict *verdict)
{
	bool		isnull;
	int32		retried = DatumGetInt32(josch_update_get(nodes, NODES_RETRIED, &isnull));

	josch_update_set(nodes, NODES_NOT_BEFORE, TimestampTzGetDatum(verdict->again_at));
	josch_update_set(nodes, NODES_RETRIED, Int32GetDatum(verdict->repeated ? 0 : retried + 1));
}

static void
end_nodes(const NodeEnd *ends, int n)
{
	static const int changed[] = {
		NODES_STATE, NODES_MESSAGE, NODES_ENDED_AT, NODES_STARTED_AT, NODES_NOT_BEFORE, NODES_RETRIED
	};
	JoschUpdate *nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);

	for (int i = 0; i < n; i++)
	{
		const StoreEnd *end = ends[i].end;
		Datum		key[JOSCH_NODE_KEYS];
		bool		isnull;

		josch_node_key_datums(ends[i].key, key);
		if (josch_update_find(nodes, key) == JOSCH_FOUND &&
			DatumGetInt64(josch_update_get(nodes, NODES_RUN_ID, &isnull)) == end->event.run_id)
		{
			josch_node_set_state(nodes, end->verdict.state);
			josch_update_set_text(nodes, NODES_MESSAGE, end->verdict.message);
			josch_update_set(nodes, NODES_ENDED_AT, TimestampTzGetDatum(end->event.ended_at));
			if (ends[i].started_at != 0)
			{
				josch_update_set(nodes, NODES_STARTED_AT, TimestampTzGetDatum(ends[i].started_at));
			}
			if (end->verdict.again_at != 0)
			{
				set_next_attempt(nodes, &end->verdict);
			}
			(void) josch_update_write(nodes);
		}
	}
	josch_update_end(nodes);
}

void
josch_store_pass_end(const StoreEnd *ends, int n)
{
	static const int changed[] = {
		RUNS_STATUS, RUNS_STARTED_AT, RUNS_ENDED_AT, RUNS_PID, RUNS_EXIT_CODE, RUNS_EXIT_SIGNAL, RUNS_MESSAGE, RUNS_TIMED_OUT,
		RUNS_CPU_SECONDS, RUNS_PEAK_MEMORY, RUNS_OUTPUT_TAIL, RUNS_SURVIVORS, RUNS_SQLSTATE
	};
	JoschUpdate *runs = josch_update_begin(&josch_runs, 1, lengthof(changed), changed);
	NodeEnd    *moved = palloc(sizeof(NodeEnd) * Max(n, 1));
	int			nmoved = 0;

	for (int i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(ends[i].event.run_id);

		if (josch_update_find(runs, &key) != JOSCH_FOUND)
		{
			continue;
		}
		if (ends[i].move_node)
		{
			moved[nmoved++] = node_end(runs, &ends[i]);
		}
		write_end(runs, &ends[i]);
	}
	josch_update_end(runs);
	end_nodes(moved, nmoved);
}

/* ---- what is ready ---- */

/* Moves the node that was found; unless it has gone on, or runs something, meanwhile. */
static void
move(JoschUpdate *nodes, NodeState (*state_for) (char node_type), StoreTaken *taken)
{
	bool		isnull;
	NodeState	state;

	if (josch_waiting_of(josch_update_row(nodes)).turn != WAITS_FOR_TURN)
	{
		return;
	}
	state = state_for(TextDatumGetCString(josch_update_get(nodes, NODES_NODE_TYPE, &isnull))[0]);
	josch_node_set_state(nodes, state);
	josch_update_set_null(nodes, NODES_MESSAGE);
	josch_update_set_null(nodes, NODES_NOT_BEFORE);
	if (josch_update_write(nodes))
	{
		taken->done++;
	}
	else
	{
		taken->suppressed = state;
	}
}

StoreTaken
josch_store_pass_move(const NodeKey *keys, int n, NodeState (*state_for) (char node_type))
{
	static const int changed[] = {NODES_STATE, NODES_MESSAGE, NODES_NOT_BEFORE};
	JoschUpdate *nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);
	StoreTaken	taken = {.suppressed = NODE_STATE_READY};

	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];
		JoschFound	found;

		josch_node_key_datums(keys[i], key);
		found = josch_update_find(nodes, key);
		if (found == JOSCH_FOUND)
		{
			move(nodes, state_for, &taken);
		}
		taken.held += found == JOSCH_HELD;
	}
	josch_update_end(nodes);
	return taken;
}

/* ---- what a rule says ---- */

/* What becomes of a node whose parents say so; what is no longer so waits for them again. */
static NodeState
rule_says(JoschUpdate *nodes)
{
	bool		isnull;
	NodeState	from = josch_node_state(josch_update_get(nodes, NODES_STATE, &isnull));
	JoschJoin	join = josch_join_of(josch_update_row(nodes));

	if (from == NODE_STATE_OMITTED || !josch_join_omits(&join))
	{
		return NODE_STATE_PENDING;
	}
	return join.ends ? NODE_STATE_ABANDONED : NODE_STATE_OMITTED;
}

/* Moves the node that was found; unless its parents, or somebody else, have changed it meanwhile. */
static void
omit(JoschUpdate *nodes, JoschOmitted *omitted, StoreTaken *taken)
{
	NodeState	to;

	if (josch_waiting_of(josch_update_row(nodes)).turn != WAITS_FOR_RULE)
	{
		return;
	}
	to = rule_says(nodes);
	josch_node_set_state(nodes, to);
	josch_update_set_text(nodes, NODES_MESSAGE,
						  to != NODE_STATE_PENDING ? josch_omitted_why(omitted, josch_update_row(nodes)) : NULL);
	/* it has not run since, nor is it between two attempts any more */
	josch_update_set_null(nodes, NODES_STARTED_AT);
	josch_update_set_null(nodes, NODES_ENDED_AT);
	josch_update_set_null(nodes, NODES_NOT_BEFORE);
	if (josch_update_write(nodes))
	{
		taken->done++;
	}
	else
	{
		taken->suppressed = to;
	}
}

StoreTaken
josch_store_pass_omit(const NodeKey *keys, int n)
{
	static const int changed[] = {NODES_STATE, NODES_MESSAGE, NODES_STARTED_AT, NODES_ENDED_AT, NODES_NOT_BEFORE};
	JoschUpdate *nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);
	StoreTaken	taken = {.suppressed = NODE_STATE_READY};
	JoschOmitted omitted;

	josch_omitted_open(&omitted);
	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];
		JoschFound	found;

		josch_node_key_datums(keys[i], key);
		found = josch_update_find(nodes, key);
		if (found == JOSCH_FOUND)
		{
			omit(nodes, &omitted, &taken);
		}
		taken.held += found == JOSCH_HELD;
	}
	josch_omitted_close(&omitted);
	josch_update_end(nodes);
	return taken;
}
