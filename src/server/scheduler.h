/*
 * src/server/scheduler.h
 *	  The scheduler: one background worker for each database.
 *
 * Started by the launcher by name.  What follows the entry is shared by
 * the files of the scheduler alone: scheduler.c (the loop and its pass),
 * scheduler_events.c (what it hears), scheduler_sql.c (its SQL workers),
 * scheduler_days.c (days that are due), scheduler_world.c and scheduler_judge.c (files
 * and queries that nodes wait for), scheduler_send.c (what it sends),
 * scheduler_alarms.c and scheduler_hooks.c (alarms, and whom they are told to),
 * scheduler_version.c (tables of another version).
 */
#ifndef JOSCH_SCHEDULER_H
#define JOSCH_SCHEDULER_H

#include "base/josch.h"

#include "nodes/pg_list.h"
#include "utils/hsearch.h"

#include "alarm/alarm.h"
#include "base/config.h"
#include "base/wake.h"
#include "run/engine.h"
#include "run/run_event.h"
#include "run/runner_client.h"
#include "run/store_run.h"
#include "run/world.h"

/* Entry of the worker; the argument is the database's OID. */
extern PGDLLEXPORT void josch_scheduler_main(Datum database);

/* How long to leave a runner alone that did not answer, at first. */
#define CONNECT_MIN_MS 100

typedef enum RunnerPhase
{
	RUNNER_ABSENT,				/* no connection, or no WELCOME yet */
	RUNNER_LISTING,				/* its list of runs is on the way */
	RUNNER_LISTED,				/* the list is here and to be compared */
	RUNNER_READY				/* both sides agree: launch */
} RunnerPhase;

/* Runs that could not be started for want of something (scheduler_delay.c). */
typedef struct Delays
{
	HTAB	   *runs;
	TimestampTz due_at;			/* when some of them are sent again */
	int			delay_ms;
	int			window;			/* so many together */
	int32		round;			/* each is tried once in a round */
	char		reason[2][JOSCH_WAIT_MAX];	/* the last one: commands, SQL */
} Delays;

/* Nodes that wait for a file or a query (scheduler_world.c, scheduler_judge.c). */
typedef struct World
{
	HTAB	   *waited;			/* Waited, by NodeKey */
	HTAB	   *numbers;		/* of what the runner looks for */
	List	   *facts;			/* WorldFact: not committed yet */
	int64		last_number;
	bool		stale;			/* others may wait than is known */
	bool		could_ask;		/* the runner, at the last turn */
	TimestampTz listed_at;		/* by the system's clock, when they were last listed, */
	int64		listing_ms;		/* and how long that took */
	int			nshort;			/* of which the system cannot tell */
	TimestampTz judge_at;		/* when the next query is to be asked; DT_NOEND: none is */
	TimestampTz judged_at;		/* by the system's clock, when a worker has last ended, */
	int64		judging_ms;		/* and how long it took */
} World;

/* One of them. */
typedef struct Waited
{
	NodeKey		key;			/* the hash key */
	uint64		file;			/* hash of its wait_file; 0: none */
	int64		number;			/* as the runner knows it; 0: it does not, */
	bool		found;			/* or it has found it */
	int64		stable_ms;
	int64		interval_ms;
	uint64		query;			/* hash of its wait_sql; 0: none */
	Oid			owner;
	TimestampTz judge_at;		/* DT_NOEND: it is true */
	bool		judging;
	bool		again;			/* data has changed meanwhile */
	uint64		told;			/* hash of its message; 0: it has none */
	bool		is_short;		/* it is looked for at intervals, for want of something */
	bool		seen;			/* at the last listing */
} Waited;

/* When alarms are looked after (scheduler_alarms.c). */
typedef struct AlarmWatch
{
	AlarmRound	round;
	bool		wanted;			/* something has changed since */
	bool		more;			/* the last look has not seen all */
	bool		held;			/* since one last did somebody held an alarm */
	bool		mended;			/* josch.deadlines, at the start */
	TimestampTz due_at;			/* when the next deadline passes */
	TimestampTz judged_at;		/* the last look, */
	TimestampTz looked_at;		/* by the system's clock, */
	int			rest_ms;		/* and how long none follows it */
	int			error_ms;		/* after one that failed, */
	int			again_ms;		/* or that somebody has kept from clearing an alarm */
	TimestampTz stuck_since;	/* 0: it is not */
	TimestampTz short_since;
} AlarmWatch;

