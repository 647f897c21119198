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
 * Of a file no more is in memory than the record at hand and what was read with it.
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
#define FIRST_BUFFER 65536
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
	FILE	   *file;			/* NULL: all of the text is in the buffer */
	char	   *buffer;			/* with a zero byte at its end */
	Size		size;
	Size		length;
	int			lines_read;		/* line ends in what was read, to tell where a zero byte is */
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

/* ---- from the file to the buffer ---- */

static void
report_file_error(const char *what, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\": %m", what, path)));
}

/* A zero byte is no text; what is in UTF-16 is full of them.  The text has just been read. */
static void
refuse_zero_byte(CsvSource *csv, const char *text, Size length)
{
	const char *zero = memchr(text, '\0', length);
	const char *end = zero != NULL ? zero : text + length;

	for (const char *p = text; p < end; p++)
	{
		csv->lines_read += *p == '\n';
	}
	if (zero != NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("a zero byte is no text"),
				 errdetail("%s.", place(csv, csv->lines_read + 1)),
				 errhint("Is it UTF-16? UTF-8 is read.")));
	}
}

/* Reads more of the file behind what has not been taken yet, which comes to the buffer's begin. */
static void
read_more(CsvSource *csv)
{
	Size		left = csv->buffer + csv->length - csv->position;
	Size		n;

	memmove(csv->buffer, csv->position, left);
	csv->position = csv->buffer;
	if (left + 1 >= csv->size)
	{
		if (csv->size >= MaxAllocSize / 2)
		{
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a line is too long, or a value in quotes does not end"),
					 errdetail("%s.", place(csv, csv->next_line))));
		}
		csv->size *= 2;
		csv->buffer = repalloc(csv->buffer, csv->size);
		csv->position = csv->buffer;
	}
	n = fread(csv->buffer + left, 1, csv->size - left - 1, csv->file);
	if (ferror(csv->file))
	{
		report_file_error("read", csv->base.name);
	}
	csv->length = left + n;
	csv->buffer[csv->length] = '\0';
	refuse_zero_byte(csv, csv->buffer + left, n);
	if (feof(csv->file))
	{
		FreeFile(csv->file);
		csv->file = NULL;
	}
}

/*
 * Goes on from a place to the end of its line, which does not stand within quotes, and
 * after which something stands, so that a CR and the LF after it are one.  False when it
 * is not in the buffer yet.
 */
static bool
find_line_end(const CsvSource *csv, Size *place, bool *quoted)
{
	for (const char *p = csv->position + *place;; p++)
	{
		*place = p - csv->position;
		if (*p == '\0' || p[1] == '\0')
		{
			return false;
		}
		*quoted ^= *p == '"';
		if (!*quoted && (*p == '\n' || *p == '\r'))
		{
			return true;
		}
	}
}

/* Has the whole record in the buffer that begins at the position. */
static void
hold_record(CsvSource *csv)
{
	Size		place = 0;
	bool		quoted = false;

	while (csv->file != NULL && !find_line_end(csv, &place, &quoted))
	{
		CHECK_FOR_INTERRUPTS();
		read_more(csv);
	}
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
		hold_record(csv);
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

static void
close_csv(JoschRowSource *source)
{
	CsvSource  *csv = (CsvSource *) source;

	if (csv->file != NULL)
	{
		FreeFile(csv->file);
	}
	pfree(csv->buffer);
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

/* The file, or the text that is in the buffer as a whole. */
static CsvSource *
begin(const char *what, const char *name, char *buffer, Size size, int encoding)
{
	CsvSource  *csv = palloc0(sizeof(CsvSource));

	csv->base.what = what;
	csv->base.name = pstrdup(name);
	csv->base.next = next_row;
	csv->base.close = close_csv;
	csv->encoding = encoding;
	csv->next_line = 1;
	csv->capacity = FIRST_FIELDS;
	csv->fields = palloc(sizeof(char *) * FIRST_FIELDS);
	csv->buffer = csv->position = buffer;
	csv->size = size;
	return csv;
}

static void
begin_rows(CsvSource *csv)
{
	if (csv->file != NULL)
	{
		read_more(csv);
	}
	else
	{
		refuse_zero_byte(csv, csv->buffer, csv->length);
	}
	if (strncmp(csv->position, BOM, strlen(BOM)) == 0)
	{
		csv->position += strlen(BOM);
	}
	read_header(csv);
}

static JoschRowSource *
open_csv(CsvSource *csv, JoschFindings *findings)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool is_open = false;

	PG_TRY();
	{
		begin_rows(csv);
		is_open = true;
	}
	PG_CATCH();
	{
		josch_findings_take_or_rethrow(findings, csv->base.name, context);
	}
	PG_END_TRY();
	if (!is_open)
	{
		close_csv(&csv->base);
		return NULL;
	}
	return &csv->base;
}

JoschRowSource *
josch_load_source_open_text(const char *name, text *text, JoschFindings *findings)
{
	Size		length = VARSIZE_ANY_EXHDR(text);
	CsvSource  *csv = begin("Text", name, text_to_cstring(text), length + 1, GetDatabaseEncoding());

	csv->length = length;
	return open_csv(csv, findings);
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
}

JoschRowSource *
josch_load_source_open_file(const char *path, JoschFindings *findings)
{
	struct stat status;
	CsvSource  *csv;
	FILE	   *file;

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
	csv = begin("File", path, palloc(FIRST_BUFFER), FIRST_BUFFER, PG_UTF8);
	csv->file = file;
	return open_csv(csv, findings);
}
