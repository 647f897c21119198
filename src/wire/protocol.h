/*
 * src/wire/protocol.h
 *	  The wire between a scheduler and josch-runner: its messages.
 *
 * For each message ONE function names its fields in order.  It serves both
 * directions, so that writer and reader cannot drift apart.
 *
 * A run is named by its number and its nonce, wherever it is named: a number alone
 * may be given again, by a database that was put back to an earlier moment.
 *
 * Later versions add fields at the end of a message; readers ignore what they do
 * not know.  HELLO, WELCOME, REPLACE and ERROR never change otherwise, so that
 * two versions can always agree that one of them has to be replaced.
 */
#ifndef JOSCH_PROTOCOL_H
#define JOSCH_PROTOCOL_H

#include "wire/codec.h"

#define JOSCH_PROTOCOL_VERSION	4
#define JOSCH_TAIL_MAX			4096	/* bytes of output that an exit carries */

typedef enum JoschMessageType
{
	/* scheduler to runner */
	JOSCH_MSG_HELLO = 1,		/* first on a connection; answered by WELCOME */
	JOSCH_MSG_START = 2,		/* STARTED, START_FAILED or REFUSED */
	JOSCH_MSG_STOP = 3,			/* no answer but the EXITED that follows */
	JOSCH_MSG_FORGET = 4,		/* no answer */
	JOSCH_MSG_LIST = 5,			/* one RUN per run, then LIST_END */
	JOSCH_MSG_LOG = 6,			/* LOG_DATA, or ERROR */
	JOSCH_MSG_REPLACE = 7,		/* the connection ends; ERROR when it cannot */
	JOSCH_MSG_WATCH = 10,		/* LOOKED, once it is there; the same when something is in the way */
	JOSCH_MSG_UNWATCH = 11,		/* no answer */

	/* runner to scheduler */
	JOSCH_MSG_WELCOME = 64,
	JOSCH_MSG_STARTED = 65,
	JOSCH_MSG_START_FAILED = 66,
	JOSCH_MSG_UP = 67,
	JOSCH_MSG_EXITED = 68,
	JOSCH_MSG_RUN = 69,
	JOSCH_MSG_LIST_END = 70,
	JOSCH_MSG_REFUSED = 71,
	JOSCH_MSG_LOG_DATA = 72,
	JOSCH_MSG_ERROR = 73,
	JOSCH_MSG_REPORTED = 74,	/* what a run says of itself (wire/report.h), when that has changed */
	JOSCH_MSG_LOOKED = 80
} JoschMessageType;

/* JoschStart.flags */
#define JOSCH_START_LONG_RUNNING	1	/* tell when it is up */
#define JOSCH_START_ADOPT			2	/* it has been started before: watch it if it lives, else attach to it, or it has ended */
#define JOSCH_START_EXECUTOR		4	/* argv is the program of an executor, and the command its last words */

/* JoschExit.kind: what is known about the end */
typedef enum JoschExitKind
{
	JOSCH_EXIT_NONE = 0,		/* has not ended */
	JOSCH_EXIT_CODE = 1,		/* value: exit code */
	JOSCH_EXIT_SIGNAL = 2,		/* value: signal number */
	JOSCH_EXIT_UNKNOWN = 3,		/* nobody saw it end; value 0 */
	JOSCH_EXIT_NOT_STARTED = 4,	/* value: errno, tail: the reason in words */
	JOSCH_EXIT_WATCHED = 5		/* it was seen to end, and not how: its runner had died; value 0 */
} JoschExitKind;

/* JoschExit.flags and JoschRun.flags */
#define JOSCH_RUN_TIMED_OUT			1	/* its time-out ended it, or is about to */
#define JOSCH_RUN_STOP_REQUESTED	2	/* a STOP ended it, or is about to */
#define JOSCH_RUN_LONG_RUNNING		4
#define JOSCH_RUN_UP				8	/* has been up, see up_at */
#define JOSCH_RUN_WATCHED			16	/* survived a former runner: its exit code cannot be known */

/* JoschRun.state */
typedef enum JoschRunState
{
	JOSCH_RUN_STATE_STARTING = 0,
	JOSCH_RUN_STATE_RUNNING = 1,
	JOSCH_RUN_STATE_UP = 2,
	JOSCH_RUN_STATE_EXITED = 3,
	JOSCH_RUN_STATE_WATCHED = 4
} JoschRunState;

/* JoschRefused.reason */
typedef enum JoschRefusal
{
	JOSCH_REFUSED_KNOWN = 1,	/* known now: LIST shows it */
	JOSCH_REFUSED_FORGOTTEN = 2 /* was known and has been forgotten */
} JoschRefusal;

