/*
 * src/base/wake.h
 *	  Shared memory: who is there, and how a commit wakes the scheduler.
 *
 * Without shared_preload_libraries there is no shared memory:
 * josch_wake_is_preloaded() is false, wakes do nothing, reads find nobody.
 */
#ifndef JOSCH_WAKE_H
#define JOSCH_WAKE_H

#include "base/josch.h"

#define JOSCH_MAX_DATABASES 256
#define JOSCH_WAIT_MAX 128

/* What one scheduler says of itself; a copy, for josch.health(). */
typedef struct JoschSchedulerStatus
{
	Oid			database;		/* InvalidOid: free place */
	pid_t		pid;			/* 0 when it is not running */
	TimestampTz started_at;
	TimestampTz last_pass_at;	/* 0 before the first */
	int64		passes;
	int32		running;		/* open runs after the last pass */
	int32		set_aside;		/* nodes that somebody's transaction holds */
	int32		strays;			/* commands that the runner has for nobody here */
	pid_t		runner_pid;		/* 0 when no runner answers */
	TimestampTz runner_since;
	char		runner_version[32];
	char		trouble[JOSCH_WAIT_MAX];	/* the error for which the last pass, or nodes in it, are tried again; or empty */
	bool		silent;			/* the runner has not answered for too long */
	char		commands_wait[JOSCH_WAIT_MAX];	/* what commands wait for, in words; empty: nothing */
	char		sql_wait[JOSCH_WAIT_MAX];	/* the same for SQL */
	char		files_wait[JOSCH_WAIT_MAX];	/* what the system is short of to tell of files that are waited for; or empty */
	char		judges_wait[JOSCH_WAIT_MAX];	/* the same for whoever judges wait_sql */
	char		days_wait[JOSCH_WAIT_MAX];	/* the same for days that are due */
	char		alarms_wait[JOSCH_WAIT_MAX];	/* why alarms, or what is told of them, could not be written down; empty: they can */
} JoschSchedulerStatus;

typedef struct JoschLauncherStatus
{
	pid_t		pid;
	TimestampTz started_at;
} JoschLauncherStatus;

/* Registers the shared memory and the commit callback; called once from _PG_init. */
extern void josch_wake_init(void);

extern bool josch_wake_is_preloaded(void);

/*
 * Asks that this transaction, when it commits, wakes the scheduler of this
 * database; or the launcher.  Cheap, may be called any number of times; a
 * rollback wakes nobody, unless the scheduler has set rows aside that the
 * rollback may free.  A wake without need must be harmless.
 *
 * A transaction that is prepared (PREPARE TRANSACTION) wakes nobody: nothing of
 * it can be seen yet.  COMMIT PREPARED and ROLLBACK PREPARED wake the scheduler
 * of their database whatever the transaction did (launcher.c).
 */
extern void josch_wake_scheduler_at_commit(void);
extern void josch_wake_launcher_at_commit(void);

/* The same, and tells the scheduler that days may be due at other times: by templates or calendars. */
extern void josch_wake_days_at_commit(void);

/* Those that wait for a file or a query may be others than before; wakes nobody by itself. */
extern void josch_wake_world_at_commit(void);

/* Data that queries are asked about (josch.watch) may have changed. */
extern void josch_wake_data_at_commit(void);

/* There is something to be told (base/outbox.h), and no node has changed. */
extern void josch_wake_quietly_at_commit(void);

/* Wakes at once (from a hook), whatever has changed. */
extern void josch_wake_scheduler_now(Oid database);

/* The same for a SQL worker: its slot says what there is to be heard, and no node has changed. */
extern void josch_wake_scheduler_quietly(Oid database);

/*
 * Whether this process was woken since it last asked what for.  The counts tell, not
 * the latch alone: who waits for a lock within a pass takes that back, too.
 */
extern bool josch_wake_is_unheard(void);

/* For the scheduler: false when all who have woken it since it asked last did so quietly. */
extern bool josch_wake_was_for_more(void);

/* For the scheduler: true when days may be due at other times since it asked last, or when it has not asked yet. */
extern bool josch_wake_was_for_days(void);

/* The same of the world: whether others wait than before, and whether data has changed. */
extern void josch_wake_was_for_world(bool *others, bool *data);

/* When the next days of a database are due, as a worker has found. */
typedef struct JoschDaysFound
{
	TimestampTz found_at;		/* 0: nothing was found out */
	bool		more;			/* it ended before it had tried all: another is to go on */
	TimestampTz overdue;		/* the earliest that it had to leave; DT_NOEND: none */
	TimestampTz due_at;			/* the earliest that is to come; DT_NOEND: none */
} JoschDaysFound;

/* The worker tells; the scheduler takes what was told since it took it last. */
extern void josch_wake_tell_days(const JoschDaysFound *found);
extern JoschDaysFound josch_wake_take_days(void);
extern void josch_wake_launcher_now(void);

/*
 * Called by a scheduler (launcher) at its start: publishes its latch, and takes
 * it back at exit.  False when another one is there for this database, when the
 * database is held (below), or when JOSCH_MAX_DATABASES are taken: then exit.
 */
extern bool josch_wake_attach_scheduler(void);
extern bool josch_wake_attach_launcher(void);

/* Whether this process is the attached scheduler of its database. */
extern bool josch_wake_is_scheduler(void);

/*
 * What an attached scheduler found when it looked for the extension: called
 * once after the start, and again with false before it exits because the
 * extension was dropped.  After false, the launcher starts no scheduler in this
 * database until it is announced.
 */
extern void josch_wake_report_extension(bool present);

/*
 * Whether some database's scheduler waits for a background worker slot: the
 * launcher says so, SQL workers make room, health tells.
 */
extern void josch_wake_report_scheduler_waits(bool waits);
extern bool josch_wake_scheduler_waits(void);

/* The scheduler's own report after a pass: copies all but database, pid and started_at. */
extern void josch_wake_report(const JoschSchedulerStatus *status);

/*
 * Copies what is known; false when nobody is there now (what is known of the
 * last one is copied all the same, with pid 0).
 */
extern bool josch_wake_read_scheduler(Oid database, JoschSchedulerStatus *status);
extern bool josch_wake_read_launcher(JoschLauncherStatus *status);

/* Asks that this transaction, when it commits, tells the launcher that this database has the extension. */
extern void josch_wake_announce_at_commit(void);

/* What the launcher has not been told yet of a database. */
typedef struct JoschNews
{
	bool		announced;		/* somebody created the extension */
	bool		present;		/* a scheduler looked: there */
	bool		absent;			/* a scheduler looked: not there */
	bool		dismissed;		/* the scheduler was asked to step aside */
} JoschNews;

/* Returns the news of a database, and forgets them. */
extern JoschNews josch_wake_take_news(Oid database);

/*
 * While a database is held no scheduler can attach to it: for DROP DATABASE and
 * the like.  A hold ends with the transaction, or the process, that took it;
 * then the launcher is woken.  False when there is no place for another hold.
 * *scheduler is the one that has to go, 0 when there is none.
 */
extern bool josch_wake_hold(Oid database, pid_t *scheduler);
extern bool josch_wake_is_held(Oid database);

#endif							/* JOSCH_WAKE_H */
