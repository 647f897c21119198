/*
 * src/calendar/store_calendar.c
 *	  SQL on calendars: what one is made of, and what all are parts of.
 *
 * A calendar is read with the snapshot of the statement that asks for it, so that a
 * statement does not see two versions of it.
 */
#include "base/josch.h"

#include "calendar/store_calendar.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/rows.h"
#include "base/spi_plan.h"
#include "base/wait.h"

static const char *const move_words[] = {"drop", "following", "preceding", "modified_following", "modified_preceding", NULL};
static const char *const operation_words[] = {"and", "or", "not", NULL};

static JoschPlan select_calendar = JOSCH_PLAN(
	"SELECT c.calendar_name, (SELECT coalesce(sum(DISTINCT 1 << w), 0) FROM unnest(c.weekdays) w)::integer,"
	"       c.rule, c.origin, c.move_rule, c.of_calendar, c.known_until"
	"  FROM josch.calendars c WHERE c.calendar_name = $1",
	TEXTOID);

static const JoschRow calendar_row = JOSCH_ROW(
	Calendar,
	JOSCH_FIELD(Calendar, name, TEXT),
	JOSCH_FIELD(Calendar, weekdays, INT32),
	JOSCH_FIELD(Calendar, rule_text, TEXT),
	JOSCH_FIELD(Calendar, origin, DATE),
	JOSCH_FIELD_WORDS(Calendar, move, move_words),
	JOSCH_FIELD(Calendar, of_name, TEXT),
	JOSCH_NULLABLE(Calendar, known_until, DATE, DATEVAL_NOEND));

static JoschPlan select_parts = JOSCH_PLAN(
	"SELECT operation, part_name FROM josch.calendar_parts WHERE calendar_name = $1 ORDER BY position",
	TEXTOID);

static const JoschRow part_row = JOSCH_ROW(
	CalendarPart,
	JOSCH_FIELD_WORDS(CalendarPart, operation, operation_words),
	JOSCH_FIELD(CalendarPart, name, TEXT));

static JoschPlan select_holidays = JOSCH_PLAN(
	"SELECT holiday, open FROM josch.holidays WHERE calendar_name = $1 ORDER BY holiday",
	TEXTOID);

static const JoschRow holiday_row = JOSCH_ROW(
	CalendarHoliday,
	JOSCH_FIELD(CalendarHoliday, date, DATE),
	JOSCH_FIELD(CalendarHoliday, open, BOOL));

static JoschPlan select_links = JOSCH_PLAN0(
	"SELECT w.whole, w.part"
	"  FROM (SELECT calendar_name, of_calendar FROM josch.calendars WHERE of_calendar IS NOT NULL"
	"        UNION SELECT calendar_name, part_name FROM josch.calendar_parts) w (whole, part)"
	" ORDER BY w.whole COLLATE \"C\", w.part COLLATE \"C\"");

static JoschPlan delete_parts = JOSCH_PLAN(
	"DELETE FROM josch.calendar_parts WHERE calendar_name = $1",
	TEXTOID);

static const JoschRow link_row = JOSCH_ROW(
	CalendarLink,
	JOSCH_FIELD(CalendarLink, whole, TEXT),
	JOSCH_FIELD(CalendarLink, part, TEXT));

Calendar *
josch_store_calendar_read(const char *name, MemoryContext context)
{
	JoschSpi	spi;
	Datum		args[1];
	Calendar   *calendar;
	bool		found;

	josch_spi_begin(&spi);
	args[0] = CStringGetTextDatum(name);
	calendar = MemoryContextAllocZero(context, sizeof(Calendar));
	found = josch_spi_read(&select_calendar, args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&calendar_row, calendar, context);
		calendar->context = context;
		calendar->nparts = (int) josch_spi_read(&select_parts, args, NULL);
		calendar->parts = josch_rows_fetch(&part_row, calendar->nparts, context);
		calendar->nholidays = (int) josch_spi_read(&select_holidays, args, NULL);
		calendar->holidays = josch_rows_fetch(&holiday_row, calendar->nholidays, context);
	}
	josch_spi_end(&spi);
	return found ? calendar : NULL;
}

CalendarLink *
josch_store_calendar_links(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	CalendarLink *links;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run_latest(&select_links, NULL, NULL);
	links = josch_rows_fetch(&link_row, *n, caller);
	josch_spi_end(&spi);
	return links;
}

void
josch_store_calendar_empty(Datum name)
{
	JoschSpi	spi;

	josch_spi_begin(&spi);
	(void) josch_spi_change_latest(&delete_parts, SPI_OK_DELETE, &name, NULL);
	josch_spi_end(&spi);
}

/* ---- the lock ---- */

static Oid
table_of(const char *name)
{
	return get_relname_relid(name, get_namespace_oid(JOSCH_SCHEMA, true));
}

static LOCKTAG
lock_tag(void)
{
	LOCKTAG		tag;

	/* the class of an object's lock is a catalog; this one is no catalog, so nobody else comes here */
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, table_of("calendars"), 0, 0);
	return tag;
}

static void
wait_for_lock(void *argument)
{
	LOCKTAG		tag = lock_tag();

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

void
josch_store_calendar_lock(void)
{
	LOCKTAG		tag = lock_tag();

	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		josch_wait(wait_for_lock, NULL, "a change of calendars");
	}
}

/* ---- the tables ---- */

static const char *const table_names[] = {"calendars", "calendar_parts", "holidays"};
static Oid	tables[lengthof(table_names)];

void
josch_store_calendar_find_tables(void)
{
	for (size_t i = 0; i < lengthof(table_names); i++)
	{
		tables[i] = table_of(table_names[i]);
	}
}

bool
josch_store_calendar_is_table(Oid relation)
{
	for (size_t i = 0; i < lengthof(table_names); i++)
	{
		if (tables[i] == relation)
		{
			return true;
		}
	}
	return false;
}
