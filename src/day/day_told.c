/*
 * src/day/day_told.c
 *	  What whoever makes days is told, where there is nothing to be made.
 */
#include "base/josch.h"

#include "base/report.h"
#include "day/day_told.h"

void
josch_day_told_nothing(Snapshot templates, const DayRequest *request)
{
	if (josch_store_day_has_template(templates, request->job_name))
	{
		josch_day_told_parameters(request);	/* all of it exists */
		return;
	}
	if (request->job_name != NULL)
	{
		josch_report_no_template_job(request->job_name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("there is no job in the templates"),
			 errhint("Load templates with josch.load_csv(), or insert them into josch.tpl_jobs and josch.tpl_nodes.")));
}

/* What is there already has the parameters with which it was made. */
void
josch_day_told_parameters(const DayRequest *request)
{
	if (request->params != NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("job \"%s\" of %s exists already, and its parameters stay as they are", request->job_name,
						request->has_date ? josch_report_date(request->job_date) : "today"),
				 errhint("As long as nothing of it has started, josch.unschedule() takes it back, and it can be made anew.")));
	}
}

/* All jobs of a date are those whose calendars have it; the one that is named is made all the same. */
int
josch_day_told_closed(const DayRequest *request, DayJob *jobs, int n)
{
	int			nopen = 0;
	DayJob	   *closed = NULL;

	if (request->job_name != NULL)
	{
		if (jobs->closed_by != NULL)
		{
			ereport(NOTICE,
					(errmsg("job \"%s\" has no day of %s in its calendar \"%s\"", jobs->job_name,
							josch_report_date(jobs->job_date), jobs->closed_by)));
		}
		return n;
	}
	for (int i = 0; i < n; i++)
	{
		if (jobs[i].closed_by == NULL)
		{
			jobs[nopen++] = jobs[i];
		}
		else if (closed == NULL)
		{
			closed = memcpy(palloc(sizeof(DayJob)), &jobs[i], sizeof(DayJob));
		}
	}
	if (closed != NULL)
	{
		ereport(NOTICE,
				(errmsg_plural("%d job has no day of %s in its calendar", "%d jobs have no day of %s in their calendars", n - nopen,
							   n - nopen, josch_report_date(closed->job_date)),
				 errdetail("Job \"%s\", by calendar \"%s\"%s.", closed->job_name, closed->closed_by, n - nopen > 1 ? ", and others" : "")));
	}
	return nopen;
}
