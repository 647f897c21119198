/*
 * src/node/trigger_node.c
 *	  The door to a node's state.
 *
 * josch_trigger_node_door (BEFORE ROW) lets a change of josch.nodes through only
 * along an edge of fsm.c, whichever way it comes, and writes down who acted.
 * josch_trigger_node_run_guard (BEFORE ROW) keeps people from writing josch.runs:
 * a run that goes on and has no row, or an ended one, would leave its node running
 * for ever.
 *
 * The row arrives locked and in its latest version, so of two people who act at
 * once the second meets the state that the first has made.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "base/wake.h"
#include "node/fsm.h"

PG_FUNCTION_INFO_V1(josch_trigger_node_door);
PG_FUNCTION_INFO_V1(josch_trigger_node_run_guard);

/* The columns that the triggers read and write. */
typedef enum NodeColumn
{
	COLUMN_NODE_ID, COLUMN_JOB_DATE, COLUMN_NODE_TYPE, COLUMN_JOB_NAME, COLUMN_STATE,
	COLUMN_STATE_SINCE, COLUMN_CHANGE_ID, COLUMN_UNMET, COLUMN_IMPOSSIBLE, COLUMN_SATISFIED, COLUMN_FORCED, COLUMN_MESSAGE,
	COLUMN_STARTED_AT, COLUMN_ENDED_AT, COLUMN_ACTION, COLUMN_ACTED_BY, COLUMN_ACTED_AT,
	COLUMN_COMMENT, COLUMN_NOT_BEFORE, COLUMN_RETRIED, COLUMN_REPEATS_FROM, COLUMN_WAIT_FILE, COLUMN_WAIT_SQL,
	COLUMN_FILE_FOUND, COLUMN_SQL_TRUE_AT, COLUMN_COUNT
} NodeColumn;

static const JoschColumn node_columns[COLUMN_COUNT] = {
	{"node_id", INT8OID}, {"job_date", DATEOID}, {"node_type", TEXTOID}, {"job_name", TEXTOID}, {"state", TEXTOID},
	{"state_since", TIMESTAMPTZOID}, {"change_id", INT8OID}, {"unmet", INT4OID}, {"impossible", INT4OID}, {"satisfied", INT4OID},
	{"forced", BOOLOID}, {"message", TEXTOID},
	{"started_at", TIMESTAMPTZOID}, {"ended_at", TIMESTAMPTZOID}, {"action", TEXTOID}, {"acted_by", TEXTOID}, {"acted_at", TIMESTAMPTZOID},
	{"comment", TEXTOID}, {"not_before", TIMESTAMPTZOID}, {"retried", INT4OID}, {"repeats_from", TIMESTAMPTZOID},
	{"wait_file", TEXTOID}, {"wait_sql", TEXTOID}, {"file_found", TEXTOID}, {"sql_true_at", TIMESTAMPTZOID}
};
static AttrNumber node_numbers[COLUMN_COUNT];
static JoschTable nodes = JOSCH_TABLE("nodes", node_columns, node_numbers);

enum
{
	RUN_RUN_ID, RUN_ENDED_AT, RUN_COLUMN_COUNT
};

static const JoschColumn run_columns[RUN_COLUMN_COUNT] = {{"run_id", INT8OID}, {"ended_at", TIMESTAMPTZOID}};
static AttrNumber run_numbers[RUN_COLUMN_COUNT];
static JoschTable runs = JOSCH_TABLE("runs", run_columns, run_numbers);

/* What people may write by UPDATE; the rest of a row is kept by the triggers and the engine. */
static const char *const open_columns[] = {
	"state", "comment", "exec_command", "exec_sql", "exec_sql_atomic", "ready_command",
	"ready_after", "timeout", "stop_grace", "work_dir", "owner", "success_codes", "retry_codes", "retries", "retry_delay",
	"retry_backoff", "retry_max_delay", "retry_on", "repeatable", "join_rule", "on_failure", "repeat_every", "repeat_until",
	"start_by", "finish_by", "max_duration", "wait_file", "wait_stable", "wait_sql", "wait_interval",
	"skip_codes", "priority", "executor", "executor_options"
};

