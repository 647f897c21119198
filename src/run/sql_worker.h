/*
 * src/run/sql_worker.h
 *	  Background workers that execute SQL nodes, each as the node's owner.
 *
 * The scheduler hands a run over and hears nothing but a wake: the
 * worker writes the outcome itself, for an atomic run in the transaction of the
 * run's own work.  Only of a run whose worker ended without an outcome does
 * josch_sql_worker_collect tell.
 */
#ifndef JOSCH_SQL_WORKER_H
#define JOSCH_SQL_WORKER_H

#include "base/josch.h"

#include "nodes/pg_list.h"

#include "base/shared.h"

/* ---- for the scheduler; none needs a transaction ---- */

/*
 * Hands a run, whose intent is committed, to a worker of that owner: one that is
 * idle, else a new one.  False when there is no place now; a worker that leaves
 * wakes the scheduler, which then tries again, and josch_sql_worker_retry_ms says
 * when to try without being woken.  An owner that cannot connect is a loss, told
 * by josch_sql_worker_collect.
 */
extern bool josch_sql_worker_start(int64 run_id, Oid owner, bool atomic);

/* Milliseconds after which to try again what found no place; -1: wait to be woken. */
extern long josch_sql_worker_retry_ms(void);

/* The last start found no background worker slot. */
extern bool josch_sql_worker_is_short(void);

/* True from josch_sql_worker_start until the worker is done with it or gone. */
extern bool josch_sql_worker_running(int64 run_id);

/*
 * Cancels a run.  Why is for the worker to say: it reads runs.stop_requested_by
 * and runs.timed_out, so these are committed first.
 */
extern void josch_sql_worker_cancel(int64 run_id);

/* A run whose worker ended without recording an outcome. */
typedef struct JoschSqlLost
{
	int64		run_id;
	bool		atomic;			/* then nothing of it is left */
	bool		begun;			/* else nothing was executed */
	char		reason[JOSCH_SQL_REASON_MAX];	/* why, in words */
} JoschSqlLost;

/*
 * The losses since the last call, a List of JoschSqlLost, palloc'd.  A worker may
 * have died right after its commit, so the caller takes only runs that are open.
 */
extern List *josch_sql_worker_collect(void);

/* ---- for all ---- */

/*
 * Asks one idle worker to go, unless one is on its way out already: one of this
 * database, or of any when the server as a whole has no slot left.
 */
extern void josch_sql_worker_make_room(bool anywhere);

/* The workers of a database: how many there are, how many have a run. */
extern void josch_sql_worker_count(Oid database, int *present, int *busy);

/*
 * Sends the idle workers of a database away; returns how many are still on their
 * way out.
 */
extern int	josch_sql_worker_dismiss(Oid database);

extern PGDLLEXPORT void josch_sql_worker_main(Datum place);

/* ---- between the files of the worker ---- */

/* sql_worker_run.c: executes the slot's run and records its outcome; false when it was not executed. */
extern bool josch_sql_worker_execute(JoschSqlSlot *slot, bool atomic);

/*
 * sql_worker_output.c: what the SQL of a run says (notices, errors, command
 * tags, first rows) is kept, its end at least.  From _start on, the process
 * takes the place of its own client.
 */
struct _DestReceiver;
extern void josch_sql_worker_output_start(void);
extern void josch_sql_worker_output_reset(void);
extern void josch_sql_worker_output_line(const char *line);
extern char *josch_sql_worker_output_tail(void);	/* palloc'd, NULL for nothing */
extern const char *josch_sql_worker_output_error(void); /* the last error's message, "" for none */
extern struct _DestReceiver *josch_sql_worker_output_receiver(void);

#endif							/* JOSCH_SQL_WORKER_H */
