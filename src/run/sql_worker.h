/*
 * src/run/sql_worker.h
 *	  Background workers that execute SQL nodes, each as the node's owner.
 *
 * The scheduler hands a run over, and collects what became of it: the worker
 * writes how it ended into josch.sql_ends, for an atomic run in the transaction
 * of the run's own work, and says in shared memory that it did.
 */
#ifndef JOSCH_SQL_WORKER_H
#define JOSCH_SQL_WORKER_H

#include "base/josch.h"

#include "nodes/pg_list.h"

#include "base/shared.h"
#include "wire/protocol.h"

/* ---- for the scheduler; none needs a transaction ---- */

/*
 * Hands a run, whose intent is committed, to a worker of that owner: one that is
 * idle, else a new one.  False when there is no place now; a worker that leaves
 * wakes the scheduler, which then tries again, and josch_sql_worker_retry_ms says
 * when to try without being woken.  An owner that cannot connect is a loss, told
 * by josch_sql_worker_collect.
 */
extern bool josch_sql_worker_start(JoschRunKey run, Oid owner, bool atomic);

/*
 * Milliseconds after which to try again what found no place, or to call
 * josch_sql_worker_note_rest; -1: wait to be woken.
 */
extern long josch_sql_worker_retry_ms(void);

/* Nothing waits for a worker: called whenever that may have changed. */
extern void josch_sql_worker_note_rest(void);

/* What the last start did not find, in words; NULL when it went well. */
extern const char *josch_sql_worker_shortage(void);

/* True from josch_sql_worker_start until its outcome is collected. */
extern bool josch_sql_worker_running(JoschRunKey run);

/*
 * Ends a run: cancels its SQL, once, and terminates its worker when it has not
 * ended after the grace.  To be called again at the moment that is returned;
 * DT_NOEND when there is nothing left to do.
 */
extern TimestampTz josch_sql_worker_cancel(JoschRunKey run, int64 grace_ms);

/* What is known of a run that its worker has done with, or left. */
typedef struct JoschSqlOutcome
{
	JoschRunKey run;
	Oid			owner;
	bool		atomic;			/* then nothing is left of what has not succeeded */
	bool		begun;			/* else nothing was executed */
	long		took_ms;		/* since it was given to the worker */
	bool		never_came;		/* there was no worker for it, for a reason that passes */
	bool		again;			/* not begun, and to be given to another worker */
	bool		terminated;		/* josch_sql_worker_cancel ended the worker */
	JoschSqlResult result;
	int			sqlstate;		/* of the error; 0: none, or not known */
	char		reason[JOSCH_SQL_REASON_MAX];	/* the error, in words */
} JoschSqlOutcome;

/*
 * The outcomes since the last call, a List of JoschSqlOutcome, palloc'd.  Where
 * josch.sql_ends has a row for the run, it is that which counts: a worker may have
 * died right after its commit.
 */
extern List *josch_sql_worker_collect(void);

/* What SQL that goes on says of itself, as run_report.h reads it. */
typedef struct JoschSqlProgress
{
	JoschRunKey run;
	char		lines[JOSCH_SQL_PROGRESS_MAX];
} JoschSqlProgress;

/* All that is new, of each run once a second; *next: when to ask again without being woken.  A List of JoschSqlProgress, palloc'd. */
extern List *josch_sql_worker_progress(TimestampTz *next);

/* ---- for all ---- */

/*
 * Asks one idle worker to go, unless one is on its way out already: one of this
 * database, or of any when the server as a whole has no slot left.
 */
extern void josch_sql_worker_make_room(bool anywhere);

/* The workers of a database: how many there are, how many have a run. */
extern void josch_sql_worker_count(Oid database, int *present, int *busy);

/* The runs that a database's workers have: "run 5 (process 4711), ...", some of them, and how many; palloc'd. */
extern char *josch_sql_worker_names(Oid database, int *n);

/*
 * Sends the idle workers of a database away; returns how many are still on their
 * way out.
 */
extern int	josch_sql_worker_dismiss(Oid database);

extern PGDLLEXPORT void josch_sql_worker_main(Datum place);

/* ---- between the files of the worker ---- */

/*
 * sql_worker_share.c: whether this database may have one worker more, apart from those
 * that it has just taken, or others are to have theirs first; for whom a worker leaves
 * whose run is over, InvalidOid: it stays.  Both need the lock.
 */
extern bool josch_sql_worker_may_have_more(int taken, TimestampTz now);
extern Oid	josch_sql_worker_whose_turn(TimestampTz now);

/* A start found no slot; or went well. */
extern void josch_sql_worker_note_shortage(TimestampTz now);
extern void josch_sql_worker_note_start(void);

/* What fails for a reason that passes by itself is executed so often at most; so is what crashes of the server undo. */
#define JOSCH_SQL_MAX_TRIES 6

/* One run, from begin to end. */
typedef struct JoschSqlWork
{
	struct StoreSqlRun *run;
	JoschSqlSlot *slot;			/* of this worker, in shared memory */
	bool		atomic;
	int			tries;			/* executions so far, this one included */
	char	   *error;			/* of the last execution that failed, in words; NULL: none has */
	int			sqlstate;		/* its code; 0: the last execution succeeded */
	double		cpu_before;
	MemoryContext context;		/* lasts until the end is recorded */
} JoschSqlWork;

/* sql_worker_run.c: executes the slot's run and records its end; false when it was not executed. */
extern bool josch_sql_worker_execute(JoschSqlSlot *slot, bool atomic);

/* SIGINT: a cancel of the SQL, while there is any. */
extern void josch_sql_worker_handle_cancel(SIGNAL_ARGS);

/*
 * sql_worker_text.c: executes the user's statements.  Of an atomic text "write" is
 * called in its transaction, when all that it did is done.
 */
extern void josch_sql_worker_execute_text(const char *sql, bool atomic, void (*write) (void *argument), void *argument);

/*
 * sql_worker_book.c: what is written down, each in a transaction of its own but
 * for _end.  An ERROR means that nothing was.
 */
struct StoreSqlEnd;
extern void josch_sql_worker_begin(JoschSqlWork *work); /* sets run, unless it is not to be executed */
extern void josch_sql_worker_begin_again(JoschSqlWork *work, const char *message);
extern void josch_sql_worker_end(const JoschSqlWork *work, const struct StoreSqlEnd *end);
extern void josch_sql_worker_end_alone(const JoschSqlWork *work, const struct StoreSqlEnd *end);

/* Leaves nothing of a run to the next one: settings, temporary tables, advisory locks, prepared statements. */
extern void josch_sql_worker_reset_session(void);

/*
 * sql_worker_report.c: a line that the SQL says of itself; false when this process executes no run.
 * What was kept of all lines since _begin, palloc'd, NULL for nothing.
 */
extern bool josch_sql_worker_report(const char *line, int length, bool *understood);
extern void josch_sql_worker_report_begin(JoschSqlSlot *slot);
extern void josch_sql_worker_report_end(void);
extern char *josch_sql_worker_report_lines(void);

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
extern int	josch_sql_worker_output_sqlstate(void); /* its code, 0 for none */
extern bool josch_sql_worker_output_limit_reached(void); /* it is a FATAL, of a limit such as transaction_timeout */
extern bool josch_sql_worker_output_shortage(void); /* it is a FATAL that another worker may not meet */
extern struct _DestReceiver *josch_sql_worker_output_receiver(void);

#endif							/* JOSCH_SQL_WORKER_H */
