/*
 * src/template/load_source.c
 *	  Where the rows of a load come from: CSV files on the server.
 *
 * PostgreSQL's own parser takes the text apart, so that quotes, line ends and
 * encodings mean what they mean to COPY.  It gives neither the header by name
 * nor the line of a row, and silently ends at a line \. before version 18; what
 * is here makes up for that.
 *
 * A file is read into memory whole: templates are small, and a row that cannot
 * be stored has to be found again.
 */
#include "base/josch.h"

#include "template/load_source.h"

#include <sys/stat.h>

#include "commands/copy.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "storage/fd.h"

#define SHOWN_LENGTH 100		/* bytes of a value in a message, as COPY does */
#define BOM "\xEF\xBB\xBF"

typedef struct CsvSource
{
	JoschRowSource base;
	CopyFromState copy;
	char	   *text;			/* the file */
	Size		length;
	Size		position;		/* what the parser has taken */
	int			next_line;		/* first line of the row that comes next */
} CsvSource;

/* COPY's callback has no argument: the source that is being read. */
static CsvSource *current = NULL;

char *
josch_load_source_quote(const char *value)
{
	int			length;

	if (value == NULL)
	{
		return pstrdup("null");
	}
	length = strlen(value);
	if (length <= SHOWN_LENGTH)
	{
		return psprintf("\"%s\"", value);
	}
	length = pg_mbcliplen(value, length, SHOWN_LENGTH);
	return psprintf("\"%.*s...\"", length, value);
}

/* ---- the file ---- */

void
josch_load_source_check_directory(const char *directory)
{
	struct stat status;

	if (stat(directory, &status) != 0)
	{
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open directory \"%s\": %m", directory)));
	}
	if (!S_ISDIR(status.st_mode))
	{
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a directory", directory)));
	}
}

static void
refuse_what_is_no_file(const char *path, const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
	{
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is a directory", path)));
	}
	if (!S_ISREG(status->st_mode))
	{
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
	}
}

static void
report_file_error(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\": %m", what, path)));
}

/* Reads the file; false when there is none. */
static bool
read_file(CsvSource *csv)
{
	const char *path = csv->base.name;
	struct stat status;
	FILE	   *file;

	/* before it is opened: opening a pipe waits for a writer */
	if (stat(path, &status) != 0)
	{
		if (errno == ENOENT)
		{
			return false;
		}
		report_file_error("open", path);
	}
	refuse_what_is_no_file(path, &status);
	file = AllocateFile(path, PG_BINARY_R);
	if (file == NULL)
	{
		report_file_error("open", path);
	}
	csv->text = palloc_extended(status.st_size + 1, MCXT_ALLOC_HUGE);
	csv->length = fread(csv->text, 1, status.st_size, file);
	if (ferror(file))
	{
		report_file_error("read", path);
	}
	csv->text[csv->length] = '\0';
	FreeFile(file);
	if (csv->length >= strlen(BOM) && memcmp(csv->text, BOM, strlen(BOM)) == 0)
	{
		csv->position = strlen(BOM);
	}
	return true;
}

static int
give_to_copy(void *outbuf, int minread, int maxread)
{
	Size		n = Min(current->length - current->position, (Size) maxread);

	memcpy(outbuf, current->text + current->position, n);
	current->position += n;
	return (int) n;
}

/* ---- rows ---- */

static void
add_place(void *arg)
{
	CsvSource  *csv = arg;

	errcontext("file \"%s\", line %d", csv->base.name, csv->next_line);
}

/* Lines that a field goes over: CR LF is one line end, as are LF and CR alone. */
static int
count_line_ends(const char *field)
{
	int			n = 0;

	for (const char *p = field; p != NULL && *p != '\0'; p++)
	{
		if (*p == '\n' || (*p == '\r' && p[1] != '\n'))
		{
			n++;
		}
	}
	return n;
}

static bool
next_record(CsvSource *csv, char ***fields, int *nfields)
{
	ErrorContextCallback place = {.callback = add_place,.arg = csv,.previous = error_context_stack};
	bool		found;

	error_context_stack = &place;
	current = csv;
	found = NextCopyFromRawFields(csv->copy, fields, nfields);
	current = NULL;
	error_context_stack = place.previous;
	if (found)
	{
		csv->base.line = csv->next_line++;
		for (int i = 0; i < *nfields; i++)
		{
			csv->next_line += count_line_ends((*fields)[i]);
		}
	}
	return found;
}

