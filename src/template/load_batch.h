/*
 * src/template/load_batch.h
 *	  The rows of one source as values of one template table.
 */
#ifndef JOSCH_LOAD_BATCH_H
#define JOSCH_LOAD_BATCH_H

#include "base/josch.h"

#include "template/load_source.h"
#include "template/store_template.h"

typedef struct LoadBatch
{
	TemplateBatch rows;
	JoschRowSource *source;		/* closed; its name is still there */
	bool		has_unnumbered; /* while it is read: some row bears no number */
} LoadBatch;

/*
 * Reads the source to its end and closes it.  What cannot be a value of its
 * column, and a key that comes twice, is an ERROR that names place and value; or it is
 * told, where there are findings, and its row is left out.  Rows that are new and have no
 * number draw one, or without "draws" are given one below 0.
 */
extern LoadBatch *josch_load_batch_read(JoschRowSource *source, const TemplateTable *table, JoschFindings *findings, bool draws);

/* Where a row is written, by the values of its key, as text. */
extern char *josch_load_batch_place(const LoadBatch *batch, int line, char *const *key);

/* Ends what josch_load_batch_read began; an error sees to it, too. */
extern void josch_load_batch_end(LoadBatch *batch);

/* Whether an error of a statement may be due to a single row of it. */
extern bool josch_load_batch_is_about_a_row(const ErrorData *error);

/* Raises the error with the row's place and the values that it is about. */
pg_noreturn extern void josch_load_batch_refuse_row(const LoadBatch *batch, int row, const ErrorData *error);

/* Raises the error as it is, with the source named in its context. */
pg_noreturn extern void josch_load_batch_refuse(const LoadBatch *batch, ErrorData *error);

#endif							/* JOSCH_LOAD_BATCH_H */
