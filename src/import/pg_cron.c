/*
 * src/import/pg_cron.c
 *	  The jobs of pg_cron, as jobs with one SQL node.
 */
#include "base/josch.h"

#include "import/import.h"

#include "base/attempt.h"
#include "import/store_import.h"
#include "node/statement.h"

#include "lib/stringinfo.h"
#include "parser/parser.h"

typedef struct Statement
{
	const char *sql;
	bool		alone;			/* cannot run in a transaction with others */
} Statement;

static void
parse(void *arg)
{
	Statement  *statement = arg;
	List	   *statements = raw_parser(statement->sql, RAW_PARSE_DEFAULT);
	ListCell   *cell;

	foreach(cell, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);

		statement->alone |= IsA(raw->stmt, TransactionStmt) || IsA(raw->stmt, CallStmt) || josch_statement_alone(raw) != NULL;
	}
}

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
	wrong = josch_cron_parse(job->schedule, true, cron);
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
	Statement	statement = {.sql = job->command};
	ErrorData  *error;
	Cron		cron;
	char	   *reason = reason_to_stay(job, &cron);
	int			former = import->njobs;
	ImportedJob imported = {
		.source = source,.description = psprintf("pg_cron job " INT64_FORMAT ": %s", job->jobid, job->schedule),
		.time_zone = zone,.paused = !job->active,.sql = job->command
	};

	if (reason != NULL)
	{
		josch_findings_add(import->findings, FINDING_ERROR, source, NULL, "not carried over: %s", reason);
		return false;
	}
	error = josch_attempt(parse, &statement);
	if (error != NULL)
	{
		josch_findings_add(import->findings, FINDING_WARNING, source, NULL, "its SQL does not parse: %s", error->message);
	}
	imported.sql_atomic = !statement.alone;
	imported.name = name_of(job);
	imported.owner = job->username;
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
