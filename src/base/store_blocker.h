/*
 * src/base/store_blocker.h
 *	  Who blocks whom: the sessions that hold what others wait for.
 */
#ifndef JOSCH_STORE_BLOCKER_H
#define JOSCH_STORE_BLOCKER_H

#include "base/josch.h"

#include "storage/lock.h"

/* Who holds a lock. */
typedef struct JoschBlocker
{
	int32		pid;			/* 0: a prepared transaction */
	char	   *user_name;
	TimestampTz since;			/* when its transaction began; 0: not known */
	bool		idle;			/* it does nothing: its transaction is open and forgotten */
	char	   *gid;			/* of a prepared transaction */
} JoschBlocker;

/* Somebody who waits for a lock on something of JOSCH's, and one of those who hold it. */
typedef struct JoschWaiter
{
	int32		pid;
	TimestampTz since;
	char	   *user_name;
	JoschBlocker blocker;
} JoschWaiter;

/* The others who hold a lock, palloc'd. */
extern JoschBlocker *josch_store_blockers(const LOCKTAG *tag, int *n);

/*
 * Those whose transaction has locked rows or tables of JOSCH's in this database for
 * a second or more, palloc'd: among them are those for whom the scheduler, which
 * does not wait, sets something aside.
 */
extern JoschBlocker *josch_store_blocker_table_holders(int *n);

/* All who have been waiting in this database for a second or more, by pid, palloc'd. */
extern JoschWaiter *josch_store_blocker_waiters(int *n);

/* "session 4711 of user "nina", idle in a transaction that began at 2026-11-20 12:00:00+00", palloc'd. */
extern char *josch_store_blocker_text(const JoschBlocker *blocker);

#endif							/* JOSCH_STORE_BLOCKER_H */
