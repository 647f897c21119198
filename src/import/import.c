/*
 * src/import/import.c
 *	  Jobs of other schedulers, on their way into tables that josch.load_schema() reads.
 */
#include "base/josch.h"

#include "import/import.h"

#include "import/store_import.h"

#include "mb/pg_wchar.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#define MAX_NAME 190			/* characters: a few are put behind it */

void
josch_import_begin(Import *import, const char *schema, const char *prefix)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(schema));

	if (list_length(names) != 1)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_SCHEMA_NAME),
				 errmsg("\"%s\" is no name of a schema", schema)));
	}
	schema = strVal(linitial(names));
	if (strcmp(schema, JOSCH_SCHEMA) == 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot import into schema \"%s\"", JOSCH_SCHEMA),
				 errhint("Import into another one, look, and load that by josch.load_schema().")));
	}
	import->schema = schema;
	import->prefix = prefix;
	josch_store_import_make_tables(schema);
}

/* "06:30", "06:30:05" */
static char *
clock_text(int seconds)
{
	return seconds % 60 == 0 ? psprintf("%02d:%02d", seconds / 3600, seconds / 60 % 60) :
		psprintf("%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/* One line, and not too long. */
static char *
one_line(const char *prefix, const char *text)
{
	char	   *name = psprintf("%s%s", prefix, text);

	name[pg_mbcharcliplen(name, strlen(name), MAX_NAME)] = '\0';
	for (char *at = name; *at != '\0'; at++)
	{
		if ((unsigned char) *at < ' ' || *at == 0x7f)
		{
			*at = ' ';
		}
	}
	return name;
}

/* ---- calendars ---- */

static void
insert_calendar(const Import *import, const char *name, const char *description, const CronCalendar *calendar)
{
	const char *columns[] = {"calendar_name", "calendar_desc", "weekdays", "rule"};
	const char *values[] = {name, description, calendar->weekdays, calendar->rule};

	josch_store_import_insert(import->schema, "calendars", columns, values, lengthof(columns));
}

static void
insert_part(const Import *import, const char *whole, const char *part)
{
	const char *columns[] = {"calendar_name", "position", "operation", "part_name"};
	const char *values[] = {whole, "1", "or", part};

	josch_store_import_insert(import->schema, "calendar_parts", columns, values, lengthof(columns));
}

/* The calendar of the days, which jobs with the same share; NULL: all dates. */
static char *
import_days(const Import *import, const Cron *cron, const CronPlan *plan)
{
	char	   *name;
	char	   *part;

	if (plan->ncalendars == 0)
	{
		return NULL;
	}
	name = psprintf("%scron days %s", import->prefix, cron->days);
	if (josch_store_import_value(import->schema, "calendars", "calendar_name", "calendar_name", name) != NULL)
	{
		return name;
	}
	insert_calendar(import, name, psprintf("Days \"%s\" of cron: day of the month, month, weekday", cron->days), &plan->calendars[0]);
	if (plan->ncalendars == 2)
	{
		part = psprintf("%s, or", name);
		insert_calendar(import, part, psprintf("The days of the month of \"%s\"", name), &plan->calendars[1]);
		insert_part(import, name, part);
	}
	return name;
}

/* ---- jobs ---- */

static void
insert_node(const Import *import, const ImportedJob *job, const char *job_name, const CronPlan *plan, int number)
{
	const CronSlot *slot = &plan->slots[number];
	bool		alone = plan->nslots == 1 && slot->every == 0;
	const char *columns[] = {"node_type", "job_name", "node_name", "exec_command", "exec_sql", "exec_sql_atomic", "start_time", "repeat_every", "repeat_until", "owner"};
	const char *values[] = {
		"N", job_name, alone ? "run" : psprintf("run at %s", clock_text(slot->start)), job->command, job->sql, job->sql != NULL && !job->sql_atomic ? "false" : NULL,
		alone ? NULL : clock_text(slot->start), slot->every == 0 ? NULL : clock_text(slot->every), slot->every == 0 ? NULL : clock_text(slot->until), job->owner
	};

	josch_store_import_insert(import->schema, "tpl_nodes", columns, values, lengthof(columns));
}

void
josch_import_job(Import *import, const ImportedJob *job, const Cron *cron)
{
	CronPlan   *plan = josch_cron_plan(cron);
	char	   *name = one_line(import->prefix, job->name);
	const char *columns[] = {"job_name", "job_desc", "time_zone", "calendar_name", "schedule_at", "paused"};
	const char *values[] = {
		name, job->description, job->time_zone, import_days(import, cron, plan), clock_text(plan->slots[0].start), job->paused ? "true" : NULL
	};

	if (josch_store_import_value(import->schema, "tpl_jobs", "job_name", "job_name", name) != NULL)
	{
		josch_findings_add(import->findings, FINDING_ERROR, job->source, NULL,
						   "not carried over: there is a job \"%s\" in the schema already; import with another prefix", name);
		return;
	}
	josch_store_import_insert(import->schema, "tpl_jobs", columns, values, lengthof(columns));
	for (int i = 0; i < plan->nslots; i++)
	{
		insert_node(import, job, name, plan, i);
	}
	import->njobs++;
}

void
josch_import_variable(Import *import, const char *source, const char *name, const char *value)
{
	const char *columns[] = {"var", "value"};
	const char *values[] = {name, value};
	char	   *there = josch_store_import_value(import->schema, "environs", "value", "var", name);

	if (there == NULL)
	{
		josch_store_import_insert(import->schema, "environs", columns, values, lengthof(columns));
	}
	else if (strcmp(there, value) != 0)
	{
		josch_findings_add(import->findings, FINDING_WARNING, source, NULL,
						   "not carried over: %s is \"%s\" already, and variables are those of all commands", name, there);
	}
}
