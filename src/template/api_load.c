/*
 * src/template/api_load.c
 *	  josch.load_csv(), josch.load() and josch.load_schema(): templates from files, texts or tables.
 *
 * Both first read all their sources, then write, in an order in which a load
 * whose end state is valid meets no constraint on its way: dependencies and
 * nodes go before others come, jobs, calendars and variables go last.  They run with the
 * caller's rights; what a person may not write by hand no loader writes for him.
 */
#include "base/josch.h"

#include "base/attempt.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/spi_plan.h"
#include "calendar/circles.h"
#include "graph/store_graph_lock.h"
#include "template/load_batch.h"
#include "template/load_source.h"
#include "template/store_template.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_api_load);
PG_FUNCTION_INFO_V1(josch_api_load_csv);
PG_FUNCTION_INFO_V1(josch_api_load_schema);
PG_FUNCTION_INFO_V1(josch_api_load_new_node_id);

typedef struct Counts
{
	int64		inserted;
	int64		updated;
	int64		deleted;
} Counts;

typedef enum LoadMode
{
	LOAD_MERGE,
	LOAD_REPLACE,
	LOAD_REPLACE_JOBS
} LoadMode;

static const char *const mode_names[] = {"merge", "replace", "replace_jobs"};

typedef struct Load
{
	LoadMode	mode;
	TemplateScope scope;		/* of LOAD_REPLACE_JOBS */
	LoadBatch  *batches[TEMPLATE_TABLES];	/* NULL: there is no source for that table */
	Counts		counts[TEMPLATE_TABLES];
} Load;

/* ---- one table ---- */

typedef struct Step
{
	LoadBatch  *batch;
	Counts	   *counts;
	const TemplateScope *scope; /* what a deletion keeps to, NULL: nothing */
	int			from;			/* the rows to be written */
	int			count;
} Step;

static void
write_some(void *argument)
{
	Step	   *step = argument;

	josch_store_template_upsert(&step->batch->rows, step->from, step->count,
								&step->counts->inserted, &step->counts->updated);
}

static void
delete_others(void *argument)
{
	Step	   *step = argument;

	step->counts->deleted += josch_store_template_delete_others(&step->batch->rows, step->scope);
}

/*
 * Writes the rows once more, half by half, to find the first that is at fault,
 * and reports it.  Halves that are good stay, so that all of it costs about
 * twice as much as the load.  Returns when each half is good by itself.
 */
static void
refuse_first_bad_row(Step *step)
{
	int			end = step->count;
	ErrorData  *error;

	step->from = 0;
	while (step->from < end)
	{
		CHECK_FOR_INTERRUPTS();
		step->count = (end - step->from + 1) / 2;
		error = josch_attempt(write_some, step);
		if (error == NULL)
		{
			step->from += step->count;
		}
		else if (step->count == 1)
		{
			josch_load_batch_refuse_row(step->batch, step->from, error);
		}
		else
		{
			end = step->from + step->count;
		}
	}
}

/* Writes the rows of one source by a few statements. */
static void
write_rows(Load *load, TemplateTableNumber number)
{
	Step		step = {.batch = load->batches[number],.counts = &load->counts[number]};
	ErrorData  *error;

	if (step.batch == NULL || step.batch->rows.rows.n == 0)
	{
		return;
	}
	step.count = step.batch->rows.rows.n;
	error = josch_attempt(write_some, &step);
	if (error == NULL)
	{
		return;
	}
	if (josch_load_batch_is_about_a_row(error))
	{
		refuse_first_bad_row(&step);
	}
	josch_load_batch_refuse(step.batch, error);
}

static void
delete_rows(Load *load, TemplateTableNumber number)
{
	Step		step = {.batch = load->batches[number],.counts = &load->counts[number]};
	ErrorData  *error;

	step.scope = load->mode == LOAD_REPLACE_JOBS ? &load->scope : NULL;
	error = josch_attempt(delete_others, &step);
	if (error != NULL)
	{
		josch_load_batch_refuse(step.batch, error);
	}
}

static void
delete_optional_rows(Load *load, TemplateTableNumber number)
{
	if (load->batches[number] != NULL)
	{
		delete_rows(load, number);
	}
}

/* ---- the whole ---- */

/*
 * A node of the jobs that goes takes its dependencies along; one that another job
 * has on it is that job's, and is not taken away without its being named.
 */
static void
refuse_outsiders(const Load *load)
{
	int64		node_id;
	int64		child_id;
	char	   *child_job;

	if (josch_store_template_find_outsider(&load->batches[TEMPLATE_NODES]->rows, &load->scope,
										   &node_id, &child_id, &child_job))
	{
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("node " INT64_FORMAT " cannot be deleted, because node " INT64_FORMAT " of job \"%s\" waits for it",
						node_id, child_id, child_job),
				 errdetail("Mode \"replace_jobs\" changes only the jobs that are named; \"%s\" is not.", child_job),
				 errhint("Delete that dependency first, or load job \"%s\" too.", child_job)));
	}
}

