/*
 * src/run/api_pause.c
 *	  josch.pause(), josch.resume(): a job, a day of it, a semaphore or all starts nothing.
 */
#include "base/josch.h"

#include "utils/builtins.h"
#include "utils/date.h"

#include "base/report.h"
#include "run/pauses.h"
#include "run/store_pauses.h"

PG_FUNCTION_INFO_V1(josch_api_pause);
PG_FUNCTION_INFO_V1(josch_api_resume);

/* What the arguments name. */
typedef struct Subject
{
	PauseWhat	what;
	char	   *name;
	DateADT		job_date;
	char	   *comment;
	char	   *words;			/* for messages */
} Subject;

static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static void
refuse(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("Name a job, a job and a date, a semaphore, or nothing for the database.")));
}

static Subject
subject_of(FunctionCallInfo fcinfo)
{
	char	   *job_name = text_argument(fcinfo, 0);
	char	   *semaphore = text_argument(fcinfo, 2);
	Subject		subject = {.job_date = DATEVAL_NOBEGIN, .comment = text_argument(fcinfo, 3)};

	if (job_name != NULL && semaphore != NULL)
	{
		refuse("a job and a semaphore cannot be named together");
	}
	if (job_name == NULL && !PG_ARGISNULL(1))
	{
		refuse("a date belongs to a job");
	}
	if (!PG_ARGISNULL(1))
	{
		subject.job_date = PG_GETARG_DATEADT(1);
		if (DATE_NOT_FINITE(subject.job_date))
		{
			refuse("the date must be finite");
		}
	}
	subject.what = semaphore != NULL ? PAUSE_SEMAPHORE : job_name == NULL ? PAUSE_DATABASE : PG_ARGISNULL(1) ? PAUSE_JOB : PAUSE_DAY;
	subject.name = semaphore != NULL ? semaphore : job_name != NULL ? job_name : "";
	subject.words = subject.what == PAUSE_DATABASE ? "the database" :
		subject.what == PAUSE_SEMAPHORE ? psprintf("semaphore \"%s\"", subject.name) :
		subject.what == PAUSE_JOB ? psprintf("job \"%s\"", subject.name) :
		psprintf("job \"%s\" of %s", subject.name, josch_report_date(subject.job_date));
	return subject;
}

static void
refuse_unknown(const Subject *subject)
{
	if (!josch_store_pauses_find(josch_pauses_labels[subject->what], subject->name, subject->job_date))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("%s does not exist", subject->words)));
	}
}

Datum
josch_api_pause(PG_FUNCTION_ARGS)
{
	Subject		subject;

	josch_report_if_read_only(fcinfo);
	subject = subject_of(fcinfo);
	refuse_unknown(&subject);
	if (!josch_store_pauses_pause(josch_pauses_labels[subject.what], subject.name, subject.job_date, subject.comment))
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is paused already", subject.words),
				 errhint("josch.pauses says by whom; josch.resume() lets it go on.")));
	}
	PG_RETURN_VOID();
}

Datum
josch_api_resume(PG_FUNCTION_ARGS)
{
	Subject		subject;

	josch_report_if_read_only(fcinfo);
	subject = subject_of(fcinfo);
	if (!josch_store_pauses_resume(josch_pauses_labels[subject.what], subject.name, subject.job_date, subject.comment))
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is not paused", subject.words),
				 errhint("josch.pauses lists what is.")));
	}
	PG_RETURN_VOID();
}
