/*
 * src/wire/protocol.h
 *	  The wire between a scheduler and josch-runner: framing and messages.
 *
 * For each message ONE function names its fields in order.  It serves both
 * directions, so that writer and reader cannot drift apart.
 *
 * The server's module and a program without any PostgreSQL code include this
 * file.  It therefore needs standard C only, allocates through a function of
 * the caller, and never reads past the frame that it was given: a peer may
 * send anything.  Decoded slices point into the frame and live as long as it.
 *
 * A frame is: u32 length of what follows, u8 type, fields.  Integers are in
 * network order; a string is u32 length and bytes; a list of strings is u32
 * count and one string that holds the strings, each with its length.  Later
 * versions add fields at the end of a message; readers ignore what they do
 * not know.  HELLO, WELCOME, REPLACE and ERROR never change otherwise, so that
 * two versions can always agree that one of them has to be replaced.
 */
#ifndef JOSCH_PROTOCOL_H
#define JOSCH_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JOSCH_PROTOCOL_VERSION	1
#define JOSCH_FRAME_MAX			(4 * 1024 * 1024)	/* length field of a frame */
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
	JOSCH_MSG_ERROR = 73
} JoschMessageType;

/* JoschStart.flags */
#define JOSCH_START_LONG_RUNNING	1	/* tell when it is up */

