/*
 * src/server/store_health.h
 *	  SQL for those who look: the extension's version, where a run's log is.
 *
 * Layer 3.  Results are palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_HEALTH_H
#define JOSCH_STORE_HEALTH_H

#include "base/josch.h"

/* The version of the extension's SQL in this database; NULL when it is not created. */
extern char *josch_store_health_version(void);

typedef struct StoreRunLog
{
	char	   *log;			/* relative to the spool; NULL: none (SQL, or not started) */
	char	   *output_tail;	/* or NULL */
	bool		open;			/* the run has not ended */
} StoreRunLog;

/* False when the run does not exist. */
extern bool josch_store_health_run_log(int64 run_id, StoreRunLog *log);

#endif							/* JOSCH_STORE_HEALTH_H */
