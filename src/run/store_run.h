/*
 * src/run/store_run.h
 *	  SQL of the engine: nodes that are ready, runs that start and end.
 *
 * Every function opens and closes SPI itself, as the schema's owner,
 * and expects engine mode.  None waits for a row lock: what is locked by others
 * is left out, and the caller comes back to it.  Results are palloc'd in the
 * caller's context.
 */
#ifndef JOSCH_STORE_RUN_H
#define JOSCH_STORE_RUN_H

#include "base/josch.h"

#include "node/fsm.h"
#include "run/run_event.h"
#include "run/verdict.h"

/* What the scheduler waits for, and what it reports; all at the end of a pass. */
typedef struct StoreOutlook
{
	TimestampTz next_due;		/* the first due time after now, of ready nodes and of
								 * SQL runs with a timeout; DT_NOEND: none */
	int			recounts;		/* nodes that wait to be counted anew */
	int			open;			/* open runs */
	int			commands;		/* of these, commands that take a place */
	int			sql;			/* and SQL */
	int			stops;			/* of these, asked to stop, or (SQL) timed out */
	int			timeouts;		/* of these, SQL and past their timeout */
	int			delayed;		/* of these, with a message that says for what they wait */
	int			foreign;		/* of these, started by another installation */
} StoreOutlook;

extern StoreOutlook josch_store_run_outlook(TimestampTz now, int64 token);

/* Open command runs that are not up, and open SQL runs: the places that are taken. */
extern void josch_store_run_places(int *commands, int *sql);

/* A run to be started: from its own row alone, whatever has become of its node since. */
typedef struct StoreLaunch
{
	int64		run_id;
	int64		nonce;
	NodeKey		key;
	int			attempt;
	char		node_type;
	bool		sql;
	bool		atomic;			/* SQL in one transaction */
	Oid			owner;			/* InvalidOid: the role does not exist */
	char	   *owner_name;
	bool		delayed;		/* its message says what it waits for */
	char	   *command;		/* NULL for SQL */
	char	   *ready_command;	/* or NULL */
	char	   *executor;		/* that runs the command elsewhere; or NULL */
	char	   *executor_options;	/* or NULL */
	char	   *start_command;	/* of the executor as it is now; NULL: there is none */
	char	   *attach_command;	/* or NULL */
	char	   *stop_command;	/* or NULL */
	char	   *server;			/* that has made the run; or NULL */
	char	   *work_dir;		/* NULL for SQL */
	char	   *log;			/* relative to the spool */
	int64		timeout_ms;		/* 0: none */
	int64		grace_ms;
	int64		ready_after_ms;
	int32		pid;			/* of a command that has started, as far as it is known; or 0 */
	TimestampTz started_at;		/* then; or 0 */
	const char *lost;			/* it was sent before, and why nothing is known of it; or NULL */
	char	  **environment;	/* of a command, as for execve; NULL: it has none, its job is gone */
} StoreLaunch;

/* Who will run the commands: kept with the run. */
typedef struct StoreRunner
{
	int64		token;			/* of this installation */
	const char *server;			/* identity of this server */
	const char *ledger;			/* of the runner */
	const char *host;
	const char *log_folder;		/* below log/ of the spool */
	const char *work_dir;		/* of those that name none */
} StoreRunner;

/* These runs wait to start, and their nodes say for what; or, without a text, no more. */
extern void josch_store_run_delayed(const RunEvent *events, int n);

/*
 * Says of nodes that are ready and due, and would run a command, what keeps them
 * from it: of the first `limit`.  NULL: takes that back from all.
 */
extern void josch_store_run_mark_ready(const char *message, int limit);

/* The commands of these long-running runs are up. */
extern void josch_store_run_up(const RunEvent *events, int n);

/* An open run and its node, which is locked now. */
typedef struct StoreOpenRun
{
	int64		run_id;
	int64		nonce;
	NodeKey		key;
	char		node_type;
	TimestampTz requested_at;
	char	   *stopped_by;		/* or NULL */
	bool		sql;
	bool		up;
	bool		timed_out;		/* SQL: as recorded before */
	RetryRules *rules;			/* its node's; NULL: it has none of its own */
	bool		gives_up;		/* its node's on_failure */
	char	   *executor;		/* or NULL */
	bool		current;		/* it is the node's latest run, and the node is
								 * running or up */
} StoreOpenRun;

/* The greatest number of a run. */
extern int64 josch_store_run_highest(void);

/*
 * Whether a run of this number, or a greater one, is on record here.  (The sequence does
 * not tell: after a recovery it is ahead of the runs.)
 */
extern bool josch_store_run_counted(int64 run_id);

/* Whether a run with a greater number than this is known to have been started by this ledger. */
extern bool josch_store_run_started_above(int64 run_id, const char *ledger);

/* How a run ended, and what becomes of it and of its node. */
typedef struct StoreEnd
{
	RunEvent	event;
	bool		move_node;		/* StoreOpenRun.current */
	Verdict		verdict;
	int32		exit_code;		/* -1: none */
	int32		exit_signal;	/* 0: none */
} StoreEnd;

/* A locked node that could not be handled: failed, with the error's text; false when it stays as it is. */
extern bool josch_store_run_fail_node(NodeKey key, const char *message);

/* An open run, for recovery and for stops. */
typedef struct StoreRunInfo
{
	int64		run_id;
	int64		nonce;
	bool		sql;
	bool		orphan;			/* its node is gone */
	bool		atomic;
	bool		begun;			/* status running, not starting */
	int64		token;			/* of the installation that started it; 0: not known */
	char	   *ledger;			/* or NULL */
	int64		grace_ms;
	int			tries;			/* SQL: executions so far */
	bool		recorded;		/* SQL: its end is in josch.sql_ends; by _list_open only */
} StoreRunInfo;

extern StoreRunInfo *josch_store_run_list_open(int *n);

/*
 * Open runs of another installation that an executor can be asked about: with a token
 * they are left alone until this one acts, which asks.
 */
#define SQL_ATTACHABLE(run) \
	"(" run ".executor IS NOT NULL AND EXISTS (SELECT FROM josch.executors x WHERE x.executor_name = " run ".executor AND x.attach_command IS NOT NULL))"

/* Makes them this one's; returns how many. */
extern int	josch_store_run_adopt_attachable(int64 token);

/* Of these, up to limit that another installation than this one has started: their ids. */
extern int64 *josch_store_run_list_foreign(int64 token, int limit, int *n);

/* Open SQL runs of one installation are another's from now on. */
extern void josch_store_run_adopt_sql(int64 former, int64 token);

/* Commands of this token that were about to start may have been started: no runner can say any more that they never came. */
extern void josch_store_run_distrust(int64 token);

/* Open runs whose stop was asked for; SQL runs that have timed out, too. */
extern StoreRunInfo *josch_store_run_list_stops(int *n);

/* Open SQL runs that have passed their timeout; marks them as timed out. */
extern StoreRunInfo *josch_store_run_list_timeouts(TimestampTz now, int *n);

/* Whether it is a run of this database that has not ended. */
extern bool josch_store_run_is_open(int64 run_id, int64 nonce);

/* Where a run's output is; read as the schema's owner, for whoever may execute josch.log(). */
typedef struct StoreRunLog
{
	char	   *log;			/* relative to the spool; NULL: none (SQL, or not started) */
	char	   *output_tail;	/* or NULL */
	bool		open;			/* the run has not ended */
} StoreRunLog;

/* False when the run does not exist. */
extern bool josch_store_run_log(int64 run_id, StoreRunLog *log);

#endif							/* JOSCH_STORE_RUN_H */