/* JoschLooked.kind */
typedef enum JoschLookedKind
{
	JOSCH_LOOKED_FOUND = 1,		/* it is there, and has not changed for long enough: nobody looks for it any more */
	JOSCH_LOOKED_HINDERED = 2,	/* it cannot be looked for, as text says; that is tried again and again */
	JOSCH_LOOKED_SHORT = 3,		/* the system is short of what is needed to be told: it looks now and then */
	JOSCH_LOOKED_WELL = 4		/* neither of these any more */
} JoschLookedKind;

/* Whose runs a message means. */
typedef enum JoschScope
{
	JOSCH_SCOPE_OWN = 0,		/* of the server, database and token that HELLO named */
	JOSCH_SCOPE_DATABASE = 1,	/* of that server and database, whatever their token */
	JOSCH_SCOPE_ALL = 2			/* of anybody */
} JoschScope;

/* What a run is known by, within its owner. */
typedef struct JoschRunKey
{
	int64_t		run_id;
	int64_t		nonce;
} JoschRunKey;

/* Times are microseconds since 1970-01-01 UTC; 0 means not known. */
typedef struct JoschHello
{
	uint32_t	protocol;
	JoschSlice	version;		/* of the extension */
	JoschSlice	identity;		/* of the server: it owns its runs, */
	uint32_t	database;		/* with the database's oid, */
	JoschSlice	database_name;	/* for messages only */
	JoschSlice	runner_path;	/* the runner's program as the server knows it */
	JoschSlice	token;			/* and with the token of its installation */
	int64_t		highest;		/* greatest run_id that the database has, of SQL runs too */
} JoschHello;

typedef struct JoschStart
{
	int64_t		run_id;			/* above 0 */
	int64_t		nonce;			/* not 0; number and nonce are never used twice */
	JoschStrings argv;
	JoschStrings env;			/* "NAME=value", on top of the runner's own few */
	JoschSlice	cwd;			/* empty: the home of the runner's user */
	JoschSlice	log_path;		/* relative to the spool; must not exist */
	uint64_t	timeout_ms;		/* 0: none */
	uint64_t	grace_ms;		/* between TERM and KILL at the time-out */
	uint32_t	flags;
	JoschStrings ready_argv;	/* may be empty */
	uint64_t	ready_after_ms; /* for an empty ready_argv */
	int64_t		pid;			/* ADOPT: its main process, 0 when that is not known, */
	int64_t		started_at;		/* and when it started */
	JoschSlice	reason;			/* ADOPT: why nothing is known of it */
	uint64_t	log_limit;		/* bytes of the log that are kept, a half at either end; 0: all */
	JoschStrings attach_argv;	/* EXECUTOR: of its program that says how a run ends which has been started; may be empty */
	JoschStrings stop_argv;		/* EXECUTOR: of the one that asks the other side to end it; may be empty */
} JoschStart;

typedef struct JoschStop
{
	uint8_t		scope;			/* JoschScope */
	int64_t		run_id;
	int64_t		nonce;
	uint64_t	grace_ms;
} JoschStop;

typedef struct JoschForget
{
	uint8_t		scope;			/* JoschScope */
	JoschSlice	keys;			/* run_id and nonce each; josch_forget_key */
} JoschForget;

typedef struct JoschList
{
	uint8_t		scope;			/* JoschScope */
} JoschList;

typedef struct JoschLogRead
{
	int64_t		run_id;			/* 0: by path */
	int64_t		nonce;
	JoschSlice	path;			/* relative to the spool */
	int64_t		offset;			/* below 0: from the end */
	uint32_t	max;
} JoschLogRead;

typedef struct JoschReplace
{
	JoschSlice	path;			/* absolute */
} JoschReplace;

/* A file that is waited for, as long as this connection lasts. */
typedef struct JoschWatch
{
	int64_t		number;			/* the sender's own: above those of its earlier ones */
	JoschSlice	folder;			/* absolute */
	JoschSlice	name;			/* in it */
	uint8_t		pattern;		/* name is one, as fnmatch takes it */
	uint64_t	stable_ms;		/* it must not have changed for so long */
	uint64_t	interval_ms;	/* how often to look where the file system does not tell */
} JoschWatch;

typedef struct JoschUnwatch
{
	int64_t		number;
} JoschUnwatch;

typedef struct JoschLooked
{
	int64_t		number;			/* of the watch */
	uint8_t		kind;			/* JoschLookedKind */
	JoschSlice	path;			/* FOUND: of what was found */
	JoschSlice	text;			/* HINDERED, SHORT: in words */
} JoschLooked;