/* What else is looked up with the columns of nodes. */
static Oid	change_id_sequence;
static Bitmapset *open_numbers; /* offset as in tg_updatedcols; in TopMemoryContext */

/* A row that is being changed by the door. */
typedef struct Draft
{
	int			n;
	int			columns[COLUMN_COUNT];
	Datum		values[COLUMN_COUNT];
	bool		nulls[COLUMN_COUNT];
} Draft;

/* The columns of nodes, where it is JOSCH's table that fired the trigger. */
static void
look_up_nodes(Relation relation, const char *function_name)
{
	MemoryContext former;

	if (!josch_table_check(&nodes, relation, function_name))
	{
		return;
	}
	former = MemoryContextSwitchTo(TopMemoryContext);
	bms_free(open_numbers);
	open_numbers = NULL;
	for (int i = 0; i < (int) lengthof(open_columns); i++)
	{
		open_numbers = bms_add_member(open_numbers, SPI_fnumber(RelationGetDescr(relation), open_columns[i]) -
									  FirstLowInvalidHeapAttributeNumber);
	}
	MemoryContextSwitchTo(former);
	change_id_sequence = get_relname_relid("change_id_seq", RelationGetNamespace(relation));
}

static Datum
column_of(HeapTuple row, TupleDesc desc, NodeColumn column, bool *isnull)
{
	return heap_getattr(row, node_numbers[column], desc, isnull);
}

static NodeState
state_from(Datum value)
{
	NodeState	state;
	char	   *label = TextDatumGetCString(value);

	if (!josch_fsm_parse(label, &state))
	{
		StringInfoData all;

		initStringInfo(&all);
		for (int i = 0; i < NODE_STATE_COUNT; i++)
		{
			appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", josch_fsm_label((NodeState) i));
		}
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized node state: \"%s\"", label),
				 errdetail("The states are %s.", all.data)));
	}
	return state;
}

static NodeKey
key_of(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	NodeKey		key;

	key.node_id = DatumGetInt64(column_of(row, desc, COLUMN_NODE_ID, &isnull));
	key.job_date = DatumGetDateADT(column_of(row, desc, COLUMN_JOB_DATE, &isnull));
	return key;
}

static char
type_of(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = column_of(row, desc, COLUMN_NODE_TYPE, &isnull);

	return TextDatumGetCString(value)[0];
}

static void
set(Draft *draft, NodeColumn column, Datum value)
{
	draft->columns[draft->n] = node_numbers[column];
	draft->values[draft->n] = value;
	draft->nulls[draft->n] = false;
	draft->n++;
}

static void
set_null(Draft *draft, NodeColumn column)
{
	set(draft, column, (Datum) 0);
	draft->nulls[draft->n - 1] = true;
}

/* Refuses an UPDATE that names a column which JOSCH keeps itself. */
static void
check_columns(TriggerData *trigger)
{
	Relation	relation = trigger->tg_relation;
	int			bit = -1;

	while ((bit = bms_next_member(trigger->tg_updatedcols, bit)) >= 0)
	{
		if (!bms_is_member(bit, open_numbers))
		{
			AttrNumber	number = bit + FirstLowInvalidHeapAttributeNumber;

			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("column \"%s\" of josch.nodes cannot be changed by UPDATE",
							NameStr(TupleDescAttr(RelationGetDescr(relation), number - 1)->attname)),
					 errdetail("JOSCH keeps it itself."),
					 errhint("Change state and comment, or the command for this day."),
					 errtablecol(relation, number)));
		}
	}
}

static bool
is_named(TriggerData *trigger, NodeColumn column)
{
	return bms_is_member(node_numbers[column] - FirstLowInvalidHeapAttributeNumber,
						 trigger->tg_updatedcols);
}

/* A comment belongs to an act; nobody rewrites what another has said. */
static void
check_comment(TriggerData *trigger)
{
	if (is_named(trigger, COLUMN_COMMENT) && !is_named(trigger, COLUMN_STATE))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("column \"comment\" of josch.nodes cannot be changed alone"),
				 errdetail("It is kept with the act that it was written for."),
				 errhint("Set state and comment in one UPDATE.")));
	}
}

