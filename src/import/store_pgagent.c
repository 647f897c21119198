/*
 * src/import/store_pgagent.c
 *	  SQL on the tables of pgAgent.
 */
#include "base/josch.h"

#include "import/store_pgagent.h"

#include "base/rows.h"
#include "base/spi_plan.h"

#include "catalog/namespace.h"
#include "utils/lsyscache.h"

static const JoschRow job_row = JOSCH_ROW(
	PgAgentJob,
	JOSCH_FIELD(PgAgentJob, jobid, INT64),
	JOSCH_FIELD(PgAgentJob, name, TEXT),
	JOSCH_FIELD(PgAgentJob, description, TEXT),
	JOSCH_FIELD(PgAgentJob, host, TEXT),
	JOSCH_FIELD(PgAgentJob, enabled, BOOL),
	JOSCH_FIELD(PgAgentJob, same_name, BOOL));

static const char jobs_sql[] =
"SELECT j.jobid::pg_catalog.int8, j.jobname::pg_catalog.text, j.jobdesc::pg_catalog.text, j.jobhostagent::pg_catalog.text, j.jobenabled,"
" pg_catalog.count(*) OVER (PARTITION BY j.jobname::pg_catalog.text) > 1"
" FROM pgagent.pga_job AS j ORDER BY j.jobid";

static const JoschRow step_row = JOSCH_ROW(
	PgAgentStep,
	JOSCH_FIELD(PgAgentStep, jobid, INT64),
	JOSCH_FIELD(PgAgentStep, name, TEXT),
	JOSCH_FIELD(PgAgentStep, code, TEXT),
	JOSCH_FIELD(PgAgentStep, database, TEXT),
	JOSCH_FIELD(PgAgentStep, enabled, BOOL),
	JOSCH_FIELD(PgAgentStep, is_sql, BOOL),
	JOSCH_FIELD(PgAgentStep, is_here, BOOL),
	JOSCH_FIELD(PgAgentStep, has_connection, BOOL),
	JOSCH_FIELD(PgAgentStep, may_fail, BOOL));

/* in the order in which its agent asks for them */
static const char steps_sql[] =
"SELECT s.jstjobid::pg_catalog.int8, s.jstname::pg_catalog.text, s.jstcode::pg_catalog.text, s.jstdbname::pg_catalog.text, s.jstenabled,"
" s.jstkind = 's', s.jstdbname::pg_catalog.text = pg_catalog.current_database()::pg_catalog.text, s.jstconnstr <> '', s.jstonerror <> 'f'"
" FROM pgagent.pga_jobstep AS s ORDER BY s.jstjobid, s.jstname, s.jstid";

static const JoschRow schedule_row = JOSCH_ROW(
	PgAgentSchedule,
	JOSCH_FIELD(PgAgentSchedule, jscid, INT64),
	JOSCH_FIELD(PgAgentSchedule, jobid, INT64),
	JOSCH_FIELD(PgAgentSchedule, name, TEXT),
	JOSCH_FIELD(PgAgentSchedule, first_day, TEXT),
	JOSCH_FIELD(PgAgentSchedule, last_day, TEXT),
	JOSCH_FIELD(PgAgentSchedule, is_live, BOOL),
	JOSCH_FIELD(PgAgentSchedule, minutes, TEXT),
	JOSCH_FIELD(PgAgentSchedule, hours, TEXT),
	JOSCH_FIELD(PgAgentSchedule, weekdays, TEXT),
	JOSCH_FIELD(PgAgentSchedule, month_days, TEXT),
	JOSCH_FIELD(PgAgentSchedule, months, TEXT));

static const char schedules_sql[] =
"SELECT s.jscid::pg_catalog.int8, s.jscjobid::pg_catalog.int8, s.jscname::pg_catalog.text,"
" CASE WHEN s.jscstart > josch.now() THEN pg_catalog.to_char(s.jscstart, 'YYYY-MM-DD') END, pg_catalog.to_char(s.jscend, 'YYYY-MM-DD'),"
" s.jscenabled AND coalesce(s.jscend >= josch.now(), true),"
" pg_catalog.array_to_string(s.jscminutes, '', 'f'), pg_catalog.array_to_string(s.jschours, '', 'f'),"
" pg_catalog.array_to_string(s.jscweekdays, '', 'f'), pg_catalog.array_to_string(s.jscmonthdays, '', 'f'),"
" pg_catalog.array_to_string(s.jscmonths, '', 'f')"
" FROM pgagent.pga_schedule AS s ORDER BY s.jscjobid, s.jscid";

static const JoschRow exception_row = JOSCH_ROW(
	PgAgentException,
	JOSCH_FIELD(PgAgentException, jscid, INT64),
	JOSCH_FIELD(PgAgentException, date, TEXT),
	JOSCH_NULLABLE(PgAgentException, minute, INT32, -1));

/* one at a time with seconds is never met: a job is due at full minutes */
static const char exceptions_sql[] =
"SELECT e.jexscid::pg_catalog.int8, pg_catalog.to_char(e.jexdate, 'YYYY-MM-DD'), (extract(epoch FROM e.jextime) / 60)::pg_catalog.int4"
" FROM pgagent.pga_exception AS e WHERE num_nonnulls(e.jexdate, e.jextime) > 0 AND coalesce(extract(second FROM e.jextime) = 0, true)"
" ORDER BY e.jexscid, e.jexdate, e.jextime";

static void *
read_rows(const char *sql, const JoschRow *row, int *n)
{
	(void) SPI_execute(sql, true, 0);
	*n = (int) SPI_processed;
	return josch_rows_fetch(row, *n, CurrentMemoryContext);
}

void
josch_store_pgagent_read(PgAgent *agent)
{
	Oid			schema = get_namespace_oid("pgagent", true);

	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("pga_job", schema)))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"pgagent.pga_job\" does not exist"),
				 errhint("Import in the database that has pgAgent.")));
	}
	agent->jobs = read_rows(jobs_sql, &job_row, &agent->njobs);
	agent->steps = read_rows(steps_sql, &step_row, &agent->nsteps);
	agent->schedules = read_rows(schedules_sql, &schedule_row, &agent->nschedules);
	agent->exceptions = read_rows(exceptions_sql, &exception_row, &agent->nexceptions);
}