typedef struct JoschWelcome
{
	uint32_t	protocol;
	JoschSlice	version;
	JoschSlice	incarnation;	/* one life of a runner; kept across REPLACE */
	int64_t		pid;
	int64_t		started_at;
	JoschSlice	ledger;			/* of the journal: every START under this word is on record in it */
	int64_t		highest;		/* greatest run_id that this owner gave or told before this HELLO */
	int64_t		given;			/* greatest run_id that came with a START */
} JoschWelcome;

typedef struct JoschStarted
{
	int64_t		run_id;
	int64_t		nonce;
	int64_t		pid;			/* also its process group and session */
	int64_t		started_at;
} JoschStarted;

typedef struct JoschStartFailed
{
	int64_t		run_id;
	int64_t		nonce;
	uint32_t	error;			/* errno */
	JoschSlice	text;
	uint8_t		passing;		/* for want of something: the runner knows nothing of it, send it again later */
} JoschStartFailed;

typedef struct JoschUp
{
	int64_t		run_id;
	int64_t		nonce;
	int64_t		up_at;
} JoschUp;

typedef struct JoschExit
{
	uint8_t		kind;			/* JoschExitKind */
	uint32_t	value;
	int64_t		ended_at;
	uint64_t	cpu_user_us;	/* of the main process and what it waited for */
	uint64_t	cpu_sys_us;
	uint64_t	maxrss_kb;
	uint32_t	flags;
	JoschSlice	tail;			/* end of the log, valid UTF-8 without zeroes */
	JoschSlice	survivors;		/* UNKNOWN, WATCHED: processes of it that live on, for people */
	JoschSlice	reason;			/* UNKNOWN: why, when there is more to say than that nobody saw it */
} JoschExit;

typedef struct JoschExited
{
	int64_t		run_id;
	int64_t		nonce;
	JoschExit	end;
	JoschSlice	report;			/* what it has said of itself: lines as wire/report.h has them, valid UTF-8 */
} JoschExited;

typedef struct JoschReported
{
	int64_t		run_id;
	int64_t		nonce;
	JoschSlice	report;			/* all that is known by now */
} JoschReported;

typedef struct JoschRun
{
	int64_t		run_id;
	int64_t		nonce;
	uint8_t		state;			/* JoschRunState */
	uint32_t	flags;
	int64_t		pid;			/* 0: never got one, or not known */
	int64_t		started_at;
	int64_t		up_at;
	JoschExit	end;			/* kind JOSCH_EXIT_NONE unless exited */
	JoschSlice	log_path;

	/* the owner; empty and 0 when it is the one that asked */
	JoschSlice	identity;
	uint32_t	database;
	JoschSlice	database_name;
	JoschSlice	token;
	JoschSlice	report;			/* as in EXITED, or by now */
} JoschRun;

typedef struct JoschRefused
{
	int64_t		run_id;
	int64_t		nonce;
	uint8_t		reason;			/* JoschRefusal */
	JoschSlice	text;
} JoschRefused;

typedef struct JoschLogData
{
	int64_t		run_id;
	int64_t		nonce;
	int64_t		offset;			/* of the first byte */
	JoschSlice	bytes;			/* as written, any encoding */
	uint8_t		eof;			/* nothing after these bytes at present */
} JoschLogData;

typedef struct JoschError
{
	JoschSlice	text;
} JoschError;

/* LIST_END */
typedef struct JoschNothing
{
	char		unused;
} JoschNothing;

/* Bytes that must be free in the spool's file system, so that what is started can write: a part of a small one. */
static inline uint64_t
josch_room_to_start(uint64_t all)
{
	const uint64_t most = 16 * 1024 * 1024;

	return all / 64 < most ? all / 64 : most;
}

static inline void
josch_code_key(JoschCodec *c, JoschRunKey *key)
{
	josch_code_i64(c, &key->run_id);
	josch_code_i64(c, &key->nonce);
}

static inline void
josch_code_hello(JoschCodec *c, JoschHello *m)
{
	josch_code_u32(c, &m->protocol);
	josch_code_slice(c, &m->version);
	josch_code_slice(c, &m->identity);
	josch_code_u32(c, &m->database);
	josch_code_slice(c, &m->database_name);
	josch_code_slice(c, &m->runner_path);
	josch_code_slice(c, &m->token);
	josch_code_i64(c, &m->highest);
}

