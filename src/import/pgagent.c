/*
 * src/import/pgagent.c
 *	  The jobs of pgAgent: their steps are nodes that follow each other.
 *
 * A job of pgAgent is due when any of its schedules is, and once where several are.  So its times
 * are sorted by whose they are: those that the same schedules have, on the same days, are a job here,
 * whose calendar has the dates of any of them.  An exception of a date is a date that such a calendar
 * leaves out, one of a time a time that its schedule does not have.
 */
#include "base/josch.h"

#include "import/import.h"

#include "import/store_import.h"
#include "import/store_pgagent.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

typedef struct Carrying
{
	Import	   *import;
	const PgAgent *agent;
	const PgAgentJob *job;
	char	   *zone;
	char	   *source;			/* "pgagent.pga_job 7" */
	char	   *name;
	int			ncalendars;		/* that were made for the job */
} Carrying;

/* What a schedule says, in cron's terms. */
typedef struct Schedule
{
	const PgAgentSchedule *row;
	Cron		cron;
	const char *calendar;		/* NULL: all dates */
} Schedule;

#define EVERY_DATE ""			/* stands for the calendar that has all of them */

static void
told(Carrying *carrying, FindingSeverity severity, const char *message)
{
	josch_findings_add(carrying->import->findings, severity, carrying->source, NULL, "%s", message);
}

/* ---- schedules ---- */

/* The letters as a set from a number on; of none all are meant.  Their list, "*" for all. */
static char *
take_letters(const char *letters, int n, bool *set, int first)
{
	bool		every = memchr(letters, 't', Min(n, (int) strlen(letters))) == NULL;
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < n; i++)
	{
		set[first + i] = every || letters[i] == 't';
		if (!every && letters[i] == 't')
		{
			appendStringInfo(&list, "%s%d", list.len > 0 ? "," : "", first + i);
		}
	}
	return every ? pstrdup("*") : list.data;
}

static void
take_days(Carrying *carrying, const PgAgentSchedule *row, Cron *cron)
{
	bool		weekdays[7];
	char	   *month_days = take_letters(row->month_days, 31, cron->month_days, 1);
	char	   *months = take_letters(row->months, 12, cron->months, 1);
	char	   *days = take_letters(row->weekdays, 7, weekdays, 0);

	if (row->month_days[31] == 't' && strcmp(month_days, "*") == 0)
	{
		cron->last_day = true;
		month_days = "last";
	}
	else if (row->month_days[31] == 't')
	{
		told(carrying, FINDING_WARNING, psprintf("schedule \"%s\" has the last day of the month beside others; pgAgent never runs it on that day, and neither do we", row->name));
	}
	memcpy(cron->weekdays + 1, weekdays + 1, sizeof(bool) * 6);
	cron->weekdays[7] = weekdays[0];
	cron->both = true;
	cron->whose = "pgAgent";
	cron->days = psprintf("%s %s %s", month_days, months, days);
}

/* Those of a job that are in force; how many. */
static int
take_schedules(Carrying *carrying, Schedule *schedules)
{
	const PgAgent *agent = carrying->agent;
	int			n = 0;

	for (int i = 0; i < agent->nschedules; i++)
	{
		const PgAgentSchedule *row = &agent->schedules[i];
		Cron	   *cron = &schedules[n].cron;

		if (row->jobid != carrying->job->jobid)
		{
			continue;
		}
		if (!row->is_live)
		{
			told(carrying, FINDING_NOTE, psprintf("schedule \"%s\" is disabled or over: it is left out", row->name));
			continue;
		}
		memset(cron, 0, sizeof(Cron));
		(void) take_letters(row->minutes, 60, cron->minutes, 0);
		(void) take_letters(row->hours, 24, cron->hours, 0);
		take_days(carrying, row, cron);
		if (!josch_cron_has_a_day(cron))
		{
			told(carrying, FINDING_WARNING, psprintf("schedule \"%s\" has no date that ever comes: it is left out", row->name));
			continue;
		}
		schedules[n].calendar = josch_import_days(carrying->import, cron, josch_cron_plan(cron));
		schedules[n++].row = row;
	}
	return n;
}

/* From when on, and until when: of one schedule alone a job can say it. */
static void
take_limits(Carrying *carrying, const Schedule *schedules, int n, ImportedJob *job)
{
	for (int i = 0; i < n; i++)
	{
		const PgAgentSchedule *row = schedules[i].row;

		if (row->first_day == NULL && row->last_day == NULL)
		{
			continue;
		}
		if (n > 1)
		{
			told(carrying, FINDING_WARNING, psprintf("schedule \"%s\" begins or ends on a date, others do not: the date is not carried over", row->name));
			continue;
		}
		job->valid_from = row->first_day;
		job->valid_to = row->last_day;
		told(carrying, FINDING_NOTE, psprintf("schedule \"%s\" begins or ends at a moment: its first and its last date are whole days here", row->name));
	}
}

/* ---- days ---- */