/* The sentence about who was there before, for the second of two people; NULL when nobody was. */
static char *
who_was_first(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		action = column_of(row, desc, COLUMN_ACTION, &isnull);
	char	   *by;
	char	   *at;

	if (isnull)
	{
		return NULL;
	}
	by = TextDatumGetCString(column_of(row, desc, COLUMN_ACTED_BY, &isnull));
	at = pstrdup(timestamptz_to_str(DatumGetTimestampTz(column_of(row, desc, COLUMN_ACTED_AT, &isnull))));
	return psprintf("The last act was \"%s\" by \"%s\" at %s.", TextDatumGetCString(action), by, at);
}

static void
refuse(HeapTuple row, TupleDesc desc, NodeState from, NodeState to, char node_type)
{
	NodeKey		key = key_of(row, desc);
	char	   *first = who_was_first(row, desc);
	char	   *allowed = josch_fsm_allowed(from, node_type);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 from == to ?
			 errmsg("node %s is \"%s\" already", josch_report_key(key.node_id, key.job_date),
					josch_fsm_label(from)) :
			 errmsg("cannot change node %s from \"%s\" to \"%s\"",
					josch_report_key(key.node_id, key.job_date), josch_fsm_label(from), josch_fsm_label(to)),
			 first != NULL ? errdetail("%s", first) : 0,
			 allowed[0] != '\0' ?
			 errhint("From \"%s\" people can change it to: %s.", josch_fsm_label(from), allowed) :
			 errhint("From \"%s\" only the scheduler changes it.", josch_fsm_label(from))));
}

/* What the board says about a node on which somebody acted; NULL for nothing. */
static char *
message_of_act(const char *action, const char *by)
{
	const JoschAct *act = josch_acts_find(action);

	return act != NULL && act->told ? psprintf("%s by %s", josch_states_words(act->words, NULL), by) : NULL;
}

/* A function of josch names the column always; a comment that it was not given is none. */
static bool
has_comment(TriggerData *trigger)
{
	bool		isnull = false;

	if (josch_mode.action != NULL)
	{
		(void) column_of(trigger->tg_newtuple, RelationGetDescr(trigger->tg_relation), COLUMN_COMMENT, &isnull);
	}
	return is_named(trigger, COLUMN_COMMENT) && !isnull;
}

/* Who wants it done, or is done with it, gives it a fresh budget of retries; who holds it back for a while leaves all as it is. */
static bool
renews_retries(const FsmEdge *edge)
{
	return edge->from != NODE_STATE_HELD ? edge->to != NODE_STATE_HELD && edge->to != NODE_STATE_RUNNING && edge->to != NODE_STATE_UP :
		strcmp(edge->action, "release") != 0;
}

/* Writes down who did what, and why. */
static void
record_act(TriggerData *trigger, const FsmEdge *edge, Draft *draft)
{
	char	   *by = GetUserNameFromId(GetSessionUserId(), false);
	char	   *message = message_of_act(edge->action, by);

	set(draft, COLUMN_ACTION, CStringGetTextDatum(edge->action));
	set(draft, COLUMN_ACTED_BY, CStringGetTextDatum(by));
	set(draft, COLUMN_ACTED_AT, TimestampTzGetDatum(josch_clock_now()));
	if (message != NULL)
	{
		set(draft, COLUMN_MESSAGE, CStringGetTextDatum(message));
	}
	else
	{
		set_null(draft, COLUMN_MESSAGE);
	}
	if (!has_comment(trigger))
	{
		if (josch_config_comment[0] != '\0')
		{
			set(draft, COLUMN_COMMENT, CStringGetTextDatum(josch_config_comment));
		}
		else
		{
			set_null(draft, COLUMN_COMMENT);
		}
	}
	if (strcmp(edge->action, "force_start") == 0)
	{
		set(draft, COLUMN_FORCED, BoolGetDatum(true));
	}
	else if (edge->to != NODE_STATE_PENDING || strcmp(edge->action, "retry") != 0)
	{
		/* a retry keeps the force with which the node was started */
		set(draft, COLUMN_FORCED, BoolGetDatum(false));
	}
	if (renews_retries(edge))
	{
		set_null(draft, COLUMN_NOT_BEFORE);
		set(draft, COLUMN_RETRIED, Int32GetDatum(0));
	}
	if (josch_states[edge->from].final)
	{
		set_null(draft, COLUMN_REPEATS_FROM);
	}
	if (edge->to == NODE_STATE_PENDING && edge->from != NODE_STATE_HELD)
	{
		set_null(draft, COLUMN_STARTED_AT);
		set_null(draft, COLUMN_ENDED_AT);
	}
}

