/*
 * src/day/trigger_day.c
 *	  The trigger on nodes that people add to a day by SQL.
 *
 * What the making of a day works out for all of its nodes is worked out here for
 * one: who might be making days of its job is waited for, and its time of
 * day becomes a moment.
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

PG_FUNCTION_INFO_V1(josch_trigger_day_add);

/* The bytes of 200 characters; a longer name is looked for each time. */
#define MAX_JOB_NAME 801

enum
{
	JOB_DATE, NODE_ID, JOB_NAME, SIGNOFF_TIME, START_TIME, DUE_AT, NCOLUMNS
};

static const JoschColumn columns[NCOLUMNS] = {
	{"job_date", DATEOID}, {"node_id", INT8OID}, {"job_name", TEXTOID},
	{"signoff_time", INTERVALOID}, {"start_time", INTERVALOID}, {"due_at", TIMESTAMPTZOID}
};
static AttrNumber numbers[NCOLUMNS];
static JoschTable nodes = JOSCH_TABLE("nodes", columns, numbers);

/*
 * The zone of the job of that date.  The rows of one statement mostly go to one job,
 * which is looked for once: while a statement goes on it sees the same one.
 */
static const char *
zone_of(const char *job_name, DateADT job_date)
{
	static struct
	{
		FullTransactionId transaction;
		CommandId	command;
		DateADT		job_date;
		char		job_name[MAX_JOB_NAME];
		char		zone[TZ_STRLEN_MAX + 1];
	}			last;
	FullTransactionId transaction = GetTopFullTransactionIdIfAny();
	CommandId	command = GetCurrentCommandId(false);
	char	   *zone;

	if (FullTransactionIdIsValid(transaction) && FullTransactionIdEquals(transaction, last.transaction) &&
		command == last.command && job_date == last.job_date && strcmp(job_name, last.job_name) == 0)
	{
		return last.zone;
	}
	zone = josch_store_day_zone(job_name, job_date);
	if (zone == NULL)
	{
		josch_report_no_job(job_name, job_date);
	}
	last.transaction = InvalidFullTransactionId;
	if (strlcpy(last.job_name, job_name, sizeof(last.job_name)) < sizeof(last.job_name) &&
		strlcpy(last.zone, zone, sizeof(last.zone)) < sizeof(last.zone))
	{
		last.transaction = transaction;
		last.command = GetCurrentCommandId(false);
		last.job_date = job_date;
	}
	return zone;
}

/* A NULL is refused by its own constraint, later. */
static HeapTuple
prepare(HeapTuple row, TupleDesc desc)
{
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
	int			column = numbers[DUE_AT];
	int			time;
	NodeKey		key;
	char	   *job_name;
	const char *time_zone;

	for (int i = 0; i < NCOLUMNS; i++)
	{
		values[i] = heap_getattr(row, numbers[i], desc, &nulls[i]);
	}
	if (nulls[JOB_DATE] || nulls[NODE_ID] || nulls[JOB_NAME])
	{
		return row;
	}
	key.node_id = DatumGetInt64(values[NODE_ID]);
	key.job_date = DatumGetDateADT(values[JOB_DATE]);
	job_name = TextDatumGetCString(values[JOB_NAME]);
	josch_store_graph_lock_node(key, job_name);
	time_zone = zone_of(job_name, key.job_date);
	time = nulls[SIGNOFF_TIME] ? START_TIME : SIGNOFF_TIME;
	nulls[DUE_AT] = nulls[time];
	if (!nulls[time])
	{
		values[DUE_AT] = TimestampTzGetDatum(josch_zone_instant(key.job_date, DatumGetIntervalP(values[time]),
																	josch_zone_find(time_zone)));
	}
	return heap_modify_tuple_by_cols(row, desc, 1, &column, &values[DUE_AT], &nulls[DUE_AT]);
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
