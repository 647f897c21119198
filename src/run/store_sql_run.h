/*
 * src/run/store_sql_run.h
 *	  SQL of the workers that execute SQL nodes: one run each; and what the
 *	  scheduler hears of them.
 *
 * Past the planner what each run needs: its worker's session is a user's, whose plans
 * are thrown away after each run.  Every function expects engine mode.  Results are
 * palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_SQL_RUN_H
#define JOSCH_STORE_SQL_RUN_H

#include "base/josch.h"

#include "base/node_key.h"
#include "wire/protocol.h"

/* ---- for the worker ---- */

/* What a worker has to know of its run. */
typedef struct StoreSqlRun
{
	int64		run_id;
	int64		nonce;
	NodeKey		key;
	int			attempt;
	Oid			owner;			/* InvalidOid: the role does not exist any more */
	char	   *sql;			/* NULL: somebody took it out */
	bool		has_timeout;	/* counts from this start */
	int			tries;			/* executions, this one included */
} StoreSqlRun;

/*
 * Records that the run has started here.  NULL, and nothing recorded, when it is
 * not to be started (any more).  A run that had started before is taken only
 * with "again": when nothing of that start can be left.
 */
extern StoreSqlRun *josch_store_sql_run_begin(JoschRunKey key, TimestampTz now, int32 pid, const char *host, bool again);

/*
 * Records that the run is executed once more, and why: in the run, and in its node
 * unless somebody holds that.  False when the run is not open any more, or is to
 * be stopped.
 */
extern bool josch_store_sql_run_again(const StoreSqlRun *run, const char *message);

/* How a run ended. */
typedef struct StoreSqlEnd
{
	int64		run_id;
	int64		nonce;
	bool		succeeded;
	int			sqlstate;		/* of the error; 0: none, or not known */
	TimestampTz ended_at;
	double		cpu_seconds;
	char	   *message;		/* or NULL */
	char	   *output_tail;	/* or NULL */
	char	   *report;			/* what it has said of itself; or NULL */
} StoreSqlEnd;

/*
 * Records the end, in josch.sql_ends; false when the run is not open any more.
 * Waits for nobody and conflicts with nobody, at any isolation level.
 */
extern bool josch_store_sql_run_end(const StoreSqlEnd *end);

/* What ALTER ROLE and ALTER DATABASE have set for a user here, in one text. */
extern char *josch_store_sql_run_settings(Oid database, Oid user);

/* ---- for the scheduler ---- */

/* Of these runs, the ends that are recorded and not yet in josch.runs. */
extern StoreSqlEnd *josch_store_sql_run_ends(const JoschRunKey *runs, int n, int *found);

/* The ends of these runs are in josch.runs now. */
extern void josch_store_sql_run_forget_ends(const int64 *run_ids, int n);

/* Drops the ends of runs that are not open. */
extern void josch_store_sql_run_forget_closed(void);

#endif							/* JOSCH_STORE_SQL_RUN_H */
