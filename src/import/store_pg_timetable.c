/*
 * src/import/store_pg_timetable.c
 *	  SQL on the tables of pg_timetable.
 *
 * Columns that came with some version are asked for by to_jsonb(), which has no word for those that
 * are not there.
 */
#include "base/josch.h"

#include "import/store_pg_timetable.h"

#include "base/rows.h"
#include "base/spi_plan.h"

#include "catalog/namespace.h"
#include "utils/lsyscache.h"

/* milliseconds, of which 0 is no limit */
#define TIMEOUT(column) "nullif(coalesce(" column ", 0), 0)::pg_catalog.text || ' ms'"

static const JoschRow chain_row = JOSCH_ROW(
	TimetableChain,
	JOSCH_FIELD(TimetableChain, chain_id, INT64),
	JOSCH_FIELD(TimetableChain, name, TEXT),
	JOSCH_FIELD(TimetableChain, run_at, TEXT),
	JOSCH_FIELD(TimetableChain, every, INT32),
	JOSCH_FIELD(TimetableChain, max_instances, INT32),
	JOSCH_FIELD(TimetableChain, timeout, TEXT),
	JOSCH_FIELD(TimetableChain, live, BOOL),
	JOSCH_FIELD(TimetableChain, self_destruct, BOOL),
	JOSCH_FIELD(TimetableChain, exclusive, BOOL),
	JOSCH_FIELD(TimetableChain, client, TEXT),
	JOSCH_FIELD(TimetableChain, on_error, TEXT));

static const char chains_sql[] =
"SELECT c.chain_id::pg_catalog.int8, c.chain_name::pg_catalog.text, c.run_at::pg_catalog.text,"
" CASE WHEN c.run_at ~ '^@(every|after)' THEN extract(epoch FROM pg_catalog.substr(c.run_at::pg_catalog.text, 7)::pg_catalog.interval)::pg_catalog.int4 ELSE 0 END,"
" coalesce(c.max_instances, 0)::pg_catalog.int4, " TIMEOUT("c.timeout") ","
" coalesce(c.live, false), coalesce(c.self_destruct, false), coalesce(c.exclusive_execution, false), nullif(c.client_name, ''),"
" nullif(pg_catalog.btrim(pg_catalog.to_jsonb(c) ->> 'on_error'), '')"
" FROM timetable.chain AS c ORDER BY c.chain_id";

static const JoschRow task_row = JOSCH_ROW(
	TimetableTask,
	JOSCH_FIELD(TimetableTask, chain_id, INT64),
	JOSCH_FIELD(TimetableTask, name, TEXT),
	JOSCH_FIELD(TimetableTask, kind, TEXT),
	JOSCH_FIELD(TimetableTask, what, TEXT),
	JOSCH_FIELD(TimetableTask, sql, TEXT),
	JOSCH_FIELD(TimetableTask, command, TEXT),
	JOSCH_FIELD(TimetableTask, run_as, TEXT),
	JOSCH_FIELD(TimetableTask, is_remote, BOOL),
	JOSCH_FIELD(TimetableTask, may_fail, BOOL),
	JOSCH_FIELD(TimetableTask, autonomous, BOOL),
	JOSCH_FIELD(TimetableTask, timeout, TEXT),
	JOSCH_FIELD(TimetableTask, live, BOOL));

/* a word of a shell */
#define WORD(text) "('''' || pg_catalog.replace(" text ", '''', '''\\''''') || '''')"

/*
 * What a task does is done once for each of its parameters: a program with the words of a list, SQL with
 * the values of one for $1 and so on.  All are tried, and one that fails is one of the task.
 */
