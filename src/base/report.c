/*
 * src/base/report.c
 *	  Error messages that more than one file raises.
 *
 * A complaint that appears in two places is worded here, once, so that users
 * meet one wording.  What only one file can raise stays in that file.
 */
#include "base/josch.h"

#include "base/report.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"

#include "base/encoding.h"

/* Bytes of what others wrote, in an error. */
#define MAX_WORDS 300

char *
josch_report_date(DateADT date)
{
	char		buf[MAXDATELEN + 1];
	struct pg_tm tm;

	if (DATE_NOT_FINITE(date))
	{
		EncodeSpecialDate(date, buf);
	}
	else
	{
		j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, buf);
	}
	return pstrdup(buf);
}

char *
josch_report_key(int64 node_id, DateADT job_date)
{
	return psprintf(INT64_FORMAT " of %s", node_id, josch_report_date(job_date));
}

char *
josch_report_cut(char *text, int limit)
{
	int			len = text != NULL ? strlen(text) : 0;
	int			kept;

	if (len <= limit)
	{
		return text;
	}
	kept = pg_mbcliplen(text, len, limit);
	return psprintf("%.*s ... (%d more bytes)", kept, text, len - kept);
}

char *
josch_report_words(const char *text)
{
	return josch_report_cut(josch_encoding_to_one_line(text), MAX_WORDS);
}

void
josch_report_if_read_only(FunctionCallInfo fcinfo)
{
	char	   *name = psprintf("josch.%s()", get_func_name(fcinfo->flinfo->fn_oid));

	PreventCommandDuringRecovery(name);
	PreventCommandIfReadOnly(name);
}

void
josch_report_no_node(int64 node_id, DateADT job_date)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("node %s does not exist", josch_report_key(node_id, job_date)),
			 errhint("josch.schedule() makes the nodes of a day; josch.board lists them.")));
}

void
josch_report_no_template_node(int64 node_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("node " INT64_FORMAT " does not exist in the templates", node_id)));
}

void
josch_report_no_template_job(const char *job_name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("job \"%s\" does not exist in the templates", josch_report_words(job_name)),
			 errhint("josch.tpl_jobs lists the jobs that can be scheduled.")));
}

void
josch_report_no_job(const char *job_name, DateADT job_date)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("job \"%s\" of %s does not exist", josch_report_words(job_name), josch_report_date(job_date)),
			 errhint("josch.schedule() makes the jobs of a day.")));
}

void
josch_report_not_preloaded(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("josch is not loaded at server start"),
			 errdetail("The scheduler is a background worker and needs shared memory."),
			 errhint(JOSCH_REPORT_PRELOAD)));
}

void
josch_report_trigger_misuse(const char *function_name)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" was not called by the trigger that it is made for", function_name)));
}