/*
 * COPY before version 18 takes a line \. for the end of the data, which would
 * lose what comes after it.
 */
static void
refuse_end_marker(const CsvSource *csv)
{
	int			line = 1;
	const char *start = csv->text + csv->position;

	for (const char *p = start; *p != '\0'; p++)
	{
		bool		at_start = p == start || p[-1] == '\n' || p[-1] == '\r';

		if (at_start && p[0] == '\\' && p[1] == '.' &&
			(p[2] == '\0' || p[2] == '\n' || p[2] == '\r'))
		{
			ereport(ERROR,
					(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
					 errmsg("a line \"\\.\" cannot be loaded"),
					 errdetail("File \"%s\", line %d.", csv->base.name, line)));
		}
		if (*p == '\n' || (*p == '\r' && p[1] != '\n'))
		{
			line++;
		}
	}
}

static void
refuse_field_count(const CsvSource *csv, char **fields, int nfields)
{
	if (nfields < csv->base.ncolumns)
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("missing value for column \"%s\"", csv->base.columns[nfields]),
				 errdetail("File \"%s\", line %d: the header has %d columns, the line has %d fields, of which the last is %s.",
						   csv->base.name, csv->base.line, csv->base.ncolumns, nfields,
						   josch_load_source_quote(fields[nfields - 1]))));
	}
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("value %s after the last column, \"%s\"",
					josch_load_source_quote(fields[csv->base.ncolumns]),
					csv->base.columns[csv->base.ncolumns - 1]),
			 errdetail("File \"%s\", line %d: the header has %d columns, the line has %d fields.",
					   csv->base.name, csv->base.line, csv->base.ncolumns, nfields)));
}

static bool
next_row(JoschRowSource *source, char ***fields)
{
	CsvSource  *csv = (CsvSource *) source;
	int			nfields;

	do
	{
		if (!next_record(csv, fields, &nfields))
		{
			return false;
		}
	} while (nfields == 1 && (*fields)[0] == NULL); /* a blank line */

	if (nfields != source->ncolumns)
	{
		refuse_field_count(csv, *fields, nfields);
	}
	return true;
}

static void
close_file(JoschRowSource *source)
{
	CsvSource  *csv = (CsvSource *) source;

	EndCopyFrom(csv->copy);
	pfree(csv->text);
}

/* ---- open ---- */

/* A name of the header, without the blanks that people put around it. */
static char *
column_name(const char *field)
{
	const char *start = field == NULL ? "" : field + strspn(field, " \t");
	Size		length = strlen(start);

	while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t'))
	{
		length--;
	}
	return pnstrdup(start, length);
}

static void
read_header(CsvSource *csv)
{
	char	  **fields;
	int			nfields;

	if (!next_record(csv, &fields, &nfields) || (nfields == 1 && fields[0] == NULL))
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("file \"%s\" has no header", csv->base.name),
				 errdetail("The first line names the columns.")));
	}
	csv->base.ncolumns = nfields;
	csv->base.columns = palloc(sizeof(char *) * nfields);
	for (int i = 0; i < nfields; i++)
	{
		csv->base.columns[i] = column_name(fields[i]);
	}
}

JoschRowSource *
josch_load_source_open_csv(const char *path, Relation relation)
{
	CsvSource  *csv = palloc0(sizeof(CsvSource));
	List	   *options;

	csv->base.what = "File";
	csv->base.name = pstrdup(path);
	csv->base.next = next_row;
	csv->base.close = close_file;
	csv->next_line = 1;
	if (!read_file(csv))
	{
		pfree(csv);
		return NULL;
	}
	refuse_end_marker(csv);
	options = list_make2(makeDefElem("format", (Node *) makeString("csv"), -1),
						 makeDefElem("encoding", (Node *) makeString("UTF8"), -1));
	csv->copy = BeginCopyFrom(NULL, relation, NULL, NULL, false, give_to_copy, NIL, options);
	read_header(csv);
	return &csv->base;
}
