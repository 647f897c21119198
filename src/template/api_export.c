/*
 * src/template/api_export.c
 *	  josch.export_csv(): the templates as the files that josch.load_csv() reads.
 *
 * Somebody may read the files, or a program fetch them, at any moment: each is
 * written beside its place and renamed into it, and none is renamed before all
 * are written.  A rollback does not bring the former files back.
 */
#include "base/josch.h"

#include "base/spi_plan.h"
#include "template/load_source.h"
#include "template/store_template.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_api_export_csv);

#define FILE_MODE 0644			/* whatever the server's umask is: they are made to be read */

typedef struct Export
{
	char	   *directory;
	TemplateRows *rows[TEMPLATE_TABLES];
	bool		is_written[TEMPLATE_TABLES];
	char	   *temporary[TEMPLATE_TABLES]; /* NULL: not there (any more) */
} Export;

/* ---- CSV ---- */

/* As load_csv reads it: NULL is nothing, an empty text is a pair of quotes where the two differ. */
static void
append_field(StringInfo csv, const char *field, bool quote_empty)
{
	if (field == NULL || (field[0] == '\0' && !quote_empty))
	{
		return;
	}
	if (field[0] != '\0' && strpbrk(field, ",\"\r\n") == NULL)
	{
		appendStringInfoString(csv, field);
		return;
	}
	appendStringInfoChar(csv, '"');
	for (const char *p = field; *p != '\0'; p++)
	{
		if (*p == '"')
		{
			appendStringInfoChar(csv, '"');
		}
		appendStringInfoChar(csv, *p);
	}
	appendStringInfoChar(csv, '"');
}

static void
append_row(StringInfo csv, const TemplateTable *table, const TemplateRows *rows, char *const *fields)
{
	for (int i = 0; i < rows->ncolumns; i++)
	{
		bool		quote_empty = table->may_be_empty != NULL &&
			strcmp(rows->columns[i], table->may_be_empty) == 0;

		if (i > 0)
		{
			appendStringInfoChar(csv, ',');
		}
		append_field(csv, fields[i], quote_empty);
	}
	appendStringInfoChar(csv, '\n');
}

/* The file's text, in UTF-8. */
static char *
to_csv(const TemplateTable *table, const TemplateRows *rows)
{
	StringInfoData csv;

	initStringInfo(&csv);
	append_row(&csv, table, rows, rows->columns);
	for (uint64 row = 0; row < rows->nrows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		append_row(&csv, table, rows, rows->fields[row]);
	}
	return pg_server_to_any(csv.data, csv.len, PG_UTF8);
}

/* ---- files ---- */

static void
report_file_error(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\": %m", what, path)));
}

static void
write_file(const char *path, const char *text)
{
	int			file;
	Size		left = strlen(text);

	file = OpenTransientFilePerm(path, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY, FILE_MODE);
	if (file < 0)
	{
		report_file_error("create", path);
	}
	while (left > 0)
	{
		ssize_t		n = write(file, text, left);

		if (n < 0 && errno != EINTR)
		{
			report_file_error("write", path);
		}
		if (n > 0)
		{
			text += n;
			left -= n;
		}
	}
	if (fchmod(file, FILE_MODE) != 0 || pg_fsync(file) != 0 || CloseTransientFile(file) != 0)
	{
		report_file_error("write", path);
	}
}

static char *
path_of(const Export *export, int table)
{
	return psprintf("%s/%s.csv", export->directory, josch_store_template_tables[table].name);
}

/* One that nobody needs is written where it says something, or would say something that is no longer so. */
static bool
is_written(const Export *export, int table)
{
	struct stat status;

	return !josch_store_template_tables[table].is_optional || export->rows[table]->nrows > 0 ||
		lstat(path_of(export, table), &status) == 0;
}

static void
write_temporary_files(Export *export)
{
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		const TemplateTable *table = &josch_store_template_tables[i];
		char	   *path = psprintf("%s/.%s.csv.%d.tmp", export->directory, table->name, MyProcPid);

		export->is_written[i] = is_written(export, i);
		if (!export->is_written[i])
		{
			continue;
		}
		(void) unlink(path);	/* of a process with our number that crashed */
		export->temporary[i] = path;
		write_file(path, to_csv(table, export->rows[i]));
	}
}

static void
move_into_place(Export *export)
{
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		char	   *path = path_of(export, i);

		if (!export->is_written[i])
		{
			continue;
		}
		if (rename(export->temporary[i], path) != 0)
		{
			report_file_error("replace", path);
		}
		export->temporary[i] = NULL;
	}
	fsync_fname_ext(export->directory, true, true, WARNING);
}

static void
write_files(Export *export)
{
	PG_TRY();
	{
		write_temporary_files(export);
		move_into_place(export);
	}
	PG_CATCH();
	{
		for (int i = 0; i < TEMPLATE_TABLES; i++)
		{
			if (export->temporary[i] != NULL)
			{
				(void) unlink(export->temporary[i]);
			}
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* ---- SQL ---- */

static void
check_may_write_files(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_WRITE_SERVER_FILES))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to export to files of the server"),
				 errdetail("Only roles with the privileges of \"%s\" may write them.", "pg_write_server_files"),
				 errhint("GRANT pg_write_server_files TO %s, or use \\copy.",
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
	}
}

static Datum
return_counts(FunctionCallInfo fcinfo, const Export *export)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false};

		if (!export->is_written[i])
		{
			continue;
		}
		values[0] = CStringGetTextDatum(josch_store_template_tables[i].name);
		values[1] = Int64GetDatum((int64) export->rows[i]->nrows);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
josch_api_export_csv(PG_FUNCTION_ARGS)
{
	Export		export = {0};
	MemoryContext context = CurrentMemoryContext;
	JoschSpi	spi;

	export.directory = text_to_cstring(PG_GETARG_TEXT_PP(0));
	canonicalize_path(export.directory);
	check_may_write_files();
	josch_load_source_check_directory(export.directory);

	josch_spi_begin_as_caller(&spi);
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		export.rows[i] = josch_store_template_export(&josch_store_template_tables[i], PG_GETARG_BOOL(1), context);
	}
	josch_spi_end(&spi);
	write_files(&export);
	return return_counts(fcinfo, &export);
}
