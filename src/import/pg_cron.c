/*
 * src/import/pg_cron.c
 *	  The jobs of pg_cron, as jobs with one SQL node.
 */
#include "base/josch.h"

#include "import/import.h"

#include "import/store_import.h"

#include "lib/stringinfo.h"

/* Why a job stays where it is; NULL: it does not. */
static char *
reason_to_stay(const PgCronJob *job, Cron *cron)
{
	char	   *wrong;

	if (!job->is_here)
	{
		return psprintf("it runs in database \"%s\": load it there", job->database);
	}
	if (job->nodename != NULL && job->nodename[0] != '\0' && job->nodename[0] != '/' &&
		strcmp(job->nodename, "localhost") != 0 && strcmp(job->nodename, "127.0.0.1") != 0 && strcmp(job->nodename, "::1") != 0)
	{
		return psprintf("it runs on host \"%s\"", job->nodename);
	}
	wrong = josch_cron_parse(job->schedule, CRON_OF_PG_CRON, cron);
	return wrong == NULL ? NULL : psprintf("its schedule \"%s\": %s", job->schedule, wrong);
}

static char *
name_of(const PgCronJob *job)
{
	return job->jobname == NULL ? psprintf("pg_cron " INT64_FORMAT, job->jobid) :
		job->same_name ? psprintf("%s (%s)", job->jobname, job->username) : job->jobname;
}

static bool
import_one(Import *import, const PgCronJob *job, const char *zone)
{
	char	   *source = psprintf("cron.job " INT64_FORMAT, job->jobid);
	Cron		cron;
	char	   *reason = reason_to_stay(job, &cron);
	int			former = import->njobs;
	ImportedStep step = {.name = "run",.sql = job->command};
	ImportedJob imported = {
		.source = source,.description = psprintf("pg_cron job " INT64_FORMAT ": %s", job->jobid, job->schedule),
		.time_zone = zone,.paused = !job->active,.steps = &step,.nsteps = 1
	};

	if (reason != NULL)
	{
		josch_findings_add(import->findings, FINDING_ERROR, source, NULL, "not carried over: %s", reason);
		return false;
	}
	step.sql_atomic = !josch_import_sql_is_alone(import, source, job->command);
	step.owner = job->username;
	imported.name = name_of(job);
	josch_import_job(import, &imported, &cron);
	return import->njobs > former;
}

void
josch_import_pg_cron(Import *import)
{
	int			n;
	PgCronJob  *jobs = josch_store_import_pg_cron(&n);
	char	   *zone = josch_store_import_pg_cron_zone();
	StringInfoData carried;

	initStringInfo(&carried);
	for (int i = 0; i < n; i++)
	{
		if (import_one(import, &jobs[i], zone) && jobs[i].active)
		{
			appendStringInfo(&carried, "%s" INT64_FORMAT, carried.len > 0 ? ", " : "", jobs[i].jobid);
		}
	}
	if (carried.len > 0)
	{
		josch_findings_add(import->findings, FINDING_NOTE, "cron.job", NULL,
						   "when it is loaded, switch the old ones off: UPDATE cron.job SET active = false WHERE jobid IN (%s);", carried.data);
	}
}
