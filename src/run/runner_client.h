/*
 * src/run/runner_client.h
 *	  The scheduler's end of the socket to josch-runner: connect, send, read events.
 *
 * The loop must never wait for the runner: the socket is non-blocking, what
 * cannot be sent now is kept, and a connection that breaks is an event
 * (JOSCH_RUNNER_LOST), never an ERROR.  Only running out of memory raises one.
 *
 * Memory: a JoschRunner and its buffers live in a memory context of their own
 * below TopMemoryContext until josch_runner_close.  Events are allocated in
 * the context that the caller of josch_runner_read names, and belong to it.
 * Strings that are sent are copied at once.
 */
#ifndef JOSCH_RUNNER_CLIENT_H
#define JOSCH_RUNNER_CLIENT_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "port.h"
#include "utils/palloc.h"

#include "node/wait_path.h"
#include "run/run_event.h"
#include "wire/protocol.h"

typedef struct JoschRunner JoschRunner;

typedef enum JoschRunnerEventType
{
	JOSCH_RUNNER_WELCOME,		/* the runner answers; see josch_runner_info */
	JOSCH_RUNNER_EVENT,			/* run: what happened to one */
	JOSCH_RUNNER_LISTED,		/* answer to LIST: run.run_id, run.nonce, listed; what is known of an own run follows, as
								 * if it had just come */
	JOSCH_RUNNER_LIST_END,
	JOSCH_RUNNER_REFUSED,		/* run.run_id, run.nonce, refusal, text */
	JOSCH_RUNNER_LOG_DATA,		/* offset, text, text_len, eof */
	JOSCH_RUNNER_ERROR,			/* text: a complaint for the server log */
	JOSCH_RUNNER_LOOKED,		/* number, looked, text: the path or why it is hindered */
	JOSCH_RUNNER_LOST			/* text: why; the last event of a connection */
} JoschRunnerEventType;

/* What the list says of a run. */
typedef struct JoschRunnerListed
{
	bool		ended;
	int32		pid;			/* 0: not known */
	TimestampTz started_at;		/* 0: not known */
	char	   *log_path;
	bool		other;			/* it is another owner's: */
	char	   *identity;
	Oid			database;
	char	   *database_name;
	char	   *token;
} JoschRunnerListed;

/*
 * One thing that happened.  Fields that the type does not name are zero.
 * `text` is never NULL, always terminated and valid UTF-8 (LOG_DATA: raw bytes);
 * converting it, and the texts of a run's event, to the database's encoding is the
 * reader's part.
 */
typedef struct JoschRunnerEvent
{
	JoschRunnerEventType type;
	RunEvent	run;
	JoschRunnerListed listed;
	JoschRefusal refusal;
	int64		offset;			/* LOG_DATA */
	bool		eof;			/* LOG_DATA */
	int64		number;			/* LOOKED: of the watch */
	JoschLookedKind looked;
	char	   *text;			/* reason, or log bytes */
	int			text_len;
} JoschRunnerEvent;

/* What WELCOME said; strings live as long as the JoschRunner. */
typedef struct JoschRunnerInfo
{
	const char *version;
	int64		pid;
	TimestampTz started_at;

	/*
	 * To tell "never started" from "lost": a run that was given to this very ledger,
	 * and that LIST does not show, never started and may be sent again.  What another
	 * ledger was given cannot be known.
	 */
	const char *ledger;
	int64		highest;		/* greatest run_id that this owner gave to the runner, or told it */
	int64		given;			/* greatest run_id that it gave to it to start */
} JoschRunnerInfo;

/* One START.  Lists are NULL-terminated; NULL lists and strings count as empty. */
typedef struct JoschRunnerStart
{
	JoschRunKey key;
	const char *const *argv;	/* at least one */
	const char *const *env;		/* "NAME=value" */
	const char *cwd;			/* empty: home of the runner's user */
	const char *log_path;		/* relative to the spool, without "..", must not exist yet */
	uint64		timeout_ms;		/* 0: none */
	uint64		grace_ms;		/* TERM to KILL at the time-out */
	bool		long_running;	/* tell when it is up */
	const char *const *ready_argv;	/* exit 0 means up; empty: ready_after_ms */
	uint64		ready_after_ms;
	const char *lost;			/* it was started before, and why nothing is known of it: watch it, if it lives; or NULL */
	int32		pid;			/* lost: its main process, or 0 */
	TimestampTz started_at;		/* lost: when that started, or 0 */
	uint64		log_limit;		/* bytes; 0: none */
	bool		executor;		/* argv is an executor's program, */
	const char *const *attach_argv;	/* this one says how a run ends that has been started, */
	const char *const *stop_argv;	/* and this one asks the other side to end it */
} JoschRunnerStart;

/* Whose runs a connection is for. */
typedef struct JoschRunnerOwner
{
	const char *identity;		/* of the server */
	Oid			database;
	const char *database_name;
	const char *token;			/* of the installation */
	int64		highest;		/* greatest run_id in the database */
} JoschRunnerOwner;

/*
 * Connects to the runner of a spool and says HELLO; with `may_start`, starts
 * one when none answers, which takes some milliseconds.  NULL when there is no
 * connection; *reason (in the current context) then says why in one sentence.
 */
extern JoschRunner *josch_runner_connect(const char *spool, const JoschRunnerOwner *owner, bool may_start, char **reason);

/* The socket for a WaitEventSet, and whether to wait for it to become writable too. */
extern pgsocket josch_runner_socket(JoschRunner *runner);
extern bool josch_runner_wants_write(JoschRunner *runner);

/* NULL before WELCOME. */
extern const JoschRunnerInfo *josch_runner_info(JoschRunner *runner);

/*
 * Queue one message each; nothing is sent before josch_runner_flush.  On a
 * lost connection they do nothing.  False: the message is larger than a frame
 * can be (4 MB) and will not be sent.
 */
extern bool josch_runner_send_start(JoschRunner *runner, const JoschRunnerStart *start);
extern void josch_runner_send_stop(JoschRunner *runner, JoschScope scope, JoschRunKey key, uint64 grace_ms);
extern void josch_runner_send_forget(JoschRunner *runner, JoschScope scope, const JoschRunKey *keys, int count);
extern void josch_runner_send_list(JoschRunner *runner, JoschScope scope);

/* A file to be looked for, as long as the connection lasts; numbers grow.  LOOKED answers. */
extern void josch_runner_send_watch(JoschRunner *runner, int64 number, const WaitPath *path, uint64 stable_ms, uint64 interval_ms);
extern void josch_runner_send_unwatch(JoschRunner *runner, int64 number);

/* By path; an offset below 0 counts from the end. */
extern void josch_runner_send_log(JoschRunner *runner, const char *path, int64 offset, uint32 max);

/* Sends what the socket takes.  False when something is left (wait for writable). */
extern bool josch_runner_flush(JoschRunner *runner);

/*
 * Takes what has arrived: a List of JoschRunnerEvent pointers, allocated in
 * `context`; NIL when there is nothing.  LOST comes once, last; from then on
 * only josch_runner_close makes sense.  Also notices a connection that a send
 * found broken, so call it after a flush too.
 */
extern List *josch_runner_read(JoschRunner *runner, MemoryContext context);

/* Ends the connection and frees the handle; runs go on. */
extern void josch_runner_close(JoschRunner *runner);

#endif							/* JOSCH_RUNNER_CLIENT_H */
