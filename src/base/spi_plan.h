/*
 * src/base/spi_plan.h
 *	  SQL from C: prepared once, run as the owner of the schema.
 *
 * A store_*.c file declares each statement as a static JoschPlan and
 * calls josch_spi_run inside a josch_spi_begin / josch_spi_end bracket.
 *
 *	static JoschPlan node_state = JOSCH_PLAN(
 *		"SELECT state FROM josch.nodes WHERE node_id = $1 AND job_date = $2",
 *		INT8OID, DATEOID);
 */
#ifndef JOSCH_SPI_PLAN_H
#define JOSCH_SPI_PLAN_H

#include "base/josch.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

/* In force while statements run as the owner. */
#define JOSCH_SEARCH_PATH "pg_catalog, pg_temp"

#define JOSCH_PLAN_MAX_ARGS 24

typedef struct JoschPlan
{
	const char *sql;
	int			nargs;
	Oid			argtypes[JOSCH_PLAN_MAX_ARGS];
	SPIPlanPtr	plan;			/* kept for the life of the process */
} JoschPlan;

#define JOSCH_PLAN(text, ...) \
	{ .sql = (text), \
	  .nargs = (int) (sizeof((const Oid[]){__VA_ARGS__}) / sizeof(Oid)), \
	  .argtypes = {__VA_ARGS__} }
#define JOSCH_PLAN0(text) { .sql = (text), .nargs = 0 }

/* What josch_spi_begin changed and josch_spi_end puts back. */
typedef struct JoschSpi
{
	Oid			user;
	int			sec_context;
	int			guc_level;
} JoschSpi;

/*
 * Opens SPI as the owner of schema josch, with search_path pinned to
 * pg_catalog, so that neither the caller's rights nor its operators matter.
 * After an ERROR the abort of the (sub)transaction puts everything back.
 * Results live in SPI's memory context and die in josch_spi_end: what must
 * survive is allocated in a context that was remembered before begin.
 */
extern void josch_spi_begin(JoschSpi *spi);

/* The same with the caller's own rights. */
extern void josch_spi_begin_as_caller(JoschSpi *spi);

/* With the caller's rights and search_path: for a query that the caller wrote, and for no text of ours. */
extern void josch_spi_begin_callers_query(JoschSpi *spi);

extern void josch_spi_end(JoschSpi *spi);

/* User and search_path alone, for what is done without SPI. */
extern void josch_spi_become_owner(JoschSpi *spi);
extern void josch_spi_put_back(JoschSpi *spi);

/*
 * Runs the plan (preparing it at first use), expecting SPI result code
 * "expect" (SPI_OK_SELECT, SPI_OK_UPDATE_RETURNING...).  nulls is NULL or as in
 * SPI_execute_plan.  Returns the number of rows; rows are in SPI_tuptable.
 */
extern uint64 josch_spi_run(JoschPlan *plan, int expect, const Datum *args, const char *nulls);

/* The same for a SELECT that sees what the caller's statement sees, and no more: also in a parallel worker. */
extern uint64 josch_spi_read(JoschPlan *plan, const Datum *args, const char *nulls);

/*
 * The same for a SELECT that sees all that is committed at this moment, even
 * in a REPEATABLE READ transaction: for checks that hold a lock.
 */
extern uint64 josch_spi_run_latest(JoschPlan *plan, const Datum *args, const char *nulls);

/* The same for a statement that changes rows; its triggers fire. */
extern uint64 josch_spi_change_latest(JoschPlan *plan, int expect, const Datum *args, const char *nulls);

/*
 * The same as of a snapshot that the caller keeps over several statements, so
 * that they read one version of the tables; what this transaction has written
 * since counts too.
 */
extern uint64 josch_spi_run_at(JoschPlan *plan, Snapshot snapshot, int expect, const Datum *args,
							   const char *nulls);

/*
 * The same for a SELECT whose rows are fetched as they are needed (SPI_cursor_fetch), and
 * never all in memory.  The caller closes it, before josch_spi_end.
 */
extern Portal josch_spi_open_at(JoschPlan *plan, Snapshot snapshot, const Datum *args, const char *nulls);

/* Owner of the tables: whose rights the extension's own statements have. */
extern Oid	josch_spi_owner(void);

/*
 * Columns of SPI_tuptable, by 1-based number.  _text returns a palloc'd copy in
 * the current context, NULL for SQL NULL; the others return if_null for it.
 */
extern int64 josch_spi_int64(uint64 row, int column, int64 if_null);
extern int32 josch_spi_int32(uint64 row, int column, int32 if_null);
extern bool josch_spi_bool(uint64 row, int column, bool if_null);
extern DateADT josch_spi_date(uint64 row, int column, DateADT if_null);
extern char *josch_spi_text(uint64 row, int column);

/* Puts a text, or NULL for SQL NULL, into a statement's arguments. */
extern void josch_spi_set_text(Datum *args, char *nulls, int i, const char *text);

/* One-dimensional arrays from C arrays, palloc'd in the current context. */
extern Datum josch_spi_int64_array(const int64 *values, int n);
extern Datum josch_spi_date_array(const DateADT *values, int n);
extern Datum josch_spi_text_array(char *const *values, int n);	/* NULL pointer: SQL NULL */

/* The same of any type; a true in nulls (or NULL for none) is SQL NULL. */
extern Datum josch_spi_array(Datum *values, bool *nulls, int n, Oid type);

/* The two arrays (node_id, job_date) of a list of keys, as args[0] and args[1]. */
extern void josch_spi_key_arrays(const NodeKey *keys, int n, Datum *args);

#endif							/* JOSCH_SPI_PLAN_H */