/* What is on its way to hooks (scheduler_hooks.c). */
typedef struct HookBook
{
	HTAB	   *sent;			/* commands, by JoschRunKey */
	List	   *ends;			/* not committed yet */
	bool		loaded;			/* what a scheduler before this one has sent */
	bool		blocked;		/* what waits has its turn when something ends, or a runner comes */
	TimestampTz due_at;			/* when the next has its turn; DT_NOEND: none waits */
	TimestampTz again_at;		/* not before, by the system's clock: the last turn failed */
} HookBook;

/* Everything that one scheduler knows. */
typedef struct Scheduler
{
	MemoryContext context;		/* lives as long as the process */
	MemoryContext scratch;		/* one turn of the loop */
	Oid			extension;		/* InvalidOid before the first look */
	const char *server;			/* identity of this server */
	char	   *database_name;
	bool		looked;			/* at the installation */
	int64		installation;	/* its token; 0: disarmed, nothing is to be done */
	char		token[24];		/* the same for the runner */
	int			foreign;		/* open runs of other installations; -1: not counted yet */
	int64		highest;		/* greatest number of a run that was seen here; -1: not read yet */
	bool		restoring;		/* a dump comes in: the runs of others are judged when it is here */
	bool		replaced;		/* the files were put back from a copy, and what could start is not held back yet */
	char		host[256];
	char		log_folder[32]; /* of its runs, below log/ of the spool */

	struct WaitEventSet *waits; /* what it sleeps on; NULL: to be made anew */
	JoschRunner *runner;
	char	   *spool;			/* where it is, or would be; NULL before the first look */
	RunnerPhase phase;
	HTAB	   *listed;			/* JoschRunKey: runs that the runner knows, while LISTING */
	HTAB	   *living;			/* JoschRunKey: of these, those that have not ended */
	int			others;			/* living runs of other installations of this database */
	TimestampTz list_at;		/* when to ask again what became of strays */
	TimestampTz progress_at;	/* when to ask SQL that goes on for what it says; DT_NOEND: when woken */
	TimestampTz settle_at;		/* begin without having heard what the runner has; 0: that is settled */
	TimestampTz connect_at;		/* when to try again */
	int			connect_ms;
	char	   *complaint;		/* the last reason that was logged */

	List	   *events;			/* RunEvent: not committed yet */
	List	   *unsent_sql;		/* StoreLaunch: no worker was free */
	double		sql_took_ms;	/* what SQL took lately, from hand to hand */
	HTAB	   *stops_sent;		/* JoschRunKey: on this connection */

	Delays		delays;
	World		world;
	TimestampTz silent_since;	/* the runner has had something to answer since; 0: it has answered all */
	bool		silence_untold; /* it does not answer, and the runs that it was given do not say so yet */
	bool		ready_marked;	/* nodes that are ready may say so */
	bool		room_is_low;	/* in the spool's file system, and it was said */

	bool		sql_reconciled; /* once, at the start */
	bool		list_checked;	/* josch.waiting, since this installation acts */
	int			open[QUEUE_LINES];	/* runs that take places */
	QueueMarks	marks;			/* where the next pass looks for what is ready */
	bool		pass_wanted;
	bool		woken;			/* by a commit, or by whoever else sets the latch */
	TimestampTz doubt_at;		/* when it takes itself for woken at the latest */
	TimestampTz look_at;		/* when to look ahead at the latest */
	TimestampTz next_due;		/* as found when it last looked */
	TimestampTz pass_at;		/* next pass at the latest */
	TimestampTz days_at;		/* when the next days are due; DT_NOEND: never */
	bool		days_overdue;	/* some had to be left, */
	int			days_delay_ms;	/* for so long */
	TimestampTz days_found_at;	/* when that was found out */
	TimestampTz days_ended_at;	/* the worker that did, by the system's clock */
	bool		days_stale;		/* all this is to be found out */
	AlarmWatch	alarms;
	HookBook	hooks;
	int			set_aside_ms;
	int			error_ms;		/* how long the last pass that failed was put off */
	JoschSchedulerStatus status;
} Scheduler;

