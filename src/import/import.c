/*
 * src/import/import.c
 *	  Jobs of other schedulers, on their way into tables that josch.load_schema() reads.
 */
#include "base/josch.h"

#include "import/import.h"

#include "base/attempt.h"
#include "import/store_import.h"
#include "node/statement.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "parser/parser.h"
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

/* ---- jobs ---- */

/* The nodes of a job at one of its times, or of all of it. */
typedef struct Writing
{
	const Import *import;
	const ImportedJob *job;
	char	   *name;
	bool		is_chain;		/* more than one thing is done: it is written out for each time */
	bool		has_times;		/* names and start times are told apart */
	int			nnodes;
} Writing;

static void
insert_semaphore(const Writing *writing, const char *node_id)
{
	const char *columns[] = {"node_id", "semaphore_name", "units"};
	const char *values[] = {node_id, writing->job->semaphore, psprintf("%d", writing->job->units)};

	josch_store_import_insert(writing->import->schema, "tpl_node_semaphores", columns, values, lengthof(columns));
}

static void
insert_dependency(const Writing *writing, const char *parent, const char *child, const char *condition)
{
	const char *columns[] = {"p_node_id", "c_node_id", "condition"};
	const char *values[] = {parent, child, condition};

	josch_store_import_insert(writing->import->schema, "tpl_node_deps", columns, values, lengthof(columns));
}

/* "run", "run at 06:30" */
static const char *
node_name(const Writing *writing, const char *name, const CronSlot *slot)
{
	return writing->has_times ? psprintf("%s at %s", name, clock_text(slot->start)) : name;
}

/* Its number, where others are to depend on it. */
static const char *
insert_node(Writing *writing, const ImportedStep *step, const char *join_rule, const CronSlot *slot, bool is_first)
{
	const ImportedJob *job = writing->job;
	const char *name = node_name(writing, step->name, slot);
	const char *node_id = writing->is_chain || job->semaphore != NULL ?
		josch_store_import_node_id(writing->name, name) : NULL;
	const char *columns[] = {"node_id", "node_type", "job_name", "node_name", "exec_command", "exec_sql", "exec_sql_atomic", "start_time",
	"repeat_every", "repeat_until", "owner", "timeout", "join_rule", "on_failure", "success_codes"};
	const char *values[] = {
		node_id, "N", writing->name, name, step->command, step->sql, step->sql != NULL && !step->sql_atomic ? "false" : NULL,
		writing->has_times && is_first ? clock_text(slot->start) : NULL, slot->every == 0 ? NULL : clock_text(slot->every),
		slot->every == 0 ? NULL : clock_text(slot->until), step->owner, step->timeout, join_rule, step->may_fail ? "abandon" : NULL,
		step->may_fail && step->command != NULL ? "{[0,256)}" : NULL
	};

	josch_store_import_insert(writing->import->schema, "tpl_nodes", columns, values, lengthof(columns));
	if (job->semaphore != NULL)
	{
		insert_semaphore(writing, node_id);
	}
	writing->nnodes++;
	return node_id;
}

/* All that is done at a time, one after the other. */
static void
insert_chain(Writing *writing, const CronSlot *slot)
{
	const ImportedJob *job = writing->job;
	const char **node_ids = palloc(sizeof(char *) * job->nsteps);
	ImportedStep on_error = {.name = "on error",.sql = job->on_error,.sql_atomic = true};
	const char *handler;

	for (int i = 0; i < job->nsteps; i++)
	{
		node_ids[i] = insert_node(writing, &job->steps[i], NULL, slot, i == 0);
		if (i > 0)
		{
			insert_dependency(writing, node_ids[i - 1], node_ids[i], job->steps[i - 1].may_fail ? "done" : NULL);
		}
	}
	if (job->on_error == NULL)
	{
		return;
	}
	handler = insert_node(writing, &on_error, "any", slot, false);
	for (int i = 0; i < job->nsteps; i++)
	{
		if (!job->steps[i].may_fail)
		{
			insert_dependency(writing, node_ids[i], handler, "failure");
		}
	}
}

/* Each of a slot's times by itself: only one node repeats, no chain does. */
static void
insert_chains(Writing *writing, const CronSlot *slot)
{
	if (slot->every == 0 || !writing->is_chain)
	{
		insert_chain(writing, slot);
		return;
	}
	for (int at = slot->start; at <= slot->until; at += slot->every)
	{
		CronSlot	once = {.start = at};

		CHECK_FOR_INTERRUPTS();
		insert_chain(writing, &once);
	}
}

#define MANY_NODES 500

void
josch_import_job_at(Import *import, const ImportedJob *job, const char *calendar, const CronSlot *slots, int nslots)
{
	Writing		writing = {
		.import = import,.job = job,.name = one_line(import->prefix, job->name),.is_chain = job->nsteps > 1 || job->on_error != NULL,
		.has_times = nslots > 1 || slots[0].every > 0
	};
	const char *columns[] = {"job_name", "job_desc", "time_zone", "calendar_name", "schedule_at", "paused", "valid_from", "valid_to", "max_running"};
	const char *values[] = {
		writing.name, job->description, job->time_zone, calendar, clock_text(slots[0].start), job->paused ? "true" : NULL,
		job->valid_from, job->valid_to, job->max_running > 0 ? psprintf("%d", job->max_running) : NULL
	};

	if (josch_store_import_value(import->schema, "tpl_jobs", "job_name", "job_name", writing.name) != NULL)
	{
		josch_findings_add(import->findings, FINDING_ERROR, job->source, NULL,
						   "not carried over: there is a job \"%s\" in the schema already; import with another prefix", writing.name);
		return;
	}
	josch_store_import_insert(import->schema, "tpl_jobs", columns, values, lengthof(columns));
	for (int i = 0; i < nslots; i++)
	{
		insert_chains(&writing, &slots[i]);
	}
	import->njobs++;
	if (writing.is_chain && writing.nnodes > MANY_NODES)
	{
		josch_findings_add(import->findings, FINDING_WARNING, job->source, NULL,
						   "each of its days has %d nodes: one node repeats, a chain does not; make one node of what it does, where that will do",
						   writing.nnodes);
	}
}

void
josch_import_job(Import *import, const ImportedJob *job, const Cron *cron)
{
	CronPlan   *plan = josch_cron_plan(cron);

	josch_import_job_at(import, job, josch_import_days(import, cron, plan), plan->slots, plan->nslots);
}

/* ---- SQL ---- */

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

bool
josch_import_sql_is_alone(Import *import, const char *source, const char *sql)
{
	Statement	statement = {.sql = sql};
	ErrorData  *error = josch_attempt(parse, &statement);

	if (error != NULL)
	{
		josch_findings_add(import->findings, FINDING_WARNING, source, NULL, "its SQL does not parse: %s", error->message);
	}
	return statement.alone;
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