static const char tasks_sql[] =
"SELECT t.chain_id::pg_catalog.int8, coalesce(nullif(pg_catalog.btrim(t.task_name), ''), 'task ' || t.task_order::pg_catalog.text), t.kind::pg_catalog.text, t.command,"
" CASE WHEN p.n IS NULL THEN t.command ELSE 'PREPARE josch_task_' || t.task_id::pg_catalog.text || ' AS ' || pg_catalog.rtrim(t.command, E'; \\t\\n')"
"  || E'\\n;\\n' || p.executed || 'DEALLOCATE josch_task_' || t.task_id::pg_catalog.text END,"
" CASE WHEN t.kind::pg_catalog.text = 'PROGRAM' AND coalesce(p.n, 1) = 1 THEN coalesce(p.ran, c.word)"
"  WHEN t.kind::pg_catalog.text = 'PROGRAM' THEN E'code=0\\n' || p.ran_each || 'exit $code'"
"  WHEN t.command = 'Sleep' THEN coalesce(p.slept, 'true') WHEN t.command = 'Log' THEN coalesce(p.logged, 'true') END,"
" nullif(pg_catalog.btrim(t.run_as), ''), coalesce(pg_catalog.btrim(t.database_connection), '') <> '', t.ignore_error, t.autonomous, " TIMEOUT("t.timeout") ","
" coalesce((pg_catalog.to_jsonb(t) ->> 'live')::pg_catalog.bool, true)"
" FROM timetable.task AS t"
" CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.btrim(t.command) ~ '^[A-Za-z0-9_./-]+$' THEN pg_catalog.btrim(t.command) ELSE " WORD("pg_catalog.btrim(t.command)") " END) AS c (word)"
" LEFT JOIN LATERAL ("
"  SELECT nullif(pg_catalog.count(*), 0) AS n,"
"   pg_catalog.string_agg('EXECUTE josch_task_' || t.task_id::pg_catalog.text || coalesce(' (' || v.literals || ')', '') || E';\\n', '' ORDER BY r.order_id) AS executed,"
"   pg_catalog.string_agg(c.word || coalesce(' ' || v.words, ''), '' ORDER BY r.order_id) AS ran,"
"   pg_catalog.string_agg(c.word || coalesce(' ' || v.words, '') || E' || code=$?\\n', '' ORDER BY r.order_id) AS ran_each,"
"   pg_catalog.string_agg('sleep ' || v.word, E'\\n' ORDER BY r.order_id) AS slept,"
"   pg_catalog.string_agg('echo ' || v.word, E'\\n' ORDER BY r.order_id) AS logged"
"  FROM timetable.parameter AS r CROSS JOIN LATERAL ("
"   SELECT pg_catalog.string_agg(" WORD("e.value #>> '{}'") ", ' ' ORDER BY e.ordinality) AS words, " WORD("r.value #>> '{}'") " AS word,"
"    pg_catalog.string_agg(CASE pg_catalog.jsonb_typeof(e.value) WHEN 'null' THEN 'NULL' WHEN 'number' THEN e.value #>> '{}' WHEN 'boolean' THEN e.value #>> '{}'"
"     ELSE pg_catalog.quote_literal(e.value #>> '{}') END, ', ' ORDER BY e.ordinality) AS literals"
"   FROM pg_catalog.jsonb_array_elements(CASE WHEN pg_catalog.jsonb_typeof(r.value) = 'array' THEN r.value ELSE '[]' END) WITH ORDINALITY AS e (value, ordinality)) AS v"
"  WHERE r.task_id = t.task_id AND r.value IS NOT NULL) AS p ON true"
" WHERE t.chain_id IS NOT NULL ORDER BY t.chain_id, t.task_order, t.task_id";

TimetableChain *
josch_store_pg_timetable_chains(int *n)
{
	Oid			schema = get_namespace_oid("timetable", true);

	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("task", schema)))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"timetable.task\" does not exist"),
				 errhint("Import in the database that has the tables of pg_timetable, of its version 4 or later.")));
	}
	(void) SPI_execute(chains_sql, true, 0);
	*n = (int) SPI_processed;
	return josch_rows_fetch(&chain_row, *n, CurrentMemoryContext);
}

TimetableTask *
josch_store_pg_timetable_tasks(int *n)
{
	(void) SPI_execute(tasks_sql, true, 0);
	*n = (int) SPI_processed;
	return josch_rows_fetch(&task_row, *n, CurrentMemoryContext);
}
