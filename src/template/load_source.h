/*
 * src/template/load_source.h
 *	  Where the rows of a load come from.
 *
 * A loader sees rows of text with named columns, and can say of each
 * where it stands; it does not see whether a file, a text or a table has them.
 * This file reads CSV; store_template_table.c reads tables.
 */
#ifndef JOSCH_LOAD_SOURCE_H
#define JOSCH_LOAD_SOURCE_H

#include "base/josch.h"

#include "template/findings.h"

typedef struct JoschRowSource JoschRowSource;

struct JoschRowSource
{
	const char *what;			/* "File", "Text" or "Table", to begin a sentence with */
	const char *name;			/* path, argument, or schema.table */
	int			ncolumns;
	char	  **columns;		/* the names, in the order of the fields */
	int			line;			/* of the row that was read last; 0: rows have no lines */
	bool		is_query;		/* rows come out of a query, which may fail on its own */

	/*
	 * The next row: ncolumns fields, NULL for SQL NULL, that live until the
	 * next call.  False: there are no more.
	 */
	bool		(*next) (JoschRowSource *source, char ***fields);
	void		(*close) (JoschRowSource *source);
};

/*
 * A CSV file with a header, in UTF-8, with or without a byte order mark; NULL
 * when it does not exist, or when what is wrong with its header is told to the
 * findings (NULL: it is raised).
 */
extern JoschRowSource *josch_load_source_open_file(const char *path, JoschFindings *findings);

/* The same out of a text that came with the call, in the server's encoding. */
extern JoschRowSource *josch_load_source_open_text(const char *name, text *csv, JoschFindings *findings);

/* Raises an ERROR when there is no such directory. */
extern void josch_load_source_check_directory(const char *directory);

/* A value for a message: quoted, cut when it is long; "null" for NULL. */
extern char *josch_load_source_quote(const char *value);

#endif							/* JOSCH_LOAD_SOURCE_H */