/* The calendar of a schedule at a minute of the day; NULL: it is not due then, EVERY_DATE: it has all dates. */
static const char *
days_at(Carrying *carrying, const Schedule *schedule, int minute)
{
	const PgAgent *agent = carrying->agent;
	const char **dates = palloc(sizeof(char *) * (agent->nexceptions + 1));
	StringInfoData name;
	int			n = 0;

	if (!schedule->cron.hours[minute / 60] || !schedule->cron.minutes[minute % 60])
	{
		return NULL;
	}
	initStringInfo(&name);
	appendStringInfo(&name, "%spgAgent schedule " INT64_FORMAT ", but not on", carrying->import->prefix, schedule->row->jscid);
	for (int i = 0; i < agent->nexceptions; i++)
	{
		const PgAgentException *exception = &agent->exceptions[i];

		if (exception->jscid != schedule->row->jscid || (exception->minute >= 0 && exception->minute != minute))
		{
			continue;
		}
		if (exception->date == NULL)
		{
			return NULL;
		}
		if (n == 0 || strcmp(dates[n - 1], exception->date) != 0)
		{
			dates[n++] = exception->date;
			appendStringInfo(&name, " %s", exception->date);
		}
	}
	if (n == 0)
	{
		return schedule->calendar == NULL ? EVERY_DATE : schedule->calendar;
	}
	if (name.len > 100)
	{
		/* the dates are told by the calendar itself */
		resetStringInfo(&name);
		appendStringInfo(&name, "%spgAgent schedule " INT64_FORMAT ", but not on %d dates from %s", carrying->import->prefix, schedule->row->jscid, n, dates[0]);
	}
	if (josch_store_import_value(carrying->import->schema, "calendars", "calendar_name", "calendar_name", name.data) == NULL)
	{
		josch_import_days_but(carrying->import, name.data, schedule->calendar, dates, n);
	}
	return name.data;
}

/* Times of the day that the same calendars have. */
typedef struct Group
{
	const char **calendars;		/* as many as there are schedules at most; EVERY_DATE alone where one has it */
	int			ncalendars;
	bool		minutes[CRON_MINUTES];
} Group;

static bool
has_calendar(const Group *group, const char *calendar)
{
	for (int i = 0; i < group->ncalendars; i++)
	{
		if (strcmp(group->calendars[i], calendar) == 0)
		{
			return true;
		}
	}
	return false;
}

static void
gather(Carrying *carrying, const Schedule *schedules, int n, int minute, Group *group)
{
	group->ncalendars = 0;
	for (int i = 0; i < n; i++)
	{
		const char *calendar = days_at(carrying, &schedules[i], minute);

		if (calendar == NULL || has_calendar(group, calendar) || has_calendar(group, EVERY_DATE))
		{
			continue;
		}
		if (*calendar == '\0')
		{
			group->ncalendars = 0;
		}
		group->calendars[group->ncalendars++] = calendar;
	}
}

static bool
is_same(const Group *one, const Group *other)
{
	for (int i = 0; i < one->ncalendars; i++)
	{
		if (!has_calendar(other, one->calendars[i]))
		{
			return false;
		}
	}
	return one->ncalendars == other->ncalendars;
}

/* All minutes of the day by whose they are. */
static List *
group_times(Carrying *carrying, const Schedule *schedules, int n)
{
	List	   *groups = NIL;

	for (int minute = 0; minute < CRON_MINUTES; minute++)
	{
		Group	   *found = palloc0(sizeof(Group));
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		found->calendars = palloc(sizeof(char *) * n);
		gather(carrying, schedules, n, minute, found);
		if (found->ncalendars == 0)
		{
			continue;
		}
		foreach(cell, groups)
		{
			if (is_same(lfirst(cell), found))
			{
				break;
			}
		}
		if (cell == NULL)
		{
			groups = lappend(groups, found);
		}
		((Group *) (cell == NULL ? llast(groups) : lfirst(cell)))->minutes[minute] = true;
	}
	return groups;
}

/* NULL: all dates */
static const char *
calendar_of(Carrying *carrying, const Group *group)
{
	char	   *name;

	if (group->ncalendars == 1)
	{
		return *group->calendars[0] == '\0' ? NULL : group->calendars[0];
	}
	name = psprintf("%spgAgent job " INT64_FORMAT " days %d", carrying->import->prefix, carrying->job->jobid, ++carrying->ncalendars);
	josch_import_days_of_any(carrying->import, name, group->calendars, group->ncalendars);
	return name;
}

/* ---- steps ---- */

/* A program of another language is written to a file, and run as its first line says; as its agent does. */
static char *
command_of(const char *code)
{
	char	   *end = "END_OF_PROGRAM";

	if (strncmp(code, "#!", 2) != 0 || strncmp(code, "#!/bin/sh\n", 10) == 0)
	{
		return pstrdup(code);
	}
	while (strstr(code, end) != NULL)
	{
		end = psprintf("%s_", end);
	}
	return psprintf("file=$(mktemp) && trap 'rm -f \"$file\"' EXIT && cat >\"$file\" <<'%s' && chmod u+x \"$file\" && \"$file\"\n%s\n%s",
					end, code, end);
}

