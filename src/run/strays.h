/*
 * src/run/strays.h
 *	  What the runner still has for nobody: commands that live, and whose runs are
 *	  not open in any database.
 */
#ifndef JOSCH_STRAYS_H
#define JOSCH_STRAYS_H

#include "base/josch.h"

#include "run/runner_client.h"

/* Texts are palloc'd, in the database's encoding. */
typedef struct Stray
{
	JoschRunKey key;
	Oid			database;		/* whose it was; it may be gone */
	char	   *database_name;
	char	   *token;			/* of another installation of this database, or of one that is gone; else NULL */
	int32		pid;			/* 0: not known */
	TimestampTz started_at;		/* 0: not known */
	char	   *log;			/* relative to the spool */
} Stray;

/*
 * Asks the runner for the commands that live, and whose runs are not open: of this
 * database, and of databases of this server that are gone.  Waits up to so many
 * milliseconds; NIL and *reason when it does not answer.
 */
extern List *josch_strays_ask(long limit_ms, char **reason);

/* All commands that live of a database, which need not have the extension, nor its tables as they should be. */
extern List *josch_strays_of(Oid database, long limit_ms, char **reason);

/* Has one ended: TERM, and KILL after the grace.  False and *reason when the runner does not answer. */
extern bool josch_strays_end(const Stray *stray, int64 grace_ms, long limit_ms, char **reason);

/* "run 5 (process 4711, log/.../1.1.5-....log)"; palloc'd */
extern char *josch_strays_describe(const Stray *stray);

/* A WARNING that names some of them, of what; nothing when there are none. */
extern void josch_strays_warn(List *strays, const char *what);

#endif							/* JOSCH_STRAYS_H */
