/*
 * src/template/load_open.c
 *	  The sources of a load: files, texts or tables, found and read.
 *
 * Where findings are gathered, each source is read to its end and all that is wrong with
 * its rows is told; a row that has no value is left out, and nothing is written then.
 */
#include "base/josch.h"

#include "template/load.h"

#include "template/load_source.h"

#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static const char *const mode_names[] = {"merge", "replace", "replace_jobs"};

LoadMode
josch_load_mode(const char *mode)
{
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

void
josch_load_close(Load *load)
{
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		if (load->batches[i] != NULL)
		{
			josch_load_batch_end(load->batches[i]);
		}
	}
}

/* All four sources, those of calendars apart, for replace, environs apart for replace_jobs, at least one for merge. */
static void
check_sources(const Load *load, const char *what, const char *suffix, const char *where, int code)
{
	int			found = 0;

	if (load->findings != NULL && load->findings->errors > 0)
	{
		return;					/* one that could not be read has been told */
	}
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

/* ---- files ---- */

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

void
josch_load_open_directory(Load *load, const char *directory)
{
	check_may_read_files();
	josch_load_source_check_directory(directory);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		const TemplateTable *table = &josch_store_template_tables[i];
		JoschRowSource *source = josch_load_source_open_file(psprintf("%s/%s.csv", directory, table->name), load->findings);

		load->batches[i] = source == NULL ? NULL : josch_load_batch_read(source, table, load->findings, !load->only_looks);
	}
	check_sources(load, "file", ".csv", psprintf("directory \"%s\"", directory), ERRCODE_UNDEFINED_FILE);
}

/* ---- texts ---- */

void
josch_load_open_texts(Load *load, text *const *texts)
{
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		const TemplateTable *table = &josch_store_template_tables[i];

		JoschRowSource *source = texts[i] == NULL ? NULL : josch_load_source_open_text(table->name, texts[i], load->findings);

		load->batches[i] = source == NULL ? NULL : josch_load_batch_read(source, table, load->findings, !load->only_looks);
	}
	check_sources(load, "text", "", "the call", ERRCODE_NULL_VALUE_NOT_ALLOWED);
}

/* ---- tables ---- */

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

void
josch_load_open_schema(Load *load, Oid schema)
{
	char	   *name = get_namespace_name(schema);

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
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		const TemplateTable *table = &josch_store_template_tables[i];
		JoschRowSource *source = josch_store_template_open_table(schema, table);

		load->batches[i] = source == NULL ? NULL : josch_load_batch_read(source, table, load->findings, !load->only_looks);
	}
	check_sources(load, "table", "", psprintf("schema \"%s\"", name), ERRCODE_UNDEFINED_TABLE);
}
