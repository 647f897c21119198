/*
 * src/base/spool.h
 *	  The spool directory in use: one for all processes, changed over at one moment.
 */
#ifndef JOSCH_SPOOL_H
#define JOSCH_SPOOL_H

#include "base/josch.h"

#include "nodes/pg_list.h"

/* The spool in use as an absolute path, palloc'd; without shared memory, the one that is set. */
extern char *josch_spool_path(void);

/* What the setting says, when it is not what is in use; else NULL. */
extern char *josch_spool_wanted(void);

/* OIDs of the databases for whose open runs a change waits. */
extern List *josch_spool_users(void);

/* josch.work_directory as an absolute path: the spool in use when it is empty; palloc'd */
extern char *josch_spool_work_path(void);

/*
 * Called by a scheduler before its pass: until the release, the spool does not
 * change.  True when it is the one of that path, so that commands may be sent
 * there; path may be NULL.
 */
extern bool josch_spool_use(const char *path);

/* After a pass that left no run open. */
extern void josch_spool_release(void);

/* Called by the launcher: at its start, and when all schedulers are there and the setting may be another. */
extern void josch_spool_begin(void);
extern void josch_spool_change_over(void);

#endif							/* JOSCH_SPOOL_H */