static bool
take_step(Carrying *carrying, const PgAgentStep *row, ImportedStep *step)
{
	if (row->has_connection)
	{
		told(carrying, FINDING_ERROR, psprintf("not carried over: step \"%s\" connects by a string of its own: load it in that database", row->name));
		return false;
	}
	if (row->is_sql && !row->is_here)
	{
		told(carrying, FINDING_ERROR, psprintf("not carried over: step \"%s\" runs in database \"%s\": load it there", row->name, row->database));
		return false;
	}
	*step = (ImportedStep) {
		.name = row->name,.may_fail = row->may_fail
	};
	if (row->is_sql)
	{
		step->sql = row->code;
		step->sql_atomic = !josch_import_sql_is_alone(carrying->import, carrying->source, row->code);
	}
	else
	{
		step->command = command_of(row->code);
	}
	return true;
}

/* False when one of them cannot be carried over. */
static bool
take_steps(Carrying *carrying, ImportedJob *job)
{
	const PgAgent *agent = carrying->agent;
	ImportedStep *steps = palloc(sizeof(ImportedStep) * (agent->nsteps + 1));
	bool		has_commands = false;

	for (int i = 0; i < agent->nsteps; i++)
	{
		const PgAgentStep *row = &agent->steps[i];

		if (row->jobid != carrying->job->jobid)
		{
			continue;
		}
		if (!row->enabled)
		{
			told(carrying, FINDING_NOTE, psprintf("step \"%s\" is disabled: it is left out", row->name));
			continue;
		}
		if (!take_step(carrying, row, &steps[job->nsteps]))
		{
			return false;
		}
		has_commands |= steps[job->nsteps++].command != NULL;
	}
	job->steps = steps;
	if (job->nsteps == 0)
	{
		told(carrying, FINDING_ERROR, "not carried over: it has no step that is enabled");
	}
	else if (has_commands && carrying->job->host[0] != '\0')
	{
		told(carrying, FINDING_WARNING, psprintf("it ran on host \"%s\" alone: commands run on that of the runner", carrying->job->host));
	}
	return job->nsteps > 0;
}

/* ---- jobs ---- */

static void
carry_groups(Carrying *carrying, ImportedJob *job, List *groups)
{
	const char *name = carrying->name;
	ListCell   *cell;

	foreach(cell, groups)
	{
		const Group *group = lfirst(cell);
		CronPlan	plan = {0};

		job->name = list_length(groups) == 1 ? name : psprintf("%s, times %d", name, foreach_current_index(cell) + 1);
		josch_cron_plan_times(&plan, group->minutes);
		josch_import_job_at(carrying->import, job, calendar_of(carrying, group), plan.slots, plan.nslots);
	}
}

static bool
carry(Carrying *carrying)
{
	const PgAgentJob *row = carrying->job;
	Schedule   *schedules = palloc(sizeof(Schedule) * (carrying->agent->nschedules + 1));
	int			former = carrying->import->njobs;
	int			n;
	ImportedJob job = {
		.source = carrying->source,.time_zone = carrying->zone,.paused = !row->enabled,.max_running = 1,
		.description = row->description[0] != '\0' ? row->description : psprintf("pgAgent job " INT64_FORMAT, row->jobid)
	};

	carrying->name = row->same_name ? psprintf("%s (" INT64_FORMAT ")", row->name, row->jobid) : row->name;
	if (!take_steps(carrying, &job))
	{
		return false;
	}
	n = take_schedules(carrying, schedules);
	if (n == 0)
	{
		told(carrying, FINDING_ERROR, "not carried over: it has no schedule that is in force");
		return false;
	}
	take_limits(carrying, schedules, n, &job);
	carry_groups(carrying, &job, group_times(carrying, schedules, n));
	return carrying->import->njobs > former;
}

void
josch_import_pgagent(Import *import)
{
	PgAgent		agent;
	Carrying	carrying = {.import = import,.agent = &agent,.zone = josch_store_import_session_zone()};
	StringInfoData carried;

	josch_store_pgagent_read(&agent);
	initStringInfo(&carried);
	for (int i = 0; i < agent.njobs; i++)
	{
		carrying.job = &agent.jobs[i];
		carrying.source = psprintf("pgagent.pga_job " INT64_FORMAT, agent.jobs[i].jobid);
		carrying.ncalendars = 0;
		if (carry(&carrying) && agent.jobs[i].enabled)
		{
			appendStringInfo(&carried, "%s" INT64_FORMAT, carried.len > 0 ? ", " : "", agent.jobs[i].jobid);
		}
	}
	josch_findings_add(import->findings, FINDING_NOTE, "pgagent", NULL,
					   "its times are taken for those of the zone %s, and SQL runs as who loads it: its tables say neither", carrying.zone);
	if (carried.len > 0)
	{
		josch_findings_add(import->findings, FINDING_NOTE, "pgagent.pga_job", NULL,
						   "when it is loaded, switch the old ones off: UPDATE pgagent.pga_job SET jobenabled = false WHERE jobid IN (%s);", carried.data);
	}
}