/* JoschExit.kind: what is known about the end */
typedef enum JoschExitKind
{
	JOSCH_EXIT_NONE = 0,		/* has not ended */
	JOSCH_EXIT_CODE = 1,		/* value: exit code */
	JOSCH_EXIT_SIGNAL = 2,		/* value: signal number */
	JOSCH_EXIT_UNKNOWN = 3,		/* nobody saw it end; value 0 */
	JOSCH_EXIT_NOT_STARTED = 4	/* value: errno, tail: the reason in words */
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

/* Bytes of somebody else; not terminated by a zero. */
typedef struct JoschSlice
{
	const char *data;
	uint32_t	len;
} JoschSlice;

/* A list of strings as it lies on the wire; read with josch_strings_next. */
typedef struct JoschStrings
{
	uint32_t	count;
	JoschSlice	packed;
} JoschStrings;

/* Times are microseconds since 1970-01-01 UTC; 0 means not known. */
typedef struct JoschHello
{
	uint32_t	protocol;
	JoschSlice	version;		/* of the extension */
	JoschSlice	identity;		/* of the server: runs are keyed by it, */
	uint32_t	database;		/* by the database's oid and by run_id */
	JoschSlice	database_name;	/* for messages only */
	JoschSlice	runner_path;	/* the runner's program as the server knows it */
} JoschHello;

typedef struct JoschStart
{
	int64_t		run_id;			/* above 0, never used twice */
	JoschStrings argv;
	JoschStrings env;			/* "NAME=value", on top of the runner's own few */
	JoschSlice	cwd;			/* empty: the home of the runner's user */
	JoschSlice	log_path;		/* relative to the spool; must not exist */
	uint64_t	timeout_ms;		/* 0: none */
	uint64_t	grace_ms;		/* between TERM and KILL at the time-out */
	uint32_t	flags;
	JoschStrings ready_argv;	/* may be empty */
	uint64_t	ready_after_ms; /* for an empty ready_argv */
} JoschStart;

typedef struct JoschStop
{
	int64_t		run_id;
	uint64_t	grace_ms;
} JoschStop;

typedef struct JoschForget
{
	JoschSlice	ids;			/* i64 each; josch_forget_id */
} JoschForget;

typedef struct JoschLogRead
{
	int64_t		run_id;			/* 0: by path */
	JoschSlice	path;			/* relative to the spool */
	int64_t		offset;			/* below 0: from the end */
	uint32_t	max;
} JoschLogRead;

typedef struct JoschReplace
{
	JoschSlice	path;			/* absolute */
} JoschReplace;

typedef struct JoschWelcome
{
	uint32_t	protocol;
	JoschSlice	version;
	JoschSlice	incarnation;	/* one life of a runner; kept across REPLACE */
	int64_t		pid;
	int64_t		started_at;
	uint8_t		journal_intact; /* this life found the journal of the same boot, complete */
	int64_t		journal_since;	/* every START accepted since then is on record */
} JoschWelcome;

typedef struct JoschStarted
{
	int64_t		run_id;
	int64_t		pid;			/* also its process group and session */
	int64_t		started_at;
} JoschStarted;

typedef struct JoschStartFailed
{
	int64_t		run_id;
	uint32_t	error;			/* errno */
	JoschSlice	text;
} JoschStartFailed;

typedef struct JoschUp
{
	int64_t		run_id;
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
} JoschExit;

typedef struct JoschExited
{
	int64_t		run_id;
	JoschExit	end;
} JoschExited;

typedef struct JoschRun
{
	int64_t		run_id;
	uint8_t		state;			/* JoschRunState */
	uint32_t	flags;
	int64_t		pid;			/* 0: never got one, or not known */
	int64_t		started_at;
	int64_t		up_at;
	JoschExit	end;			/* kind JOSCH_EXIT_NONE unless exited */
} JoschRun;

typedef struct JoschRefused
{
	int64_t		run_id;
	uint8_t		reason;			/* JoschRefusal */
	JoschSlice	text;
} JoschRefused;

typedef struct JoschLogData
{
	int64_t		run_id;
	int64_t		offset;			/* of the first byte */
	JoschSlice	bytes;			/* as written, any encoding */
	uint8_t		eof;			/* nothing after these bytes at present */
} JoschLogData;

typedef struct JoschError
{
	JoschSlice	text;
} JoschError;

/* LIST and LIST_END */
typedef struct JoschNothing
{
	char		unused;
} JoschNothing;

/* Gives a block of size bytes that begins as ptr did; ptr NULL asks for a new one.  NULL: no memory. */
typedef void *(*JoschRealloc) (void *ptr, size_t size);

typedef struct JoschBuffer
{
	uint8_t    *data;
	size_t		len;
	size_t		capacity;
	JoschRealloc grow;
} JoschBuffer;

/* Makes room for `more` bytes after len. */
static inline bool
josch_buffer_reserve(JoschBuffer *buf, size_t more)
{
	size_t		want = buf->capacity ? buf->capacity : 256;
	void	   *data;

	if (buf->capacity - buf->len >= more)
	{
		return true;
	}
	while (want - buf->len < more)
	{
		want *= 2;
	}
	data = buf->grow(buf->data, want);
	if (data == NULL)
	{
		return false;
	}
	buf->data = (uint8_t *) data;
	buf->capacity = want;
	return true;
}

static inline bool
josch_buffer_append(JoschBuffer *buf, const void *data, size_t len)
{
	if (!josch_buffer_reserve(buf, len))
	{
		return false;
	}
	if (len > 0)
	{
		memcpy(buf->data + buf->len, data, len);
	}
	buf->len += len;
	return true;
}

/* Takes the first `len` bytes away. */
static inline void
josch_buffer_consume(JoschBuffer *buf, size_t len)
{
	buf->len -= len;
	if (buf->len > 0)
	{
		memmove(buf->data, buf->data + len, buf->len);
	}
}

static inline JoschSlice
josch_slice(const char *text)
{
	JoschSlice	slice = {text, text ? (uint32_t) strlen(text) : 0};

	return slice;
}

/* Writes to `out`, or reads from `in` when there is no `out`.  After a failure nothing more happens. */
typedef struct JoschCodec
{
	JoschBuffer *out;
	const uint8_t *in;
	size_t		in_len;
	bool		failed;
} JoschCodec;

/* Moves `len` raw bytes; the caller turns them into numbers. */
static inline void
josch_code_raw(JoschCodec *c, uint8_t *bytes, size_t len)
{
	if (c->failed)
	{
		return;
	}
	if (c->out != NULL)
	{
		c->failed = !josch_buffer_append(c->out, bytes, len);
	}
	else if (c->in_len < len)
	{
		c->failed = true;
	}
	else
	{
		memcpy(bytes, c->in, len);
		c->in += len;
		c->in_len -= len;
	}
}

static inline void
josch_code_u64(JoschCodec *c, uint64_t *value)
{
	uint8_t		b[8] = {0};
	uint64_t	v = c->out ? *value : 0;

	for (int i = 0; i < 8; i++)
	{
		b[i] = (uint8_t) (v >> (56 - 8 * i));
	}
	josch_code_raw(c, b, 8);
	v = 0;
	for (int i = 0; i < 8; i++)
	{
		v = v << 8 | b[i];
	}
	if (c->out == NULL)
	{
		*value = c->failed ? 0 : v;
	}
}

static inline void
josch_code_i64(JoschCodec *c, int64_t *value)
{
	uint64_t	v = c->out ? (uint64_t) *value : 0;

	josch_code_u64(c, &v);
	if (c->out == NULL)
	{
		*value = (int64_t) v;
	}
}

static inline void
josch_code_u32(JoschCodec *c, uint32_t *value)
{
	uint8_t		b[4] = {0};
	uint32_t	v = c->out ? *value : 0;

	b[0] = (uint8_t) (v >> 24);
	b[1] = (uint8_t) (v >> 16);
	b[2] = (uint8_t) (v >> 8);
	b[3] = (uint8_t) v;
	josch_code_raw(c, b, 4);
	if (c->out == NULL)
	{
		*value = c->failed ? 0 :
			(uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | (uint32_t) b[2] << 8 | b[3];
	}
}

static inline void
josch_code_u8(JoschCodec *c, uint8_t *value)
{
	uint8_t		b = c->out ? *value : 0;

	josch_code_raw(c, &b, 1);
	if (c->out == NULL)
	{
		*value = c->failed ? 0 : b;
	}
}

static inline void
josch_code_slice(JoschCodec *c, JoschSlice *slice)
{
	uint32_t	len = c->out ? slice->len : 0;

	josch_code_u32(c, &len);
	if (c->failed)
	{
		if (c->out == NULL)
		{
			*slice = josch_slice(NULL);
		}
		return;
	}
	if (c->out != NULL)
	{
		c->failed = !josch_buffer_append(c->out, slice->data, len);
		return;
	}
	c->failed = c->in_len < len;
	slice->data = c->failed ? NULL : (const char *) c->in;
	slice->len = c->failed ? 0 : len;
	c->in += slice->len;
	c->in_len -= slice->len;
}

/*
 * Takes the next string of a list, and moves the list past it.  False at the
 * end, and for a list that is not what it says.
 */
static inline bool
josch_strings_next(JoschStrings *list, JoschSlice *item)
{
	JoschCodec	c = {NULL, (const uint8_t *) list->packed.data, list->packed.len, false};

	if (list->count == 0)
	{
		return false;
	}
	josch_code_slice(&c, item);
	list->count--;
	list->packed.data = (const char *) c.in;
	list->packed.len = (uint32_t) c.in_len;
	return !c.failed;
}

/* Appends one string to the bytes of a list; `packed` starts as an empty buffer. */
static inline bool
josch_strings_add(JoschBuffer *packed, JoschStrings *list, JoschSlice item)
{
	JoschCodec	c = {packed, NULL, 0, false};

	josch_code_slice(&c, &item);
	list->count++;
	list->packed.data = (const char *) packed->data;
	list->packed.len = (uint32_t) packed->len;
	return !c.failed;
}

/* A list that was read is checked whole, so that later walks cannot fail: count and no zero inside. */
static inline void
josch_code_strings(JoschCodec *c, JoschStrings *list)
{
	JoschStrings walk;
	JoschSlice	item;
	uint32_t	seen = 0;

	josch_code_u32(c, &list->count);
	josch_code_slice(c, &list->packed);
	if (c->failed || c->out != NULL)
	{
		return;
	}
	walk = *list;
	while (josch_strings_next(&walk, &item))
	{
		seen++;
		if (item.len > 0 && memchr(item.data, 0, item.len) != NULL)
		{
			c->failed = true;
			return;
		}
	}
	c->failed = seen != list->count || walk.packed.len != 0;
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
}

static inline void
josch_code_start(JoschCodec *c, JoschStart *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_strings(c, &m->argv);
	josch_code_strings(c, &m->env);
	josch_code_slice(c, &m->cwd);
	josch_code_slice(c, &m->log_path);
	josch_code_u64(c, &m->timeout_ms);
	josch_code_u64(c, &m->grace_ms);
	josch_code_u32(c, &m->flags);
	josch_code_strings(c, &m->ready_argv);
	josch_code_u64(c, &m->ready_after_ms);
}

static inline void
josch_code_stop(JoschCodec *c, JoschStop *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_u64(c, &m->grace_ms);
}

static inline void
josch_code_forget(JoschCodec *c, JoschForget *m)
{
	josch_code_slice(c, &m->ids);
}

static inline void
josch_code_log_read(JoschCodec *c, JoschLogRead *m)
{
	josch_code_i64(c, &m->run_id);
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
josch_code_welcome(JoschCodec *c, JoschWelcome *m)
{
	josch_code_u32(c, &m->protocol);
	josch_code_slice(c, &m->version);
	josch_code_slice(c, &m->incarnation);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
	josch_code_u8(c, &m->journal_intact);
	josch_code_i64(c, &m->journal_since);
}

static inline void
josch_code_started(JoschCodec *c, JoschStarted *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
}

static inline void
josch_code_start_failed(JoschCodec *c, JoschStartFailed *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_u32(c, &m->error);
	josch_code_slice(c, &m->text);
}

static inline void
josch_code_up(JoschCodec *c, JoschUp *m)
{
	josch_code_i64(c, &m->run_id);
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
}

static inline void
josch_code_exited(JoschCodec *c, JoschExited *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_exit(c, &m->end);
}

static inline void
josch_code_run(JoschCodec *c, JoschRun *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_u8(c, &m->state);
	josch_code_u32(c, &m->flags);
	josch_code_i64(c, &m->pid);
	josch_code_i64(c, &m->started_at);
	josch_code_i64(c, &m->up_at);
	josch_code_exit(c, &m->end);
}

static inline void
josch_code_refused(JoschCodec *c, JoschRefused *m)
{
	josch_code_i64(c, &m->run_id);
	josch_code_u8(c, &m->reason);
	josch_code_slice(c, &m->text);
}

static inline void
josch_code_log_data(JoschCodec *c, JoschLogData *m)
{
	josch_code_i64(c, &m->run_id);
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

typedef struct JoschFrame
{
	uint8_t		type;
	const uint8_t *body;
	size_t		body_len;
	size_t		total;			/* bytes to take out of the stream */
} JoschFrame;

typedef enum JoschFrameStatus
{
	JOSCH_FRAME_MORE,			/* not complete yet */
	JOSCH_FRAME_OK,
	JOSCH_FRAME_BROKEN			/* no length that can be; the stream is lost */
} JoschFrameStatus;

/* Finds the first frame of a stream's bytes. */
static inline JoschFrameStatus
josch_frame_next(const void *data, size_t len, JoschFrame *frame)
{
	JoschCodec	c = {NULL, (const uint8_t *) data, len, false};
	uint32_t	body = 0;

	if (len < 4)
	{
		return JOSCH_FRAME_MORE;
	}
	josch_code_u32(&c, &body);
	if (body < 1 || body > JOSCH_FRAME_MAX)
	{
		return JOSCH_FRAME_BROKEN;
	}
	if (c.in_len < body)
	{
		return JOSCH_FRAME_MORE;
	}
	frame->type = c.in[0];
	frame->body = c.in + 1;
	frame->body_len = body - 1;
	frame->total = (size_t) body + 4;
	return JOSCH_FRAME_OK;
}

/* Starts a frame and gives its place for josch_frame_end. */
static inline size_t
josch_frame_begin(JoschCodec *c, uint8_t type)
{
	size_t		start = c->out->len;
	uint32_t	length = 0;

	josch_code_u32(c, &length);
	josch_code_u8(c, &type);
	return start;
}

/* Fills in the length.  False, and nothing added, when memory ran out or the frame is too long. */
static inline bool
josch_frame_end(JoschCodec *c, size_t start)
{
	size_t		length;
	uint8_t    *p;

	if (c->failed || c->out->len - start - 4 > JOSCH_FRAME_MAX)
	{
		c->out->len = start;
		return false;
	}
	length = c->out->len - start - 4;
	p = c->out->data + start;
	p[0] = (uint8_t) (length >> 24);
	p[1] = (uint8_t) (length >> 16);
	p[2] = (uint8_t) (length >> 8);
	p[3] = (uint8_t) length;
	return true;
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
JOSCH_DEFINE_MESSAGE(list, JoschNothing, nothing, JOSCH_MSG_LIST)
JOSCH_DEFINE_MESSAGE(log_read, JoschLogRead, log_read, JOSCH_MSG_LOG)
JOSCH_DEFINE_MESSAGE(replace, JoschReplace, replace, JOSCH_MSG_REPLACE)
JOSCH_DEFINE_MESSAGE(welcome, JoschWelcome, welcome, JOSCH_MSG_WELCOME)
JOSCH_DEFINE_MESSAGE(started, JoschStarted, started, JOSCH_MSG_STARTED)
JOSCH_DEFINE_MESSAGE(start_failed, JoschStartFailed, start_failed, JOSCH_MSG_START_FAILED)
JOSCH_DEFINE_MESSAGE(up, JoschUp, up, JOSCH_MSG_UP)
JOSCH_DEFINE_MESSAGE(exited, JoschExited, exited, JOSCH_MSG_EXITED)
JOSCH_DEFINE_MESSAGE(run, JoschRun, run, JOSCH_MSG_RUN)
JOSCH_DEFINE_MESSAGE(list_end, JoschNothing, nothing, JOSCH_MSG_LIST_END)
JOSCH_DEFINE_MESSAGE(refused, JoschRefused, refused, JOSCH_MSG_REFUSED)
JOSCH_DEFINE_MESSAGE(log_data, JoschLogData, log_data, JOSCH_MSG_LOG_DATA)
JOSCH_DEFINE_MESSAGE(error, JoschError, error, JOSCH_MSG_ERROR)

/* The i-th id of a FORGET; there are josch_forget_count of them. */
static inline uint32_t
josch_forget_count(const JoschForget *m)
{
	return m->ids.len / 8;
}

static inline int64_t
josch_forget_id(const JoschForget *m, uint32_t i)
{
	JoschCodec	c = {NULL, (const uint8_t *) m->ids.data + (size_t) i * 8, 8, false};
	int64_t		id = 0;

	josch_code_i64(&c, &id);
	return id;
}

#endif							/* JOSCH_PROTOCOL_H */