/* What the world has said holds no longer: it is asked anew. */
static void
ask_world_anew(Draft *draft)
{
	set_null(draft, COLUMN_FILE_FOUND);
	set_null(draft, COLUMN_SQL_TRUE_AT);
}

/* Who mends what is waited for waits for that, and for nothing that was found before. */
static HeapTuple
pass_edit(TriggerData *trigger)
{
	Draft		draft = {0};

	if (!josch_mode.engine && is_named(trigger, COLUMN_WAIT_FILE))
	{
		set_null(&draft, COLUMN_FILE_FOUND);
	}
	if (!josch_mode.engine && is_named(trigger, COLUMN_WAIT_SQL))
	{
		set_null(&draft, COLUMN_SQL_TRUE_AT);
	}
	return draft.n == 0 ? trigger->tg_newtuple :
		heap_modify_tuple_by_cols(trigger->tg_newtuple, RelationGetDescr(trigger->tg_relation), draft.n, draft.columns, draft.values, draft.nulls);
}

/* Whether the engine has written what belongs to the change itself (josch_node_set_state). */
static bool
is_numbered(HeapTuple former, HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return josch_mode.engine && DatumGetInt64(column_of(former, desc, COLUMN_CHANGE_ID, &isnull)) !=
		DatumGetInt64(column_of(row, desc, COLUMN_CHANGE_ID, &isnull));
}

static void
number_change(const FsmEdge *edge, Draft *draft)
{
	if (edge->from != edge->to)
	{
		set(draft, COLUMN_STATE_SINCE, TimestampTzGetDatum(josch_clock_now()));
	}
	set(draft, COLUMN_CHANGE_ID, Int64GetDatum(nextval_internal(change_id_sequence, false)));
}

/* It waits for its parents again: but for one that has failed and is retried, or was held, all is as at first. */
static bool
begins_anew(const FsmEdge *edge)
{
	return edge->to == NODE_STATE_PENDING && edge->from != NODE_STATE_HELD && strcmp(edge->action, "retry") != 0;
}

/* UPDATE: finds the edge, or refuses; fills in what belongs to the change. */
static HeapTuple
pass_update(TriggerData *trigger)
{
	HeapTuple	former = trigger->tg_trigtuple;
	HeapTuple	row = trigger->tg_newtuple;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		from_value = column_of(former, desc, COLUMN_STATE, &isnull);
	Datum		to_value = column_of(row, desc, COLUMN_STATE, &isnull);
	FsmActor	actor = josch_mode.engine ? FSM_ENGINE : FSM_PERSON;
	const FsmEdge *edge;
	NodeState	from;
	NodeState	to;
	char		node_type;
	Draft		draft = {0};

	if (isnull)
	{
		return row;				/* the NOT NULL constraint has the word */
	}
	if (actor == FSM_PERSON)
	{
		check_columns(trigger);
		check_comment(trigger);
	}
	if (actor == FSM_ENGINE ? datumIsEqual(from_value, to_value, false, -1) :
		!is_named(trigger, COLUMN_STATE))
	{
		return pass_edit(trigger);
	}
	from = state_from(from_value);
	to = state_from(to_value);
	if (actor == FSM_ENGINE && from == to)
	{
		return row;
	}
	node_type = type_of(row, desc);
	edge = josch_fsm_find(from, to, actor, node_type, actor == FSM_PERSON ? josch_mode.action : NULL);
	if (edge == NULL)
	{
		refuse(former, desc, from, to, node_type);
	}
	if (!is_numbered(former, row, desc))
	{
		number_change(edge, &draft);
	}
	if (actor == FSM_PERSON)
	{
		record_act(trigger, edge, &draft);
	}
	if (begins_anew(edge))
	{
		ask_world_anew(&draft);
	}
	return draft.n == 0 ? row : heap_modify_tuple_by_cols(row, desc, draft.n, draft.columns, draft.values, draft.nulls);
}

