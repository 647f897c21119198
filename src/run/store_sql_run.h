/*
 * src/run/store_sql_run.h
 *	  SQL of the workers that execute SQL nodes: one run each.
 *
 * Every function opens and closes SPI itself, as the schema's owner,
 * and expects engine mode.  Results are palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_SQL_RUN_H
#define JOSCH_STORE_SQL_RUN_H

#include "base/josch.h"

#include "run/store_run.h"

/* What a worker has to know of its run. */
typedef struct StoreSqlRun
{
	int64		run_id;
	NodeKey		key;
	int			attempt;
	Oid			owner;			/* InvalidOid: the role does not exist any more */
	char	   *sql;			/* NULL: somebody took it out */
	bool		has_timeout;	/* counts from this start */
} StoreSqlRun;

/*
 * Records that the run has started here.  NULL, and nothing recorded, when it is
 * not to be started (any more).  A run that had started before is taken only
 * with "again": when nothing of that start can be left.
 */
extern StoreSqlRun *josch_store_sql_run_begin(int64 run_id, TimestampTz now, int32 pid, const char *host, bool again);

/*
 * Records that the run is executed once more, and why: in the run, and in its node
 * unless somebody holds that.  False when the run is not open any more, or is to
 * be stopped.
 */
extern bool josch_store_sql_run_again(const StoreSqlRun *run, const char *message);

/*
 * Locks the node, then the run, waiting for whoever holds them: the order in
 * which people's acts lock.  False when the run is not open any more.
 */
extern bool josch_store_sql_run_lock(int64 run_id, NodeKey key, StoreOpenRun *open);

#endif							/* JOSCH_STORE_SQL_RUN_H */
