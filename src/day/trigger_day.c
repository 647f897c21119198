/*
 * src/day/trigger_day.c
 *	  The triggers on nodes that people add to a day, or give other deadlines, by SQL.
 *
 * What the making of a day works out for all of its nodes is worked out here for
 * one: who might be making days of its job is waited for, and its times of
 * day become moments.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "day/zone.h"
#include "day/store_day.h"
#include "graph/store_graph_lock.h"
#include "node/store_limits.h"

PG_FUNCTION_INFO_V1(josch_trigger_day_add);
PG_FUNCTION_INFO_V1(josch_trigger_day_deadlines);

/* The bytes of 200 characters; a longer name is looked for each time. */
#define MAX_JOB_NAME 801

enum
{
	JOB_DATE, NODE_ID, JOB_NAME, SIGNOFF_TIME, START_TIME, START_BY, FINISH_BY, DUE_AT, LATE_START_AT, LATE_END_AT, LIMIT_GROUP, EXECUTOR, NCOLUMNS
};

static const JoschColumn columns[NCOLUMNS] = {
	{"job_date", DATEOID}, {"node_id", INT8OID}, {"job_name", TEXTOID},
	{"signoff_time", INTERVALOID}, {"start_time", INTERVALOID}, {"start_by", INTERVALOID}, {"finish_by", INTERVALOID},
	{"due_at", TIMESTAMPTZOID}, {"late_start_at", TIMESTAMPTZOID}, {"late_end_at", TIMESTAMPTZOID},
	{"limit_group", INT8OID}, {"executor", TEXTOID}
};
static AttrNumber numbers[NCOLUMNS];
static JoschTable nodes = JOSCH_TABLE("nodes", columns, numbers);

/* What a node takes from its job. */
typedef struct OfJob
{
	const char *zone;
	int64		limit_group;
} OfJob;

/*
 * Of the job of that date.  The rows of one statement mostly go to one job,
 * which is looked for once: while a statement goes on it sees the same one.
 */
static OfJob
of_job(const char *job_name, DateADT job_date)
{
	static struct
	{
		FullTransactionId transaction;
		CommandId	command;
		DateADT		job_date;
		char		job_name[MAX_JOB_NAME];
		char		zone[TZ_STRLEN_MAX + 1];
		int64		limit_group;
	}			last;
	FullTransactionId transaction = GetTopFullTransactionIdIfAny();
	CommandId	command = GetCurrentCommandId(false);
	char	   *zone;
	int64		limit_group;

	if (FullTransactionIdIsValid(transaction) && FullTransactionIdEquals(transaction, last.transaction) &&
		command == last.command && job_date == last.job_date && strcmp(job_name, last.job_name) == 0)
	{
		return (OfJob) {last.zone, last.limit_group};
	}
	zone = josch_store_day_zone(job_name, job_date);
	if (zone == NULL)
	{
		josch_report_no_job(job_name, job_date);
	}
	limit_group = josch_store_limits_group(job_name, (NodeKey) {0, job_date}, NULL);
	last.transaction = InvalidFullTransactionId;
	if (strlcpy(last.job_name, job_name, sizeof(last.job_name)) < sizeof(last.job_name) &&
		strlcpy(last.zone, zone, sizeof(last.zone)) < sizeof(last.zone))
	{
		last.transaction = transaction;
		last.command = GetCurrentCommandId(false);
		last.job_date = job_date;
		last.limit_group = limit_group;
	}
	return (OfJob) {zone, limit_group};
}

/* A row on its way into the table. */
typedef struct Draft
{
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
	pg_tz	   *zone;
	int			n;				/* what is set in it */
	int			set[NCOLUMNS];
	Datum		set_values[NCOLUMNS];
	bool		set_nulls[NCOLUMNS];
} Draft;