/* ---- scheduler_version.c ---- */

/* Leaves when the extension has been dropped, or was made anew.  Inside a transaction. */
extern void josch_scheduler_check_extension(Scheduler *scheduler);

/* Returns when library and extension are of one version; outside of a transaction. */
extern void josch_scheduler_await_version(Scheduler *scheduler);

/* ---- scheduler_events.c ---- */

/* Takes an event, for the next pass: a copy that lasts until it is committed. */
extern void josch_scheduler_take(Scheduler *scheduler, const RunEvent *event);

/* The same for an end of which only this is known. */
extern void josch_scheduler_take_end(Scheduler *scheduler, JoschRunKey key, RunEndKind kind, const char *reason);

/* The run's node shall say what it waits for to start; NULL: for nothing any more. */
extern void josch_scheduler_tell_delay(Scheduler *scheduler, JoschRunKey key, const char *reason);

/* Makes a set of runs (listed, stops_sent) that is empty. */
extern void josch_scheduler_empty_set(Scheduler *scheduler, HTAB **set);

/* Brings an event's texts into the database's encoding; needs a transaction. */
extern void josch_scheduler_convert(Scheduler *scheduler, RunEvent *event);

/* Whether this installation talks to a runner. */
static inline bool
josch_scheduler_may_connect(const Scheduler *scheduler)
{
	return scheduler->installation != 0 && scheduler->highest >= 0;
}

/* Connects to the runner when it is time to; starts one when none answers. */
extern void josch_scheduler_connect(Scheduler *scheduler);

/* Takes what the runner has said. */
extern void josch_scheduler_hear(Scheduler *scheduler);

/* Compares once more what is open here with what the runner has. */
extern void josch_scheduler_list_again(Scheduler *scheduler);

/* Ends the connection, if there is one: the next turn connects again. */
extern void josch_scheduler_leave_runner(Scheduler *scheduler);

/* Drops the events that are committed, and lets the runner forget their runs. */
extern void josch_scheduler_forget_done(Scheduler *scheduler);

/* ---- scheduler_arm.c; all need a transaction ---- */

/*
 * Looks whether this installation is armed, and tells when that has changed; a
 * standby that was promoted takes over.  False when somebody has locked the table.
 */
extern bool josch_scheduler_look_at_installation(Scheduler *scheduler);

/* At the end of a pass: raises an ERROR when it has changed meanwhile. */
extern void josch_scheduler_look_again(Scheduler *scheduler);

/*
 * A run of this number had been started, and is not here; or, with 0, the files were put
 * back: holds back what could start by itself, and goes on with the numbers after it.  Raises lock_not_available when
 * somebody has locked one of the nodes.
 */
extern void josch_scheduler_take_back(Scheduler *scheduler, int64 highest);

/* Ends for open runs of other installations, palloc'd: how they end cannot be known here. */
extern RunEvent *josch_scheduler_judge_foreign(Scheduler *scheduler, int limit, int *n);

/* ---- scheduler_days.c ---- */

/*
 * Starts a worker for days that are due, and looks up when the next ones are.  In a
 * transaction of its own; nothing else waits for it.
 */
extern void josch_scheduler_days(Scheduler *scheduler);

/* When it is to be called, if nothing wakes the scheduler before. */
extern TimestampTz josch_scheduler_days_due(const Scheduler *scheduler);

/* ---- scheduler_world.c ---- */

/* Where the data was taken back, or this is a copy, nobody is asked for files or queries. */
static inline bool
josch_scheduler_may_ask_world(const Scheduler *scheduler)
{
	return scheduler->installation != 0 && scheduler->settle_at == 0 && !scheduler->replaced && josch_config_scheduler;
}

extern void josch_scheduler_world_init(Scheduler *scheduler);