/* INSERT by a person: a node is born pending, and counts its parents later. */
static HeapTuple
pass_insert(TriggerData *trigger)
{
	HeapTuple	row = trigger->tg_trigtuple;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		state = column_of(row, desc, COLUMN_STATE, &isnull);
	Draft		draft = {0};

	if (josch_mode.engine)
	{
		return row;
	}
	if (!isnull && state_from(state) != NODE_STATE_PENDING)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot insert a node in state \"%s\"", TextDatumGetCString(state)),
				 errdetail("A node is made in state \"pending\".")));
	}
	set(&draft, COLUMN_UNMET, Int32GetDatum(0));
	set(&draft, COLUMN_IMPOSSIBLE, Int32GetDatum(0));
	set(&draft, COLUMN_SATISFIED, Int32GetDatum(0));
	set(&draft, COLUMN_FORCED, BoolGetDatum(false));
	/* nobody has acted on it, whatever the INSERT says */
	set_null(&draft, COLUMN_ACTION);
	set_null(&draft, COLUMN_ACTED_BY);
	set_null(&draft, COLUMN_ACTED_AT);
	set_null(&draft, COLUMN_COMMENT);
	set_null(&draft, COLUMN_MESSAGE);
	set_null(&draft, COLUMN_STARTED_AT);
	set_null(&draft, COLUMN_ENDED_AT);
	set_null(&draft, COLUMN_NOT_BEFORE);
	set(&draft, COLUMN_RETRIED, Int32GetDatum(0));
	set_null(&draft, COLUMN_REPEATS_FROM);
	ask_world_anew(&draft);
	return heap_modify_tuple_by_cols(row, desc, draft.n, draft.columns, draft.values, draft.nulls);
}

Datum
josch_trigger_node_door(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.node_door");

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.node_door");
	}
	look_up_nodes(trigger->tg_relation, "josch.node_door");
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		return PointerGetDatum(josch_mode_is_restore() ? trigger->tg_newtuple : pass_update(trigger));
	}
	return PointerGetDatum(josch_mode_is_restore() ? trigger->tg_trigtuple : pass_insert(trigger));
}

/* ---- runs ---- */

static void
refuse_run(const char *act, int64 run_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot %s run " INT64_FORMAT, act, run_id),
			 errdetail("What ran is written by the scheduler only."),
			 errhint("josch.stop() ends a run; josch.mark_success() and josch.mark_failed() say how a node ended.")));
}

/* BEFORE ROW on josch.runs: only the engine writes what ran; people may delete what has ended. */
Datum
josch_trigger_node_run_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.run_guard");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int64		run_id;
	bool		isnull;

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.run_guard");
	}
	(void) josch_table_check(&runs, trigger->tg_relation, "josch.run_guard");
	run_id = DatumGetInt64(heap_getattr(trigger->tg_trigtuple, run_numbers[RUN_RUN_ID], desc, &isnull));
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		(void) heap_getattr(trigger->tg_trigtuple, run_numbers[RUN_ENDED_AT], desc, &isnull);
		if (isnull && !josch_mode.engine)
		{
			ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("cannot delete run " INT64_FORMAT ", which has not ended", run_id),
					errhint("josch.stop() ends it."));
		}
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		if (!josch_mode.engine)
		{
			refuse_run("update", run_id);
		}
		return PointerGetDatum(trigger->tg_newtuple);
	}
	if (!josch_mode.engine)
	{
		if (!josch_mode_is_restore())
		{
			refuse_run("insert", run_id);
		}
		/* one that is open is not this server's */
		josch_wake_scheduler_at_commit();
	}
	return PointerGetDatum(trigger->tg_trigtuple);
}
