/*
 * src/day/trigger_due.c
 *	  The trigger on template jobs: from which date on days make themselves.
 *
 * A job whose schedule_at is set begins with the next day: whose time had passed by
 * then is nobody's.  What is settled is known by the job's name in josch.job_days;
 * one that is renamed takes the date along.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/rel.h"

#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "base/wake.h"
#include "day/store_due.h"
#include "day/zone.h"

PG_FUNCTION_INFO_V1(josch_trigger_due_days_after);

enum
{
	JOB_NAME, TIME_ZONE, SCHEDULE_AT, DAYS_AFTER, NCOLUMNS
};

static const JoschColumn columns[NCOLUMNS] = {
	{"job_name", TEXTOID}, {"time_zone", TEXTOID}, {"schedule_at", INTERVALOID}, {"days_after", DATEOID}
};
static AttrNumber numbers[NCOLUMNS];
static JoschTable tpl_jobs = JOSCH_TABLE("tpl_jobs", columns, numbers);

typedef struct Row
{
	Datum		values[NCOLUMNS];
	bool		nulls[NCOLUMNS];
} Row;

static Row
read_row(HeapTuple tuple, TupleDesc desc)
{
	Row			row;

	for (int i = 0; i < NCOLUMNS; i++)
	{
		row.values[i] = heap_getattr(tuple, numbers[i], desc, &row.nulls[i]);
	}
	return row;
}

/* What is wrong with a time or a zone is refused by its own constraint, later. */
static bool
last_date(const Row *row, DateADT *date)
{
	pg_tz	   *zone = pg_tzset(row->nulls[TIME_ZONE] ? josch_zone_default() : TextDatumGetCString(row->values[TIME_ZONE]));
	Interval   *time = DatumGetIntervalP(row->values[SCHEDULE_AT]);
	bool		good = zone != NULL && time->month == 0 && time->day == 0 &&
		time->time > -7 * USECS_PER_DAY && time->time < 7 * USECS_PER_DAY;

	if (good)
	{
		*date = josch_zone_last_date(time, zone);
	}
	return good;
}

/* Sets days_after of the row as it is to be; old is NULL for INSERT. */
static void
set_days_after(Row *row, const Row *old)
{
	bool		begins = !row->nulls[SCHEDULE_AT] && row->nulls[DAYS_AFTER];
	bool		renamed = old != NULL && !row->nulls[JOB_NAME] && !old->nulls[JOB_NAME] &&
		!DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, row->values[JOB_NAME], old->values[JOB_NAME]));
	DateADT		date;

	if (row->nulls[SCHEDULE_AT])
	{
		row->nulls[DAYS_AFTER] = true;
	}
	else if (begins && last_date(row, &date))
	{
		row->values[DAYS_AFTER] = DateADTGetDatum(date);
		row->nulls[DAYS_AFTER] = false;
	}
	if (renamed && !row->nulls[DAYS_AFTER])
	{
		date = josch_store_due_last(TextDatumGetCString(old->values[JOB_NAME]));
		row->values[DAYS_AFTER] = DateADTGetDatum(Max(date, DatumGetDateADT(row->values[DAYS_AFTER])));
	}
}

/* BEFORE INSERT OR UPDATE on tpl_jobs, each row; AFTER DELETE is not needed: of what is gone nothing is found */
Datum
josch_trigger_due_days_after(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.job_days_after");
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	tuple = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column;
	Row			row;
	Row			old;

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(update || TRIGGER_FIRED_BY_INSERT(trigger->tg_event)))
	{
		josch_report_trigger_misuse("josch.job_days_after");
	}
	(void) josch_table_check(&tpl_jobs, trigger->tg_relation, "josch.job_days_after");
	josch_wake_days_at_commit();
	if (josch_mode_is_restore())
	{
		return PointerGetDatum(tuple);
	}
	row = read_row(tuple, desc);
	if (update)
	{
		old = read_row(trigger->tg_trigtuple, desc);
	}
	set_days_after(&row, update ? &old : NULL);
	column = numbers[DAYS_AFTER];
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, 1, &column, &row.values[DAYS_AFTER], &row.nulls[DAYS_AFTER]));
}