static inline void
josch_code_start(JoschCodec *c, JoschStart *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_strings(c, &m->argv);
	josch_code_strings(c, &m->env);
	josch_code_slice(c, &m->cwd);
	josch_code_slice(c, &m->log_path);
	josch_code_u64(c, &m->timeout_ms);
	josch_code_u64(c, &m->grace_ms);
	josch_code_u32(c, &m->flags);
	josch_code_strings(c, &m->ready_argv);
	josch_code_u64(c, &m->ready_after_ms);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
	josch_code_slice(c, &m->reason);
	josch_code_u64(c, &m->log_limit);
	josch_code_strings(c, &m->attach_argv);
	josch_code_strings(c, &m->stop_argv);
}

static inline void
josch_code_stop(JoschCodec *c, JoschStop *m)
{
	josch_code_u8(c, &m->scope);
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_u64(c, &m->grace_ms);
}

static inline void
josch_code_forget(JoschCodec *c, JoschForget *m)
{
	josch_code_u8(c, &m->scope);
	josch_code_slice(c, &m->keys);
}

static inline void
josch_code_list(JoschCodec *c, JoschList *m)
{
	josch_code_u8(c, &m->scope);
}

static inline void
josch_code_log_read(JoschCodec *c, JoschLogRead *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_slice(c, &m->path);
	josch_code_i64(c, &m->offset);
	josch_code_u32(c, &m->max);
}

static inline void
josch_code_replace(JoschCodec *c, JoschReplace *m)
{
	josch_code_slice(c, &m->path);
}

static inline void
josch_code_watch(JoschCodec *c, JoschWatch *m)
{
	josch_code_i64(c, &m->number);
	josch_code_slice(c, &m->folder);
	josch_code_slice(c, &m->name);
	josch_code_u8(c, &m->pattern);
	josch_code_u64(c, &m->stable_ms);
	josch_code_u64(c, &m->interval_ms);
}

static inline void
josch_code_unwatch(JoschCodec *c, JoschUnwatch *m)
{
	josch_code_i64(c, &m->number);
}

static inline void
josch_code_looked(JoschCodec *c, JoschLooked *m)
{
	josch_code_i64(c, &m->number);
	josch_code_u8(c, &m->kind);
	josch_code_slice(c, &m->path);
	josch_code_slice(c, &m->text);
}

static inline void
josch_code_welcome(JoschCodec *c, JoschWelcome *m)
{
	josch_code_u32(c, &m->protocol);
	josch_code_slice(c, &m->version);
	josch_code_slice(c, &m->incarnation);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
	josch_code_slice(c, &m->ledger);
	josch_code_i64(c, &m->highest);
	josch_code_i64(c, &m->given);
}

static inline void
josch_code_started(JoschCodec *c, JoschStarted *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
}

static inline void
josch_code_start_failed(JoschCodec *c, JoschStartFailed *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_u32(c, &m->error);
	josch_code_slice(c, &m->text);
	josch_code_u8(c, &m->passing);
}

static inline void
josch_code_up(JoschCodec *c, JoschUp *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_i64(c, &m->up_at);
}

static inline void
josch_code_exit(JoschCodec *c, JoschExit *m)
{
	josch_code_u8(c, &m->kind);
	josch_code_u32(c, &m->value);
	josch_code_i64(c, &m->ended_at);
	josch_code_u64(c, &m->cpu_user_us);
	josch_code_u64(c, &m->cpu_sys_us);
	josch_code_u64(c, &m->maxrss_kb);
	josch_code_u32(c, &m->flags);
	josch_code_slice(c, &m->tail);
	josch_code_slice(c, &m->survivors);
	josch_code_slice(c, &m->reason);
}

static inline void
josch_code_exited(JoschCodec *c, JoschExited *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_exit(c, &m->end);
	josch_code_slice(c, &m->report);
}

static inline void
josch_code_reported(JoschCodec *c, JoschReported *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_slice(c, &m->report);
}

static inline void
josch_code_run(JoschCodec *c, JoschRun *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_u8(c, &m->state);
	josch_code_u32(c, &m->flags);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
	josch_code_i64(c, &m->up_at);
	josch_code_exit(c, &m->end);
	josch_code_slice(c, &m->log_path);
	josch_code_slice(c, &m->identity);
	josch_code_u32(c, &m->database);
	josch_code_slice(c, &m->database_name);
	josch_code_slice(c, &m->token);
	josch_code_slice(c, &m->report);
}

static inline void
josch_code_refused(JoschCodec *c, JoschRefused *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_u8(c, &m->reason);
	josch_code_slice(c, &m->text);
}