/* Looks who waits for a file or a query, where that may have changed, and has both asked for.  In transactions of its own. */
extern void josch_scheduler_world(Scheduler *scheduler);

/* One of them; NULL: it does not wait. */
extern Waited *josch_scheduler_world_find(const Scheduler *scheduler, NodeKey key);

/* When it is to be called, if nothing wakes the scheduler before. */
extern TimestampTz josch_scheduler_world_due(const Scheduler *scheduler);

/* What the runner says of one; that it is gone. */
extern void josch_scheduler_world_hear(Scheduler *scheduler, const JoschRunnerEvent *event);
extern void josch_scheduler_world_lose_runner(Scheduler *scheduler);

/* Facts for the next pass, whose texts need a transaction; and that it has committed. */
extern void josch_scheduler_world_gather(Scheduler *scheduler, EnginePass *pass);
extern void josch_scheduler_world_forget_done(Scheduler *scheduler);

/* A fact, of which the text is copied. */
extern void josch_scheduler_world_take(Scheduler *scheduler, const WorldFact *fact);

/* The node's message shall be that; NULL: none.  The same is said once. */
extern void josch_scheduler_world_tell(Scheduler *scheduler, Waited *waited, const char *text, bool utf8);

/* ---- scheduler_judge.c ---- */

/* Takes what the workers have found that ask queries, and starts some for those that are due. */
extern void josch_scheduler_judge(Scheduler *scheduler);
extern TimestampTz josch_scheduler_judge_due(const Scheduler *scheduler);

/* ---- scheduler_alarms.c ---- */

/* Raises and clears alarms, if there is reason to look.  In a transaction of its own; nothing else waits for it. */
extern void josch_scheduler_alarms(Scheduler *scheduler);

/* When it is to be called, if nothing wakes the scheduler before. */
extern TimestampTz josch_scheduler_alarms_due(const Scheduler *scheduler);

/* ---- scheduler_hook_book.c ---- */

extern void josch_scheduler_hooks_init(Scheduler *scheduler);

/* Reads what was on its way before; once, in a transaction, before the runner is asked. */
extern void josch_scheduler_hooks_load(Scheduler *scheduler);

/* True when what the runner said is of a delivery, and taken. */
extern bool josch_scheduler_hooks_take(Scheduler *scheduler, const JoschRunnerEvent *event);

/* The runner has shown what it has. */
extern void josch_scheduler_hooks_listed(Scheduler *scheduler);

/* Deliveries among the runs that live. */
extern int	josch_scheduler_hooks_living(const Scheduler *scheduler);

/* ---- scheduler_hooks.c ---- */

/* Tells what waits to be told, and writes down what became of it.  In a transaction of its own; nothing else waits for it. */
extern void josch_scheduler_hooks(Scheduler *scheduler);

extern TimestampTz josch_scheduler_hooks_due(const Scheduler *scheduler);

/* ---- scheduler_transaction.c ---- */

extern void josch_scheduler_begin(Scheduler *scheduler);
extern void josch_scheduler_end(Scheduler *scheduler);

/* In the PG_CATCH of a transaction: nothing is left of it, and the error, which is logged, is returned. */
extern ErrorData *josch_scheduler_recover(Scheduler *scheduler);

/* Sends what others have left for it to tell (node/notify.h), unless a pass has taken it along. */
extern void josch_scheduler_tell(Scheduler *scheduler);

/* After an error of alarms, or of what is told of them: it is logged, kept for health, and harms nothing else. */
extern void josch_scheduler_recover_alarms(Scheduler *scheduler);

/* ---- scheduler_sql.c ---- */

/* What josch_scheduler_send and _stop do with SQL runs. */
extern void josch_scheduler_send_sql(Scheduler *scheduler, const StoreLaunch *launch);
extern void josch_scheduler_stop_sql(Scheduler *scheduler, const StoreRunInfo *run);

/* Tries again with SQL runs that found no worker. */
extern void josch_scheduler_send_unsent(Scheduler *scheduler);

/* How many SQL runs may be open: as many as there may be workers, and some more for whoever of these is ready first. */
extern int	josch_scheduler_sql_places(const Scheduler *scheduler);

