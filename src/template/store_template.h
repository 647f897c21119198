/*
 * src/template/store_template.h
 *	  Template tables as a whole: written from batches of rows, read for export.
 *
 * All of it runs with the caller's rights, inside a bracket of
 * josch_spi_begin_as_caller.  store_template.c writes, store_template_table.c
 * reads other people's tables, store_template_export.c reads ours.  Numbers of
 * nodes (store_template_id.c) are drawn as the owner.
 */
#ifndef JOSCH_STORE_TEMPLATE_H
#define JOSCH_STORE_TEMPLATE_H

#include "base/josch.h"

#include "template/load_rows.h"
#include "template/load_source.h"

#include "nodes/pg_list.h"
#include "utils/relcache.h"

#define TEMPLATE_MAX_KEYS 4
#define TEMPLATE_MAX_SEED 6

/* In the order in which rows can be written: what is referred to comes first. */
typedef enum TemplateTableNumber
{
	TEMPLATE_ENVIRONS,
	TEMPLATE_CALENDARS,
	TEMPLATE_CALENDAR_PARTS,
	TEMPLATE_HOLIDAYS,
	TEMPLATE_SEMAPHORES,
	TEMPLATE_EXECUTORS,
	TEMPLATE_JOBS,
	TEMPLATE_NODES,
	TEMPLATE_NODE_DEPS,
	TEMPLATE_NODE_SEMAPHORES,
	TEMPLATE_TABLES
} TemplateTableNumber;

typedef struct TemplateTable
{
	const char *name;			/* in schema josch; of the file too, with .csv */
	int			nkeys;
	const char *keys[TEMPLATE_MAX_KEYS];	/* the primary key */
	int			nnames;
	const char *names[TEMPLATE_MAX_KEYS];	/* a second key, by which rows are known that bear no number */
	int			nseed;
	const char *seed[TEMPLATE_MAX_SEED];	/* columns that are always exported, in this order */
	const char *may_be_empty;	/* a column in which an empty text is not the same as NULL, or NULL */
	bool		is_optional;	/* no load needs it; it is exported when there is something in it */
	const char *node;			/* the column of the node to whose job a row belongs, or NULL */
	const char *own_reference;	/* the constraint by which rows name others of the table, or NULL; it can be deferred */
} TemplateTable;

extern const TemplateTable josch_store_template_tables[TEMPLATE_TABLES];

extern bool josch_store_template_is_key(const TemplateTable *table, const char *column);

/* Columns that no load writes and no export shows. */
extern bool josch_store_template_is_own_column(const char *name);

extern Oid	josch_store_template_relid(const TemplateTable *table);

/* A number that no template node has or ever had. */
extern int64 josch_store_template_new_node_id(void);

/* Rows of one table.  The key's columns are always there. */
typedef struct TemplateBatch
{
	const TemplateTable *table;
	int			ncolumns;
	TemplateColumn *columns;
	LoadRows	rows;
} TemplateBatch;

/* The first two rows with the same values in those columns; false when there are none. */
extern bool josch_store_template_find_duplicate(const TemplateBatch *batch, const char *const *columns, int ncolumns,
												int *first, int *second);

/* Gives the rows without a number the one of the stored row with the same names, or a new one; below 0 where none is drawn. */
extern void josch_store_template_number_rows(TemplateBatch *batch, bool draws);

/*
 * Writes the rows [from, from + count): updates those whose key exists and that
 * differ, inserts the others.  Adds to the two counts.
 */
extern void josch_store_template_upsert(const TemplateBatch *batch, int from, int count,
										int64 *inserted, int64 *updated);

/*
 * Jobs to which a deletion keeps: those that the batches of jobs and nodes name.
 * A dependency belongs to the job of its child.
 */
typedef struct TemplateScope
{
	Datum		jobs;			/* text[] */
	Datum		nodes;			/* bigint[]: nodes of the batch, which may come from other jobs */
} TemplateScope;

/* Either may be NULL. */
extern void josch_store_template_scope(const TemplateBatch *jobs, const TemplateBatch *nodes, TemplateScope *scope);

/* What the rows have in a column of text, each once: text[]; of NULL none. */
extern Datum josch_store_template_names(const TemplateBatch *batch, const char *column);

/* Deletes the rows of the table, or of the scope when there is one, whose key is not in the batch; returns how many. */
extern int64 josch_store_template_delete_others(const TemplateBatch *batch, const TemplateScope *scope);

/*
 * A node that would be deleted, and one of a job outside the scope that waits
 * for it; false when there is none.
 */
extern bool josch_store_template_find_outsider(const TemplateBatch *nodes, const TemplateScope *scope,
											   int64 *node_id, int64 *child_id, char **child_job);

/*
 * The rows of the table, view or foreign table of that name in a schema; NULL
 * when there is none.
 */
extern JoschRowSource *josch_store_template_open_table(Oid schema, const TemplateTable *table);

/*
 * Those of the columns (names) in which some row of the relation, called sql_name
 * in SQL, has something else than the column's default.
 */
extern List *josch_store_template_telling_columns(Relation relation, const char *sql_name, List *columns);

/*
 * Lets the statements that follow read a batch by that name, until it is taken away; for a
 * cursor until that is closed.
 */
extern void josch_store_template_name_rows(const TemplateBatch *batch, const char *name);
extern void josch_store_template_forget_name(const char *name);

/* ---- store_template_diff.c ---- */

/* How a row of a batch differs from what is stored; texts live until the next one. */
typedef struct TemplateDifference
{
	bool		is_new;
	bool		is_gone;
	char	   *key[TEMPLATE_MAX_KEYS]; /* in the table's order */
	char	   *names[TEMPLATE_MAX_KEYS];	/* of a node: of its second key; of a dependency: of parent and child, NULL where nobody knows */
	int			ncolumns;		/* those that are no key */
	const char *const *columns;
	char	  **before;			/* NULL: SQL NULL */
	char	  **after;
} TemplateDifference;

typedef void (*TakeTemplateDifference) (const TemplateDifference *difference, void *arg);

/*
 * Calls "take" for each row that an upsert would insert or change and, with "deletes", that
 * would be deleted (of the scope, when there is one), in the order of the keys, or of the
 * names.  nodes: what the batches are to bring, for the names; may be NULL.
 */
extern void josch_store_template_differences(const TemplateBatch *batch, const TemplateBatch *nodes, bool deletes,
											 const TemplateScope *scope, TakeTemplateDifference take, void *arg);

/* Rows for an export, in the order that makes a good diff. */
typedef struct TemplateRows
{
	int			ncolumns;
	char	  **columns;
	uint64		nrows;
	char	 ***fields;			/* [row][column], NULL for SQL NULL */
} TemplateRows;

/*
 * The seed's columns, and each other one, or with all false each in which a row
 * differs from the column's default.  All calls of one statement see the same snapshot.
 */
extern TemplateRows *josch_store_template_export(const TemplateTable *table, bool all, MemoryContext context);

#endif							/* JOSCH_STORE_TEMPLATE_H */