static inline void
josch_code_log_data(JoschCodec *c, JoschLogData *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->nonce);
	josch_code_i64(c, &m->offset);
	josch_code_slice(c, &m->bytes);
	josch_code_u8(c, &m->eof);
}

static inline void
josch_code_error(JoschCodec *c, JoschError *m)
{
	josch_code_slice(c, &m->text);
}

static inline void
josch_code_nothing(JoschCodec *c, JoschNothing *m)
{
	(void) c;
	m->unused = 0;
}

/*
 * josch_encode_NAME(out, message) appends a whole frame, or nothing and says
 * false; josch_decode_NAME(frame, message) says false for a frame that is not
 * what its type promises.
 */
#define JOSCH_DEFINE_MESSAGE(name, Type, code_name, TYPE_CODE) \
static inline bool \
josch_encode_##name(JoschBuffer *out, const Type *m) \
{ \
	JoschCodec	c = {out, NULL, 0, false}; \
	Type		copy = *m; \
	size_t		start = josch_frame_begin(&c, TYPE_CODE); \
\
	josch_code_##code_name(&c, &copy); \
	return josch_frame_end(&c, start); \
} \
static inline bool \
josch_decode_##name(const JoschFrame *frame, Type *m) \
{ \
	JoschCodec	c = {NULL, frame->body, frame->body_len, false}; \
\
	memset(m, 0, sizeof(*m)); \
	if (frame->type != TYPE_CODE) \
	{ \
		return false; \
	} \
	josch_code_##code_name(&c, m); \
	return !c.failed; \
}

JOSCH_DEFINE_MESSAGE(hello, JoschHello, hello, JOSCH_MSG_HELLO)
JOSCH_DEFINE_MESSAGE(start, JoschStart, start, JOSCH_MSG_START)
JOSCH_DEFINE_MESSAGE(stop, JoschStop, stop, JOSCH_MSG_STOP)
JOSCH_DEFINE_MESSAGE(forget, JoschForget, forget, JOSCH_MSG_FORGET)
JOSCH_DEFINE_MESSAGE(list, JoschList, list, JOSCH_MSG_LIST)
JOSCH_DEFINE_MESSAGE(log_read, JoschLogRead, log_read, JOSCH_MSG_LOG)
JOSCH_DEFINE_MESSAGE(replace, JoschReplace, replace, JOSCH_MSG_REPLACE)
JOSCH_DEFINE_MESSAGE(watch, JoschWatch, watch, JOSCH_MSG_WATCH)
JOSCH_DEFINE_MESSAGE(unwatch, JoschUnwatch, unwatch, JOSCH_MSG_UNWATCH)
JOSCH_DEFINE_MESSAGE(welcome, JoschWelcome, welcome, JOSCH_MSG_WELCOME)
JOSCH_DEFINE_MESSAGE(started, JoschStarted, started, JOSCH_MSG_STARTED)
JOSCH_DEFINE_MESSAGE(start_failed, JoschStartFailed, start_failed, JOSCH_MSG_START_FAILED)
JOSCH_DEFINE_MESSAGE(up, JoschUp, up, JOSCH_MSG_UP)
JOSCH_DEFINE_MESSAGE(exited, JoschExited, exited, JOSCH_MSG_EXITED)
JOSCH_DEFINE_MESSAGE(run, JoschRun, run, JOSCH_MSG_RUN)
JOSCH_DEFINE_MESSAGE(list_end, JoschNothing, nothing, JOSCH_MSG_LIST_END)
JOSCH_DEFINE_MESSAGE(refused, JoschRefused, refused, JOSCH_MSG_REFUSED)
JOSCH_DEFINE_MESSAGE(log_data, JoschLogData, log_data, JOSCH_MSG_LOG_DATA)
JOSCH_DEFINE_MESSAGE(looked, JoschLooked, looked, JOSCH_MSG_LOOKED)
JOSCH_DEFINE_MESSAGE(error, JoschError, error, JOSCH_MSG_ERROR)
JOSCH_DEFINE_MESSAGE(reported, JoschReported, reported, JOSCH_MSG_REPORTED)

/* The i-th run of a FORGET; there are josch_forget_count of them. */
static inline uint32_t
josch_forget_count(const JoschForget *m)
{
	return m->keys.len / 16;
}

static inline JoschRunKey
josch_forget_key(const JoschForget *m, uint32_t i)
{
	JoschCodec	c = {NULL, (const uint8_t *) m->keys.data + (size_t) i * 16, 16, false};
	JoschRunKey key = {0, 0};

	josch_code_key(&c, &key);
	return key;
}

#endif							/* JOSCH_PROTOCOL_H */