/* Takes what the SQL workers have done with, and what they left undone. */
extern void josch_scheduler_collect_sql(Scheduler *scheduler);

/*
 * Completes these ends by what the workers have written into josch.sql_ends;
 * needs a transaction.  False when somebody holds that table: then they are to
 * wait.
 */
extern bool josch_scheduler_read_sql_ends(Scheduler *scheduler);

/* Whether an open SQL run is with no worker, nor on its way to or from one. */
extern bool josch_scheduler_misses_sql(Scheduler *scheduler, const StoreRunInfo *run);

/* What is to be said of such a run if josch.sql_ends has nothing; NULL when it may be begun once more. */
extern const char *josch_scheduler_lost_sql(const StoreRunInfo *run);

/* ---- scheduler_send.c ---- */

/* Sends a run whose intent is committed to the runner or to a SQL worker. */
extern void josch_scheduler_send(Scheduler *scheduler, const StoreLaunch *launch);

/* Carries a stop or a time-out out; may be called again for the same run. */
extern void josch_scheduler_stop(Scheduler *scheduler, const StoreRunInfo *run);

/* What became of open runs that the other side does not have. */
typedef struct Reconciled
{
	StoreLaunch *again;			/* they never started: to be sent again */
	int			nagain;
	RunEvent   *ends;			/* of the others nothing is known: how they ended */
	int			nends;
	int64		put_back_from;	/* the database was put back from this number; 0: it was not */
	int			strays;			/* runs that live, and are not open here */
} Reconciled;

/*
 * Compares the open commands with what the runner listed, and the open SQL runs
 * with what the workers have.  Only reads, in the caller's transaction: what it
 * says is done after the commit, and not at all when it is set aside.
 */
extern Reconciled josch_scheduler_reconcile(Scheduler *scheduler, bool commands, bool sql);

/* ---- scheduler_delay.c ---- */

extern void josch_scheduler_delay_init(Scheduler *scheduler);

/* A run could not be started for want of something: it is sent again later.  True: its node does not say so yet. */
extern bool josch_scheduler_delay(Scheduler *scheduler, JoschRunKey key, bool sql, const char *reason);

/* A run has started, or ended: this one, or others, need not wait any more. */
extern void josch_scheduler_delay_heard(Scheduler *scheduler, const RunEvent *event);

extern bool josch_scheduler_is_delayed(const Scheduler *scheduler, JoschRunKey key);

/* The run is to be stopped; true when it waited here, so that it has never started. */
extern bool josch_scheduler_delay_drop(Scheduler *scheduler, JoschRunKey key);

/* The runner has shown what it has: reconciling decides about commands from now on. */
extern void josch_scheduler_delay_listed(Scheduler *scheduler);

/* Those that are due, read in the pass's transaction; and that they are sent after its commit, as far as they are open. */
extern StoreLaunch *josch_scheduler_delay_take(Scheduler *scheduler, JoschRunKey **keys, int *nkeys, int *n);
extern void josch_scheduler_delay_sent(Scheduler *scheduler, const JoschRunKey *keys, int nkeys,
									   const StoreLaunch *launches, int n);

/* When some are due, or silence becomes a fault; DT_NOEND: nothing waits. */
extern TimestampTz josch_scheduler_delay_due(const Scheduler *scheduler);

/* Something that the runner has to answer was sent; something was heard; is it silent for too long? */
extern void josch_scheduler_expect_answer(Scheduler *scheduler);
extern void josch_scheduler_hear_answer(Scheduler *scheduler);
extern void josch_scheduler_notice_silence(Scheduler *scheduler);

/* In words, for nodes and health. */
extern const char *josch_scheduler_silence(void);

/* Finds the runs that it has not answered and that are to be told, and marks nodes that are ready, if any are due. */
extern void josch_scheduler_delay_look(Scheduler *scheduler, StoreRunInfo **unanswered, int *n);

/* Puts into the status what commands and SQL wait for. */
extern void josch_scheduler_delay_report(Scheduler *scheduler);

#endif							/* JOSCH_SCHEDULER_H */