static void
delete_what_goes(Load *load)
{
	if (load->mode == LOAD_MERGE)
	{
		return;
	}
	if (load->mode == LOAD_REPLACE_JOBS)
	{
		josch_store_template_scope(&load->batches[TEMPLATE_JOBS]->rows, &load->batches[TEMPLATE_NODES]->rows, &load->scope);
	}
	delete_rows(load, TEMPLATE_NODE_DEPS);
	if (load->mode == LOAD_REPLACE_JOBS)
	{
		refuse_outsiders(load);
	}
	delete_rows(load, TEMPLATE_NODES);
	if (load->mode == LOAD_REPLACE)
	{
		delete_optional_rows(load, TEMPLATE_HOLIDAYS);
		delete_optional_rows(load, TEMPLATE_CALENDAR_PARTS);
	}
}

/* Only the end of it counts: on the way a calendar may be a part of itself. */
static void
write_calendars(Load *load)
{
	JoschMode	former = josch_mode_enter_load();

	write_rows(load, TEMPLATE_CALENDARS);
	write_rows(load, TEMPLATE_CALENDAR_PARTS);
	write_rows(load, TEMPLATE_HOLIDAYS);
	josch_mode = former;
	if (load->batches[TEMPLATE_CALENDARS] != NULL || load->batches[TEMPLATE_CALENDAR_PARTS] != NULL)
	{
		josch_circles_refuse();
	}
}

static void
write_load(Load *load)
{
	/*
	 * Before any row is touched, as everybody does who changes the graph.  It
	 * also keeps two loads from waiting for each other's rows.
	 */
	josch_store_graph_lock_templates();
	delete_what_goes(load);
	write_rows(load, TEMPLATE_ENVIRONS);
	write_calendars(load);
	write_rows(load, TEMPLATE_JOBS);
	write_rows(load, TEMPLATE_NODES);
	write_rows(load, TEMPLATE_NODE_DEPS);
	if (load->mode == LOAD_REPLACE)
	{
		delete_rows(load, TEMPLATE_JOBS);
		delete_optional_rows(load, TEMPLATE_CALENDARS);
		delete_rows(load, TEMPLATE_ENVIRONS);
	}
}

static void
end_load(Load *load)
{
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		if (load->batches[i] != NULL)
		{
			josch_load_batch_end(load->batches[i]);
		}
	}
}

static void
refuse_null_argument(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" must not be null", name)));
}

static LoadMode
mode_argument(FunctionCallInfo fcinfo, int number)
{
	char	   *mode;

	if (PG_ARGISNULL(number))
	{
		refuse_null_argument("mode");
	}
	mode = text_to_cstring(PG_GETARG_TEXT_PP(number));
	for (size_t i = 0; i < lengthof(mode_names); i++)
	{
		if (strcmp(mode, mode_names[i]) == 0)
		{
			return (LoadMode) i;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized mode: \"%s\"", mode),
			 errhint("The modes are \"merge\" (insert and update), \"replace\" (also delete what is not there) and "
					 "\"replace_jobs\" (delete what is not there of the jobs that are).")));
}

/* All four sources, those of calendars apart, for replace, environs apart for replace_jobs, at least one for merge. */
static void
check_sources(const Load *load, const char *what, const char *suffix, const char *where, int code)
{
	int			found = 0;

	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		if (load->batches[i] != NULL)
		{
			found++;
		}
		else if (josch_store_template_tables[i].is_optional)
		{
			continue;
		}
		else if (load->mode == LOAD_REPLACE || (load->mode == LOAD_REPLACE_JOBS && i != TEMPLATE_ENVIRONS))
		{
			ereport(ERROR,
					(errcode(code),
					 errmsg("there is no %s \"%s%s\" in %s", what,
							josch_store_template_tables[i].name, suffix, where),
					 load->mode == LOAD_REPLACE ?
					 errdetail("Mode \"replace\" needs all four, because it deletes what they do not have.") :
					 errdetail("Mode \"replace_jobs\" needs jobs, nodes and dependencies, because it deletes what they do not have."),
					 errhint("Mode \"merge\" takes those that are there.")));
		}
	}
	if (found == 0)
	{
		ereport(ERROR,
				(errcode(code),
				 errmsg("there is nothing to load in %s", where),
				 errdetail("None of environs%s, tpl_jobs%s, tpl_nodes%s and tpl_node_deps%s is there.",
						   suffix, suffix, suffix, suffix)));
	}
}

