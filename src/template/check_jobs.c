/*
 * src/template/check_jobs.c
 *	  Days and calendars of jobs that are to be loaded: what cannot be meant.
 */
#include "base/josch.h"

#include "template/validate.h"

#include "base/report.h"
#include "calendar/book.h"
#include "template/store_check.h"

/* So long before a calendar ends somebody should hear of it. */
#define DAYS_BEFORE_THE_END 90

/* Within so many days two calendars should have one in common. */
#define DAYS_IN_COMMON 370

static Calendar *
find(const char *name)
{
	return josch_book_find(name, strlen(name));
}

/* ---- calendars ---- */

static void
check_calendar(JoschFindings *findings, const CheckedCalendar *checked)
{
	Calendar   *calendar = find(checked->calendar_name);
	const char *object = psprintf("calendar \"%s\"", checked->calendar_name);
	DateADT		end = calendar->known_until;
	DateADT		open;

	if (!josch_calendar_step(calendar, checked->today, 0, &open))
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_CALENDARS, checked->calendar_name,
							   "it has no open day from today on");
	}
	if (end != DATEVAL_NOEND && end < checked->today + DAYS_BEFORE_THE_END)
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_CALENDARS, checked->calendar_name,
							   end < checked->today ? "it ended on %s: nobody vouches for the days after" :
							   "it ends on %s: nobody vouches for the days after", josch_report_date(end));
	}
}

/* ---- jobs ---- */

/* Whether a day of the job's calendar is still to come. */
static bool
has_days(const CheckedJob *job)
{
	DateADT		open;

	return job->calendar_name == NULL ||
		(josch_calendar_step(find(job->calendar_name), job->first, 0, &open) && open <= job->last);
}

static void
check_job(JoschFindings *findings, const CheckedJob *job)
{
	const char *object = josch_findings_job(job->job_name);

	if (!job->has_nodes)
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_JOBS, job->job_name, "it has no nodes");
	}
	if (!job->makes_itself && (job->says_catch_up || job->paused))
	{
		josch_findings_add_row(findings, FINDING_NOTE, object, TEMPLATE_JOBS, job->job_name,
							   "%s has no effect: its days do not make themselves, as it has no schedule_at",
							   job->paused ? "paused" : "what it says of catch_up");
	}
	if (job->is_over)
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_JOBS, job->job_name,
							   "%sit has no more days: the last one, %s, has passed",
							   job->makes_itself ? "schedule_at has no effect: " : "", josch_report_date(job->last));
	}
	else if (!has_days(job))
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_JOBS, job->job_name,
							   "%sits calendar \"%s\" has no open day that it may have",
							   job->makes_itself ? "schedule_at has no effect: " : "", job->calendar_name);
	}
	else if (job->makes_itself && job->paused)
	{
		josch_findings_add_row(findings, FINDING_NOTE, object, TEMPLATE_JOBS, job->job_name,
							   "it is paused: schedule_at has no effect as long as it is");
	}
}

/* ---- jobs that depend on others ---- */

/* Whether two calendars have an open day in common, within a year. */
static bool
have_common_day(const CheckedLink *link)
{
	DateADT		days[DAYS_IN_COMMON];
	int			n = 0;
	DateADT		day;
	Calendar   *calendar = find(link->calendar_name);

	if (!josch_calendar_step(calendar, link->today, 0, &day))
	{
		return true;			/* that is another matter */
	}
	while (n < DAYS_IN_COMMON && day < link->today + DAYS_IN_COMMON)
	{
		days[n++] = day;
		if (!josch_calendar_step(calendar, day, 1, &day))
		{
			break;
		}
	}
	/* the book forgets the one when it is asked for the other */
	calendar = find(link->parent_calendar);
	for (int i = 0; i < n; i++)
	{
		if (josch_calendar_is_open(calendar, days[i]))
		{
			return true;
		}
	}
	return false;
}

static void
check_link(JoschFindings *findings, const CheckedLink *link)
{
	const char *object = josch_findings_node(link->node_id, link->node_name, link->job_name);
	const char *key = psprintf(INT64_FORMAT, link->node_id);

	if (link->parent_is_over)
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_NODES, key,
							   "it waits for nothing in job \"%s\", whose last day, %s, has passed",
							   link->parent_job, josch_report_date(link->parent_last));
	}
	else if (link->days == 0 && link->calendar_name != NULL && link->parent_calendar != NULL &&
			 strcmp(link->calendar_name, link->parent_calendar) != 0 && !have_common_day(link))
	{
		josch_findings_add_row(findings, FINDING_WARNING, object, TEMPLATE_NODES, key,
							   "it waits for nothing in job \"%s\": the calendars \"%s\" and \"%s\" have no day in common within a year",
							   link->parent_job, link->calendar_name, link->parent_calendar);
	}
	else if (link->makes_itself && !link->parent_makes_itself && link->parent_calendar != NULL)
	{
		josch_findings_add_row(findings, FINDING_NOTE, object, TEMPLATE_NODES, key,
							   "it waits for days of job \"%s\", which do not make themselves", link->parent_job);
	}
}

void
josch_check_jobs(const Load *load, JoschFindings *findings)
{
	int			n;
	CheckedCalendar *calendars = josch_store_check_calendars(load->scope.jobs,
															 load->batches[TEMPLATE_CALENDARS] == NULL ? NULL : &load->batches[TEMPLATE_CALENDARS]->rows, &n);
	CheckedJob *jobs;
	CheckedLink *links;

	for (int i = 0; i < n; i++)
	{
		check_calendar(findings, &calendars[i]);
	}
	jobs = josch_store_check_jobs(load->scope.jobs, &n);
	for (int i = 0; i < n; i++)
	{
		check_job(findings, &jobs[i]);
	}
	links = josch_store_check_links(load->scope.jobs, &n);
	for (int i = 0; i < n; i++)
	{
		check_link(findings, &links[i]);
	}
}