/* False where a NULL is refused by its own constraint, later. */
static bool
read_row(Draft *draft, HeapTuple row, TupleDesc desc)
{
	for (int i = 0; i < NCOLUMNS; i++)
	{
		draft->values[i] = heap_getattr(row, numbers[i], desc, &draft->nulls[i]);
	}
	return !draft->nulls[JOB_DATE] && !draft->nulls[NODE_ID] && !draft->nulls[JOB_NAME];
}

/* The moment of a time of day; none when that is NULL. */
static void
set_moment(Draft *draft, int moment, int time)
{
	draft->set[draft->n] = numbers[moment];
	draft->set_nulls[draft->n] = draft->nulls[time];
	if (!draft->nulls[time])
	{
		draft->set_values[draft->n] = TimestampTzGetDatum(josch_zone_instant(DatumGetDateADT(draft->values[JOB_DATE]),
																			 DatumGetIntervalP(draft->values[time]), draft->zone));
	}
	draft->n++;
}

static void
set_deadlines(Draft *draft)
{
	set_moment(draft, LATE_START_AT, START_BY);
	set_moment(draft, LATE_END_AT, FINISH_BY);
}

static void
set_limit_group(Draft *draft, int64 limit_group)
{
	draft->set[draft->n] = numbers[LIMIT_GROUP];
	draft->set_nulls[draft->n] = false;
	draft->set_values[draft->n++] = Int64GetDatum(limit_group);
}

static HeapTuple
prepare(HeapTuple row, TupleDesc desc)
{
	Draft		draft = {0};
	NodeKey		key;
	char	   *job_name;
	OfJob		job;

	if (!read_row(&draft, row, desc))
	{
		return row;
	}
	key.node_id = DatumGetInt64(draft.values[NODE_ID]);
	key.job_date = DatumGetDateADT(draft.values[JOB_DATE]);
	job_name = TextDatumGetCString(draft.values[JOB_NAME]);
	josch_store_graph_lock_node(key, job_name);
	job = of_job(job_name, key.job_date);
	draft.zone = josch_zone_find(job.zone);
	set_limit_group(&draft, draft.nulls[EXECUTOR] ? job.limit_group :
					josch_store_limits_group(job_name, key, TextDatumGetCString(draft.values[EXECUTOR])));
	set_moment(&draft, DUE_AT, draft.nulls[SIGNOFF_TIME] ? START_TIME : SIGNOFF_TIME);
	set_deadlines(&draft);
	return heap_modify_tuple_by_cols(row, desc, draft.n, draft.set, draft.set_values, draft.set_nulls);
}

static HeapTuple
move_deadlines(HeapTuple row, TupleDesc desc)
{
	Draft		draft = {0};

	if (!read_row(&draft, row, desc))
	{
		return row;
	}
	draft.zone = josch_zone_find(of_job(TextDatumGetCString(draft.values[JOB_NAME]), DatumGetDateADT(draft.values[JOB_DATE])).zone);
	set_deadlines(&draft);
	return heap_modify_tuple_by_cols(row, desc, draft.n, draft.set, draft.set_values, draft.set_nulls);
}

/* BEFORE INSERT on nodes, each row */
Datum
josch_trigger_day_add(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.day_add");

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.day_add");
	}
	(void) josch_table_check(&nodes, trigger->tg_relation, "josch.day_add");
	if (josch_mode.engine || josch_mode_is_restore())
	{
		return PointerGetDatum(trigger->tg_trigtuple);
	}
	return PointerGetDatum(prepare(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation)));
}

/* BEFORE UPDATE of the deadlines of nodes, each row */
Datum
josch_trigger_day_deadlines(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.day_deadlines");

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.day_deadlines");
	}
	(void) josch_table_check(&nodes, trigger->tg_relation, "josch.day_deadlines");
	if (josch_mode_is_restore())
	{
		return PointerGetDatum(trigger->tg_newtuple);
	}
	return PointerGetDatum(move_deadlines(trigger->tg_newtuple, RelationGetDescr(trigger->tg_relation)));
}