static Datum
return_counts(FunctionCallInfo fcinfo, const Load *load)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		if (josch_store_template_tables[i].is_optional && load->batches[i] == NULL)
		{
			continue;
		}
		values[0] = CStringGetTextDatum(josch_store_template_tables[i].name);
		values[1] = Int64GetDatum(load->counts[i].inserted);
		values[2] = Int64GetDatum(load->counts[i].updated);
		values[3] = Int64GetDatum(load->counts[i].deleted);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---- from files ---- */

static void
check_may_read_files(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to load files of the server"),
				 errdetail("Only roles with the privileges of \"%s\" may read them.", "pg_read_server_files"),
				 errhint("GRANT pg_read_server_files TO %s, or hand the text to josch.load().",
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
	}
}

static LoadBatch *
read_file(const char *directory, const TemplateTable *table)
{
	JoschRowSource *source = josch_load_source_open_file(psprintf("%s/%s.csv", directory, table->name));

	return source == NULL ? NULL : josch_load_batch_read(source, table);
}

Datum
josch_api_load_csv(PG_FUNCTION_ARGS)
{
	Load		load = {0};
	char	   *directory;
	JoschSpi	spi;

	josch_report_if_read_only(fcinfo);
	load.mode = mode_argument(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		refuse_null_argument("directory");
	}
	directory = text_to_cstring(PG_GETARG_TEXT_PP(0));
	canonicalize_path(directory);
	check_may_read_files();
	josch_load_source_check_directory(directory);

	josch_spi_begin_as_caller(&spi);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		load.batches[i] = read_file(directory, &josch_store_template_tables[i]);
	}
	check_sources(&load, "file", ".csv", psprintf("directory \"%s\"", directory),
				  ERRCODE_UNDEFINED_FILE);
	write_load(&load);
	end_load(&load);
	josch_spi_end(&spi);
	return return_counts(fcinfo, &load);
}

/* ---- from texts ---- */

/* The arguments bear the names of the tables; the mode came before there were calendars. */
static const int text_arguments[TEMPLATE_TABLES] = {
	[TEMPLATE_ENVIRONS] = 0,[TEMPLATE_JOBS] = 1,[TEMPLATE_NODES] = 2,[TEMPLATE_NODE_DEPS] = 3,
	[TEMPLATE_CALENDARS] = 5,[TEMPLATE_CALENDAR_PARTS] = 6,[TEMPLATE_HOLIDAYS] = 7
};

#define MODE_ARGUMENT 4

static LoadBatch *
read_text(FunctionCallInfo fcinfo, TemplateTableNumber number)
{
	const TemplateTable *table = &josch_store_template_tables[number];
	int			argument = text_arguments[number];

	return PG_ARGISNULL(argument) ? NULL :
		josch_load_batch_read(josch_load_source_open_text(table->name, PG_GETARG_TEXT_PP(argument)), table);
}

Datum
josch_api_load(PG_FUNCTION_ARGS)
{
	Load		load = {0};
	JoschSpi	spi;

	josch_report_if_read_only(fcinfo);
	load.mode = mode_argument(fcinfo, MODE_ARGUMENT);
	josch_spi_begin_as_caller(&spi);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		load.batches[i] = read_text(fcinfo, i);
	}
	check_sources(&load, "text", "", "the call", ERRCODE_NULL_VALUE_NOT_ALLOWED);
	write_load(&load);
	end_load(&load);
	josch_spi_end(&spi);
	return return_counts(fcinfo, &load);
}

/* ---- from tables ---- */

static LoadBatch *
read_table(Oid schema, const TemplateTable *table)
{
	JoschRowSource *source = josch_store_template_open_table(schema, table);

	return source == NULL ? NULL : josch_load_batch_read(source, table);
}

static void
refuse_own_schema(Oid schema)
{
	if (schema == get_namespace_oid(JOSCH_SCHEMA, false))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot load schema \"%s\" into itself", JOSCH_SCHEMA)));
	}
}

Datum
josch_api_load_schema(PG_FUNCTION_ARGS)
{
	Load		load = {0};
	Oid			schema;
	char	   *name;
	JoschSpi	spi;

	josch_report_if_read_only(fcinfo);
	load.mode = mode_argument(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		refuse_null_argument("schema");
	}
	schema = PG_GETARG_OID(0);
	name = get_namespace_name(schema);
	if (!OidIsValid(schema))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("there is no schema to load"),
				 errdetail("pg_my_temp_schema() is 0 until the session makes its first temporary table.")));
	}
	if (name == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", schema)));
	}
	refuse_own_schema(schema);

	josch_spi_begin_as_caller(&spi);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		load.batches[i] = read_table(schema, &josch_store_template_tables[i]);
	}
	check_sources(&load, "table", "", psprintf("schema \"%s\"", name), ERRCODE_UNDEFINED_TABLE);
	write_load(&load);
	end_load(&load);
	josch_spi_end(&spi);
	return return_counts(fcinfo, &load);
}

Datum
josch_api_load_new_node_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(josch_store_template_new_node_id());
}
