/*
 * src/calendar/trigger_calendar.c
 *	  The trigger on calendars, calendar_parts and holidays.
 *
 * Every session is told that what it knows may be no longer so.  And no calendar
 * may be a part of itself; a load looks for that when all of it is written.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "base/wake.h"
#include "calendar/circles.h"
#include "calendar/store_calendar.h"

PG_FUNCTION_INFO_V1(josch_trigger_calendar_changed);
PG_FUNCTION_INFO_V1(josch_trigger_calendar_goes);

/* AFTER STATEMENT on the three tables; with an argument: looks for circles, where what a calendar is made of may have been added to. */
Datum
josch_trigger_calendar_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.calendar_changed");

	josch_store_calendar_find_tables();
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		!josch_store_calendar_is_table(RelationGetRelid(trigger->tg_relation)))
	{
		josch_report_trigger_misuse("josch.calendar_changed");
	}
	if (trigger->tg_trigger->tgnargs == 0)
	{
		CacheInvalidateRelcache(trigger->tg_relation);
		josch_wake_days_at_commit();
	}
	else if (!josch_mode.loading)
	{
		josch_circles_refuse();
	}
	return PointerGetDatum(NULL);
}

/* BEFORE DELETE on calendars, each row: the foreign keys ask in the order of the rows, and would find parts of what is to go next. */
Datum
josch_trigger_calendar_goes(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.calendar_goes");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		strcmp(RelationGetRelationName(trigger->tg_relation), "calendars") != 0)
	{
		josch_report_trigger_misuse("josch.calendar_goes");
	}
	josch_store_calendar_empty(heap_getattr(trigger->tg_trigtuple, SPI_fnumber(desc, "calendar_name"), desc, &isnull));
	return PointerGetDatum(trigger->tg_trigtuple);
}
