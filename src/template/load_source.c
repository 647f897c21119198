/*
 * src/template/load_source.c
 *	  Where the rows of a load come from: CSV, in files or handed over as text.
 *
 * The text is taken apart in place, and by ourselves.  COPY's parser knows
 * neither the line nor the column of what it reads; it drops a quotation mark
 * that stands within a value, so that echo "x" would become echo x; and before
 * PostgreSQL 18 it ends at a line \. even within quotes.  Here what is doubtful
 * is refused, with its place.
 *
 * A file is read into memory whole: templates are small, and a row that cannot
 * be stored has to be found again.
 */
#include "base/josch.h"

#include "template/load_source.h"

#include <sys/stat.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define SHOWN_LENGTH 100		/* bytes of a value in a message, as COPY does */
#define FIRST_FIELDS 16
#define BOM "\xEF\xBB\xBF"

typedef enum LineEnd
{
	LINE_END_UNKNOWN,
	LINE_END_LF,
	LINE_END_CRLF,
	LINE_END_CR
} LineEnd;

static const char *const line_end_names[] = {"nothing", "LF", "CR LF", "CR"};

typedef struct CsvSource
{
	JoschRowSource base;
	char	   *position;		/* what has not been taken yet; a zero byte is the text's end */
	int			encoding;		/* that of the text */
	LineEnd		line_end;		/* that of the first line; all others must end alike */
	int			next_line;		/* the line of the position */
	char	  **fields;			/* of the record at hand */
	int			nfields;
	int			capacity;
} CsvSource;

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

/* 'File "x", line 7, column node_id': of the field that is being taken, once the header has told the names. */
static char *
place(const CsvSource *csv, int line)
{
	if (csv->nfields < csv->base.ncolumns)
	{
		return psprintf("%s \"%s\", line %d, column %s", csv->base.what, csv->base.name, line,
						csv->base.columns[csv->nfields]);
	}
	return psprintf("%s \"%s\", line %d", csv->base.what, csv->base.name, line);
}

/* ---- records ---- */

/* Takes a value in quotes, in which two of them are one; returns its end. */
static char *
take_quoted(CsvSource *csv)
{
	int			first_line = csv->next_line;
	char	   *in = csv->position + 1;
	char	   *out = csv->position;

	for (; *in != '"' || in[1] == '"'; in++)
	{
		if (*in == '\0')
		{
			ereport(ERROR,
					(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
					 errmsg("a value in quotes does not end"),
					 errdetail("%s.", place(csv, first_line))));
		}
		if (*in == '\n' || (*in == '\r' && in[1] != '\n'))
		{
			csv->next_line++;
		}
		in += *in == '"';
		*out++ = *in;
	}
	csv->position = in + 1;
	if (*csv->position != '\0' && strchr(",\r\n", *csv->position) == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("a value in quotes is followed by something else than a comma or the line's end"),
				 errdetail("%s.", place(csv, csv->next_line)),
				 errhint("Write a quotation mark within quotes twice.")));
	}
	return out;
}

static char *
take_plain(CsvSource *csv)
{
	csv->position += strcspn(csv->position, ",\r\n\"");
	if (*csv->position == '"')
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("a quotation mark stands within a value that is not in quotes"),
				 errdetail("%s.", place(csv, csv->next_line)),
				 errhint("Put the whole value in quotes, and write the quotation mark twice.")));
	}
	return csv->position;
}

static void
take_line_end(CsvSource *csv)
{
	LineEnd		found = *csv->position == '\n' ? LINE_END_LF :
		csv->position[1] == '\n' ? LINE_END_CRLF : LINE_END_CR;

	if (csv->line_end == LINE_END_UNKNOWN)
	{
		csv->line_end = found;
	}
	if (found != csv->line_end)
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("a line ends with %s, but the first one with %s",
						line_end_names[found], line_end_names[csv->line_end]),
				 errdetail("%s.", place(csv, csv->next_line)),
				 errhint("Put a value with a line's end in it in quotes.")));
	}
	csv->position += found == LINE_END_CRLF ? 2 : 1;
	csv->next_line++;
}

static void
add_place(void *arg)
{
	CsvSource  *csv = arg;

	errcontext("%s", place(csv, csv->base.line));
}

/* The field in the server's encoding; what is no text in its own is refused. */
static char *
decode(CsvSource *csv, char *field)
{
	ErrorContextCallback context = {.callback = add_place,.arg = csv,.previous = error_context_stack};

	error_context_stack = &context;
	field = pg_any_to_server(field, strlen(field), csv->encoding);
	error_context_stack = context.previous;
	return field;
}

/* Takes a field and what follows it; true when that was a comma. */
static bool
take_field(CsvSource *csv)
{
	char	   *field = csv->position;
	bool		is_quoted = *field == '"';
	char	   *end = is_quoted ? take_quoted(csv) : take_plain(csv);
	bool		has_next = *csv->position == ',';

	if (has_next)
	{
		csv->position++;
	}
	else if (*csv->position != '\0')
	{
		take_line_end(csv);
	}
	*end = '\0';				/* what stood there has been taken */
	if (csv->nfields == csv->capacity)
	{
		csv->capacity *= 2;
		csv->fields = repalloc(csv->fields, sizeof(char *) * csv->capacity);
	}
	csv->fields[csv->nfields] = is_quoted || end > field ? decode(csv, field) : NULL;
	csv->nfields++;
	return has_next;
}

