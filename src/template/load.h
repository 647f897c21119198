/*
 * src/template/load.h
 *	  A load of templates: what it is made of, and how it is written.
 *
 * load_open.c finds the sources and reads them, load.c writes what was read.  With
 * findings nothing is raised about what the sources hold: it is told to them instead.
 */
#ifndef JOSCH_LOAD_H
#define JOSCH_LOAD_H

#include "base/josch.h"

#include "template/findings.h"
#include "template/load_batch.h"
#include "template/store_template.h"

typedef struct LoadCounts
{
	int64		inserted;
	int64		updated;
	int64		deleted;
} LoadCounts;

typedef enum LoadMode
{
	LOAD_MERGE,
	LOAD_REPLACE,
	LOAD_REPLACE_JOBS
} LoadMode;

typedef struct Load
{
	LoadMode	mode;
	bool		only_looks;		/* nothing is written, not even a number is drawn */
	JoschFindings *findings;	/* NULL: what is found is raised */
	TemplateScope scope;		/* of LOAD_REPLACE_JOBS, once it is begun */
	LoadBatch  *batches[TEMPLATE_TABLES];	/* NULL: there is no source for that table */
	LoadCounts	counts[TEMPLATE_TABLES];
} Load;

/* ---- load_open.c: inside of josch_spi_begin_as_caller ---- */

/* The mode of that name; ERROR when there is none. */
extern LoadMode josch_load_mode(const char *name);

/* All that there is to load is read.  A source that the mode needs and that is not there is an ERROR in any case. */
extern void josch_load_open_directory(Load *load, const char *directory);
extern void josch_load_open_texts(Load *load, text *const *texts);	/* a text a table, or NULL */
extern void josch_load_open_schema(Load *load, Oid schema);

/* Ends what was opened; an error sees to it, too. */
extern void josch_load_close(Load *load);

/* ---- load.c ---- */

/* Which jobs the batches name: for what is deleted, and what is looked at. */
extern void josch_load_find_scope(Load *load);

/* Writes all of it.  With findings it stops after the first table of which something was refused. */
extern void josch_load_write(Load *load);

#endif							/* JOSCH_LOAD_H */
