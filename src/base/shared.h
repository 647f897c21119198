/*
 * src/base/shared.h
 *	  The module's shared memory: one struct, all that processes tell each other.
 *
 * There is shared memory only when the library is loaded by
 * shared_preload_libraries; else josch_shared stays NULL, and whoever uses it
 * has to do without.
 */
#ifndef JOSCH_SHARED_H
#define JOSCH_SHARED_H

#include "base/josch.h"

#include "storage/latch.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

#include "base/node_key.h"
#include "base/outbox.h"
#include "base/wake.h"

#define JOSCH_MAX_HOLDS 64
#define JOSCH_SQL_REASON_MAX 256

/* One database; given away again when nobody is there and nothing is to be told (wake.c). */
typedef struct JoschPlace
{
	JoschSchedulerStatus status;
	Latch	   *latch;			/* NULL when nobody is there */
	pg_atomic_uint32 wakes;		/* how often it was woken so far */
	pg_atomic_uint32 quiet_wakes;	/* and how often by one who had changed no node */
	pg_atomic_uint32 world_changes; /* how often others have begun to wait for a file or a query, or ceased to */
	pg_atomic_uint32 data_changes;	/* how often a table has changed that queries are asked about */
	pg_atomic_uint32 day_wakes; /* and how often since days may be due at other times */
	JoschDaysFound days_found;
	JoschNews	news;
	bool		uses_spool;		/* its scheduler has runs open, or has not looked yet */
	TimestampTz sql_waits_since;	/* for a background worker slot for its SQL; 0: it does not (run/sql_worker_share.c) */
	TimestampTz sql_asked_at;	/* when it asked last */
} JoschPlace;

/* base/spool.c */
typedef struct JoschSpool
{
	char		path[MAXPGPATH];	/* in use; empty before the launcher has begun */
	bool		waiting;		/* the launcher waits for the last user */
	bool		changing;		/* it is being replaced: nobody begins to use it */
} JoschSpool;

typedef struct JoschHold
{
	Oid			database;		/* InvalidOid: free */
	pid_t		pid;			/* who holds it */
} JoschHold;

typedef enum JoschSqlSlotState
{
	SLOT_FREE,
	SLOT_RUN,					/* has a run; pid 0: the worker has not come yet */
	SLOT_OVER,					/* the run has ended, and the scheduler has not heard of it yet */
	SLOT_IDLE,
	SLOT_LEAVING,				/* idle, and asked to go */
	SLOT_LOST					/* as SLOT_RUN or SLOT_OVER, but the worker is gone */
} JoschSqlSlotState;

typedef enum JoschSqlResult
{
	SQL_RESULT_OPEN,			/* nothing is known */
	SQL_RESULT_DONE,			/* all is done, and committed */
	SQL_RESULT_FAILED			/* it ended with an error */
} JoschSqlResult;

/* A line of progress with all that may be in it. */
#define JOSCH_SQL_PROGRESS_MAX 256

/* One SQL worker (run/sql_worker.c). */
typedef struct JoschSqlSlot
{
	JoschSqlSlotState state;
	int64		generation;		/* counts the workers of this slot */
	Oid			database;
	Oid			owner;
	pid_t		pid;
	Latch	   *latch;
	pid_t		registrar;		/* the scheduler that registered the worker */
	TimestampTz registered_at;
	Oid			wanted_by;		/* a database that waits for the worker to go */

	/* its run */
	int64		run_id;
	int64		nonce;
	TimestampTz given_at;
	bool		atomic;
	bool		begun;			/* something of it may have been executed */
	bool		passing;		/* the worker ended before it began, for a reason that passes */
	bool		again;			/* the worker has the settings of yesterday: another is to take the run */
	TimestampTz cancelled_at;	/* when it was to be cancelled; 0: it is not */
	bool		terminated;		/* the worker was */
	JoschSqlResult result;
	int			sqlstate;		/* of the error; 0: none, or not known */
	char		reason[JOSCH_SQL_REASON_MAX];

	/* what it says of itself while it goes on */
	bool		progress_is_new;	/* the scheduler has not taken it yet */
	TimestampTz progress_heard_at;	/* when he took the last; 0: none */
	char		progress[JOSCH_SQL_PROGRESS_MAX];
} JoschSqlSlot;

/* Queries of one owner on their way to a worker that judges them, and back (server/scheduler_judge.c). */
#define JOSCH_JUDGES 16
#define JOSCH_JUDGE_KEYS 32
#define JOSCH_JUDGE_TEXT 256

typedef enum JoschJudgement
{
	JUDGEMENT_NONE,				/* not asked */
	JUDGEMENT_FALSE,
	JUDGEMENT_TRUE,
	JUDGEMENT_ERROR,			/* text says which */
	JUDGEMENT_OVER				/* it does not wait for that any more */
} JoschJudgement;

typedef struct JoschJudge
{
	Oid			database;		/* InvalidOid: free */
	Oid			owner;
	int64		generation;		/* of its worker */
	int			n;
	NodeKey		keys[JOSCH_JUDGE_KEYS];
	uint64		queries[JOSCH_JUDGE_KEYS];	/* hashes */
	int			at;				/* the one that is asked; n: none any more */
	TimestampTz since;			/* since when that is */
	JoschJudgement judgements[JOSCH_JUDGE_KEYS];
	char		texts[JOSCH_JUDGE_KEYS][JOSCH_JUDGE_TEXT];
} JoschJudge;

typedef struct JoschShared
{
	JoschLauncherStatus launcher;
	Latch	   *launcher_latch;
	bool		scheduler_waits;	/* for a background worker slot, which comes before any SQL worker's */
	JoschSpool	spool;
	JoschHold	holds[JOSCH_MAX_HOLDS];
	JoschOutbox outbox;
	JoschPlace	places[JOSCH_MAX_DATABASES];
	int64		judge_generations;
	JoschJudge	judges[JOSCH_JUDGES];
	int64		sql_generations;	/* workers registered so far */
	JoschSqlSlot sql_slots[FLEXIBLE_ARRAY_MEMBER];	/* max_worker_processes */
} JoschShared;

extern JoschShared *josch_shared;

/*
 * Guards all of it but the outbox.  Held for a few memory accesses only: never across anything
 * that may wait, raise an error or run for long.
 */
extern LWLock *josch_shared_lock;

/* Guards the outbox, which is read as a whole: who wakes somebody does not wait for that.  Neither is taken within the other. */
extern LWLock *josch_outbox_lock;

/* Installs the hooks; called once from _PG_init. */
extern void josch_shared_init(void);

#endif							/* JOSCH_SHARED_H */