/* Takes the next line that is not blank; false when there is none. */
static bool
take_record(CsvSource *csv)
{
	do
	{
		if (*csv->position == '\0')
		{
			return false;
		}
		csv->base.line = csv->next_line;
		csv->nfields = 0;
		while (take_field(csv))
		{
			CHECK_FOR_INTERRUPTS();
		}
	} while (csv->nfields == 1 && csv->fields[0] == NULL);
	return true;
}

/* ---- rows ---- */

static void
refuse_field_count(const CsvSource *csv)
{
	int			ncolumns = csv->base.ncolumns;

	if (csv->nfields < ncolumns)
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("missing value for column \"%s\"", csv->base.columns[csv->nfields]),
				 errdetail("%s \"%s\", line %d: the header has %d columns, the line has %d fields, of which the last is %s.",
						   csv->base.what, csv->base.name, csv->base.line, ncolumns, csv->nfields,
						   josch_load_source_quote(csv->fields[csv->nfields - 1]))));
	}
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("value %s after the last column, \"%s\"",
					josch_load_source_quote(csv->fields[ncolumns]), csv->base.columns[ncolumns - 1]),
			 errdetail("%s \"%s\", line %d: the header has %d columns, the line has %d fields.",
					   csv->base.what, csv->base.name, csv->base.line, ncolumns, csv->nfields)));
}

static bool
next_row(JoschRowSource *source, char ***fields)
{
	CsvSource  *csv = (CsvSource *) source;

	if (!take_record(csv))
	{
		return false;
	}
	if (csv->nfields != source->ncolumns)
	{
		refuse_field_count(csv);
	}
	*fields = csv->fields;
	return true;
}

/* The text stays until the statement ends: rows that are refused are shown from it. */
static void
close_text(JoschRowSource *source)
{
}

/* ---- the header ---- */

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
	char	  **columns;

	if (!take_record(csv))
	{
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("there is no header"),
				 errdetail("%s \"%s\": the first line names the columns.", csv->base.what, csv->base.name)));
	}
	columns = palloc(sizeof(char *) * csv->nfields);
	for (int i = 0; i < csv->nfields; i++)
	{
		columns[i] = column_name(csv->fields[i]);
	}
	csv->base.columns = columns;
	csv->base.ncolumns = csv->nfields;
}

/* A zero byte is no text; what is in UTF-16 is full of them. */
static void
refuse_zero_byte(const CsvSource *csv, const char *text, Size length)
{
	const char *zero = memchr(text, '\0', length);
	int			line = 1;

	if (zero == NULL)
	{
		return;
	}
	for (const char *p = text; p < zero; p++)
	{
		line += *p == '\n';
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("a zero byte is no text"),
			 errdetail("%s.", place(csv, line)),
			 errhint("Is it UTF-16? UTF-8 is read.")));
}

/* text[length] is a zero byte. */
static JoschRowSource *
open_text(const char *what, const char *name, char *text, Size length, int encoding)
{
	CsvSource  *csv = palloc0(sizeof(CsvSource));

	csv->base.what = what;
	csv->base.name = pstrdup(name);
	csv->base.next = next_row;
	csv->base.close = close_text;
	csv->encoding = encoding;
	csv->next_line = 1;
	csv->capacity = FIRST_FIELDS;
	csv->fields = palloc(sizeof(char *) * FIRST_FIELDS);
	csv->position = text + (strncmp(text, BOM, strlen(BOM)) == 0 ? strlen(BOM) : 0);
	refuse_zero_byte(csv, text, length);
	read_header(csv);
	return &csv->base;
}

JoschRowSource *
josch_load_source_open_text(const char *name, text *csv)
{
	return open_text("Text", name, text_to_cstring(csv), VARSIZE_ANY_EXHDR(csv), GetDatabaseEncoding());
}

/* ---- files ---- */

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
	if (status->st_size >= (off_t) MaxAllocSize)
	{
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("file \"%s\" is too large", path),
				 errdetail("It has %lld bytes; fewer than %zu can be loaded.",
						   (long long) status->st_size, (size_t) MaxAllocSize)));
	}
}

static void
report_file_error(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\": %m", what, path)));
}

JoschRowSource *
josch_load_source_open_file(const char *path)
{
	struct stat status;
	FILE	   *file;
	char	   *text;
	Size		length;

	/* before it is opened: opening a pipe waits for a writer */
	if (stat(path, &status) != 0)
	{
		if (errno == ENOENT)
		{
			return NULL;
		}
		report_file_error("open", path);
	}
	refuse_what_is_no_file(path, &status);
	file = AllocateFile(path, PG_BINARY_R);
	if (file == NULL)
	{
		report_file_error("open", path);
	}
	text = palloc(status.st_size + 1);
	length = fread(text, 1, status.st_size, file);
	if (ferror(file))
	{
		report_file_error("read", path);
	}
	text[length] = '\0';
	FreeFile(file);
	return open_text("File", path, text, length, PG_UTF8);
}
