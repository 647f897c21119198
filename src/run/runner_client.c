/*
 * src/run/runner_client.c
 *	  The scheduler's end of the socket to josch-runner.
 *
 * Whatever the runner does or fails to do, the scheduler's loop goes on: no
 * call here waits for an answer, and all trouble with the connection becomes
 * one JOSCH_RUNNER_LOST event.  The one thing that takes a moment is starting
 * a runner (runner_start.c).
 */
#include "base/josch.h"

#include <sys/socket.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "base/version.h"
#include "run/runner_client.h"
#include "run/runner_sense.h"
#include "run/runner_start.h"

#define BUFFER_SIZE 8192
#define READ_SIZE (64 * 1024)
#define PATH_LIMIT 4500			/* bytes of a path that it has found */
#define NAME_LIMIT 256			/* bytes of a name that it tells */
#define LISTS 5
#define READS_A_CALL 64			/* what else has arrived is read by the next call */

struct JoschRunner
{
	MemoryContext context;
	pgsocket	fd;
	bool		lost;
	bool		lost_told;
	char		lost_reason[256];
	bool		welcomed;
	JoschRunnerInfo info;
	JoschBuffer in;
	JoschBuffer out;
	JoschBuffer lists[LISTS];	/* argv, env, ready_argv, attach_argv, stop_argv of the START being made */
};

/* -------------------------------------------------------------- connecting */

/* Buffers always have a block, so that this keeps it in its context. */
static void *
grow_block(void *ptr, size_t size)
{
	return repalloc_huge(ptr, size);
}

static JoschBuffer
make_buffer(MemoryContext context)
{
	JoschBuffer buffer = {NULL, 0, BUFFER_SIZE, grow_block};

	buffer.data = MemoryContextAlloc(context, BUFFER_SIZE);
	return buffer;
}

static void
say_hello(JoschRunner *runner, const JoschRunnerOwner *owner)
{
	char		path[MAXPGPATH];
	JoschHello	hello = {JOSCH_PROTOCOL_VERSION};

	josch_runner_program(path);
	hello.version = josch_slice(josch_version);
	hello.identity = josch_slice(owner->identity);
	hello.database = owner->database;
	hello.database_name = josch_slice(owner->database_name);
	hello.runner_path = josch_slice(path);
	hello.token = josch_slice(owner->token);
	hello.highest = owner->highest;
	josch_encode_hello(&runner->out, &hello);
	josch_runner_flush(runner);
}

JoschRunner *
josch_runner_connect(const char *spool, const JoschRunnerOwner *owner, bool may_start, char **reason)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "josch runner client",
												  ALLOCSET_DEFAULT_SIZES);
	JoschRunner *runner = MemoryContextAllocZero(context, sizeof(JoschRunner));
	int			i;

	runner->context = context;
	runner->in = make_buffer(context);
	runner->out = make_buffer(context);
	for (i = 0; i < LISTS; i++)
	{
		runner->lists[i] = make_buffer(context);
	}
	runner->fd = josch_runner_open(spool, may_start, reason);
	if (runner->fd == PGINVALID_SOCKET)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	ReserveExternalFD();
	say_hello(runner, owner);
	return runner;
}

void
josch_runner_close(JoschRunner *runner)
{
	close(runner->fd);
	ReleaseExternalFD();
	MemoryContextDelete(runner->context);
}

pgsocket
josch_runner_socket(JoschRunner *runner)
{
	return runner->fd;
}

bool
josch_runner_wants_write(JoschRunner *runner)
{
	return runner->out.len > 0;
}

const JoschRunnerInfo *
josch_runner_info(JoschRunner *runner)
{
	return runner->welcomed ? &runner->info : NULL;
}

static void
lose(JoschRunner *runner, const char *reason)
{
	if (!runner->lost)
	{
		strlcpy(runner->lost_reason, reason, sizeof(runner->lost_reason));
	}
	runner->lost = true;
	runner->in.len = runner->out.len = 0;
}

/* ----------------------------------------------------------------- sending */

static JoschStrings
pack_list(JoschBuffer *packed, const char *const *items)
{
	JoschStrings list = {0};

	packed->len = 0;
	for (; items != NULL && *items != NULL; items++)
	{
		josch_strings_add(packed, &list, josch_slice(*items));
	}
	return list;
}

bool
josch_runner_send_start(JoschRunner *runner, const JoschRunnerStart *start)
{
	JoschStart	m = {start->key.run_id, start->key.nonce};

	if (runner->lost)
	{
		return true;
	}
	m.argv = pack_list(&runner->lists[0], start->argv);
	m.env = pack_list(&runner->lists[1], start->env);
	m.ready_argv = pack_list(&runner->lists[2], start->ready_argv);
	m.attach_argv = pack_list(&runner->lists[3], start->attach_argv);
	m.stop_argv = pack_list(&runner->lists[4], start->stop_argv);
	m.cwd = josch_slice(start->cwd);
	m.log_path = josch_slice(start->log_path);
	m.timeout_ms = start->timeout_ms;
	m.grace_ms = start->grace_ms;
	m.flags = (start->long_running ? JOSCH_START_LONG_RUNNING : 0) | (start->lost != NULL ? JOSCH_START_ADOPT : 0) |
		(start->executor ? JOSCH_START_EXECUTOR : 0);
	m.ready_after_ms = start->ready_after_ms;
	m.pid = start->pid;
	m.started_at = start->pid != 0 ? start->started_at + JOSCH_UNIX_TO_POSTGRES_US : 0;
	m.reason = josch_slice(start->lost);
	m.log_limit = start->log_limit;
	return josch_encode_start(&runner->out, &m);
}

void
josch_runner_send_stop(JoschRunner *runner, JoschScope scope, JoschRunKey key, uint64 grace_ms)
{
	JoschStop	m = {scope, key.run_id, key.nonce, grace_ms};

	if (!runner->lost)
	{
		josch_encode_stop(&runner->out, &m);
	}
}

void
josch_runner_send_forget(JoschRunner *runner, JoschScope scope, const JoschRunKey *keys, int count)
{
	const int	most = JOSCH_FRAME_MAX / 32;
	JoschCodec	c = {&runner->lists[0], NULL, 0, false};
	JoschForget m = {scope};
	int			i;

	if (runner->lost)
	{
		return;
	}
	for (; count > 0; keys += most, count -= most)
	{
		runner->lists[0].len = 0;
		for (i = 0; i < count && i < most; i++)
		{
			JoschRunKey key = keys[i];

			josch_code_key(&c, &key);
		}
		m.keys.data = (const char *) runner->lists[0].data;
		m.keys.len = (uint32_t) runner->lists[0].len;
		josch_encode_forget(&runner->out, &m);
	}
}

void
josch_runner_send_list(JoschRunner *runner, JoschScope scope)
{
	JoschList	m = {scope};

	if (!runner->lost)
	{
		josch_encode_list(&runner->out, &m);
	}
}

void
josch_runner_send_watch(JoschRunner *runner, int64 number, const WaitPath *path, uint64 stable_ms, uint64 interval_ms)
{
	JoschWatch	m = {.number = number, .pattern = path->pattern, .stable_ms = stable_ms, .interval_ms = interval_ms};

	if (!runner->lost)
	{
		m.folder = josch_slice(path->folder);
		m.name = josch_slice(path->name);
		josch_encode_watch(&runner->out, &m);
	}
}

void
josch_runner_send_unwatch(JoschRunner *runner, int64 number)
{
	JoschUnwatch m = {number};

	if (!runner->lost)
	{
		josch_encode_unwatch(&runner->out, &m);
	}
}

void
josch_runner_send_log(JoschRunner *runner, const char *path, int64 offset, uint32 max)
{
	JoschLogRead m = {0, 0, josch_slice(path), offset, max};

	if (!runner->lost)
	{
		josch_encode_log_read(&runner->out, &m);
	}
}

bool
josch_runner_flush(JoschRunner *runner)
{
	size_t		sent = 0;

	while (sent < runner->out.len)
	{
		ssize_t		n = send(runner->fd, runner->out.data + sent, runner->out.len - sent, MSG_NOSIGNAL);

		if (n > 0)
		{
			sent += n;
		}
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
		{
			break;
		}
		else if (errno != EINTR)
		{
			char		reason[128];

			snprintf(reason, sizeof(reason), "could not send to the runner: %s", strerror(errno));
			lose(runner, reason);
			return true;
		}
	}
	josch_buffer_consume(&runner->out, sent);
	return runner->out.len == 0;
}

/* ----------------------------------------------------------------- reading */

static JoschRunnerEvent *
add_event(List **events, JoschRunnerEventType type)
{
	JoschRunnerEvent *event = palloc0(sizeof(JoschRunnerEvent));

	event->type = type;
	event->text = pstrdup("");
	*events = lappend(*events, event);
	return event;
}

static RunEvent *
add_run_event(List **events, RunEventType type, JoschRunKey key)
{
	JoschRunnerEvent *event = add_event(events, JOSCH_RUNNER_EVENT);

	event->run = josch_run_event(type, key);
	event->run.utf8 = true;
	return &event->run;
}

static void
set_text(JoschRunnerEvent *event, char *text)
{
	event->text = text;
	event->text_len = strlen(text);
}

/* Bytes of a log, as they are. */
static void
set_bytes(JoschRunnerEvent *event, JoschSlice slice)
{
	event->text = palloc(slice.len + 1);
	if (slice.len > 0)
	{
		memcpy(event->text, slice.data, slice.len);
	}
	event->text[slice.len] = '\0';
	event->text_len = slice.len;
}

static void
add_end(List **events, JoschRunKey key, const JoschExit *end, uint32 flags, JoschSlice report)
{
	RunEvent   *event = add_run_event(events, RUN_ENDED, key);

	josch_runner_sense_end(event, end, flags);
	event->report = josch_runner_sense_report(report);
}

static void
add_report(List **events, JoschRunKey key, JoschSlice report)
{
	if (report.len > 0)
	{
		add_run_event(events, RUN_REPORTED, key)->report = josch_runner_sense_report(report);
	}
}

static void
add_start(List **events, JoschRunKey key, int64 pid, int64_t started_at)
{
	RunEvent   *event = add_run_event(events, RUN_STARTED, key);

	event->pid = josch_runner_sense_pid(pid);
	event->started_at = josch_runner_sense_moment(started_at);
}

/*
 * An older runner, or one that speaks another protocol, is asked to replace
 * itself.  A newer one that understands us stays: during an update, servers'
 * processes with the old and the new library would else push it to and fro.
 */
static void
ask_to_replace(JoschRunner *runner, bool understands)
{
	char		path[MAXPGPATH];
	JoschReplace m;

	if (understands && josch_version_compare(runner->info.version, josch_version) >= 0)
	{
		return;
	}
	josch_runner_program(path);
	m.path = josch_slice(path);
	josch_encode_replace(&runner->out, &m);
	josch_runner_flush(runner);
}

static bool
take_welcome(JoschRunner *runner, const JoschFrame *frame, List **events)
{
	JoschWelcome m;
	MemoryContext old;

	if (!josch_decode_welcome(frame, &m))
	{
		return false;
	}
	old = MemoryContextSwitchTo(runner->context);
	runner->info.version = josch_runner_sense_line(m.version, NAME_LIMIT);
	runner->info.ledger = josch_runner_sense_line(m.ledger, NAME_LIMIT);
	MemoryContextSwitchTo(old);
	runner->info.pid = m.pid;
	runner->info.started_at = josch_runner_sense_time(m.started_at);
	runner->info.highest = m.highest;
	runner->info.given = m.given;
	runner->welcomed = true;
	set_text(add_event(events, JOSCH_RUNNER_WELCOME), pstrdup(runner->info.version));
	ask_to_replace(runner, m.protocol == JOSCH_PROTOCOL_VERSION);
	return true;
}

static JoschRunnerListed
listed_of(const JoschRun *m)
{
	return (JoschRunnerListed) {
		.ended = m->state == JOSCH_RUN_STATE_EXITED, .pid = josch_runner_sense_pid(m->pid), .started_at = josch_runner_sense_time(m->started_at),
		.log_path = josch_runner_sense_line(m->log_path, MAXPGPATH), .other = m->identity.len > 0, .identity = pnstrdup(m->identity.len > 0 ? m->identity.data : "", m->identity.len),
		.database = m->database, .database_name = josch_runner_sense_line(m->database_name, NAME_LIMIT), .token = josch_runner_sense_line(m->token, NAME_LIMIT)
	};
}

/* An entry of the list: the same as if each event had just come. */
static bool
take_run(const JoschFrame *frame, List **events)
{
	JoschRun	m;
	JoschRunKey key;
	JoschRunnerEvent *event;

	if (!josch_decode_run(frame, &m))
	{
		return false;
	}
	key = (JoschRunKey) {m.run_id, m.nonce};
	event = add_event(events, JOSCH_RUNNER_LISTED);
	event->run = josch_run_event(RUN_STARTED, key);
	event->listed = listed_of(&m);
	if (event->listed.other)
	{
		return true;
	}
	if (m.pid != 0)
	{
		add_start(events, key, m.pid, m.started_at);
	}
	if ((m.flags & JOSCH_RUN_UP) != 0)
	{
		add_run_event(events, RUN_UP, key)->up_at = josch_runner_sense_moment(m.up_at);
	}
	if (m.state == JOSCH_RUN_STATE_EXITED)
	{
		add_end(events, key, &m.end, m.flags, m.report);
	}
	else
	{
		add_report(events, key, m.report);
	}
	return true;
}

static bool
take_exited(const JoschFrame *frame, List **events)
{
	JoschExited m;

	if (!josch_decode_exited(frame, &m))
	{
		return false;
	}
	add_end(events, (JoschRunKey) {m.run_id, m.nonce}, &m.end, m.end.flags, m.report);
	return true;
}

static bool
take_reported(const JoschFrame *frame, List **events)
{
	JoschReported m;

	if (!josch_decode_reported(frame, &m))
	{
		return false;
	}
	add_report(events, (JoschRunKey) {m.run_id, m.nonce}, m.report);
	return true;
}

static bool
take_started(const JoschFrame *frame, List **events)
{
	JoschStarted m;

	if (!josch_decode_started(frame, &m))
	{
		return false;
	}
	add_start(events, (JoschRunKey) {m.run_id, m.nonce}, m.pid, m.started_at);
	return true;
}

static bool
take_start_failed(const JoschFrame *frame, List **events)
{
	JoschStartFailed m;
	RunEvent   *event;

	if (!josch_decode_start_failed(frame, &m))
	{
		return false;
	}
	event = add_run_event(events, m.passing ? RUN_DELAYED : RUN_ENDED, (JoschRunKey) {m.run_id, m.nonce});
	event->kind = RUN_END_NOT_STARTED;
	event->text = m.text.len > 0 ? josch_runner_sense_text(m.text, JOSCH_MESSAGE_MAX) : NULL;
	return true;
}

static bool
take_up(const JoschFrame *frame, List **events)
{
	JoschUp		m;

	if (!josch_decode_up(frame, &m))
	{
		return false;
	}
	add_run_event(events, RUN_UP, (JoschRunKey) {m.run_id, m.nonce})->up_at = josch_runner_sense_moment(m.up_at);
	return true;
}

static bool
take_refused(const JoschFrame *frame, List **events)
{
	JoschRefused m;
	JoschRunnerEvent *event;

	if (!josch_decode_refused(frame, &m))
	{
		return false;
	}
	event = add_event(events, JOSCH_RUNNER_REFUSED);
	event->run = josch_run_event(RUN_STARTED, (JoschRunKey) {m.run_id, m.nonce});
	event->refusal = (JoschRefusal) m.reason;
	set_text(event, josch_runner_sense_line(m.text, JOSCH_MESSAGE_MAX));
	return true;
}

static bool
take_log_data(const JoschFrame *frame, List **events)
{
	JoschLogData m;
	JoschRunnerEvent *event;

	if (!josch_decode_log_data(frame, &m))
	{
		return false;
	}
	event = add_event(events, JOSCH_RUNNER_LOG_DATA);
	event->offset = m.offset;
	event->eof = m.eof != 0;
	set_bytes(event, m.bytes);
	return true;
}

static bool
take_looked(const JoschFrame *frame, List **events)
{
	JoschLooked m;
	JoschRunnerEvent *event;

	if (!josch_decode_looked(frame, &m))
	{
		return false;
	}
	event = add_event(events, JOSCH_RUNNER_LOOKED);
	event->number = m.number;
	event->looked = (JoschLookedKind) m.kind;
	set_text(event, josch_runner_sense_line(m.kind == JOSCH_LOOKED_FOUND ? m.path : m.text, PATH_LIMIT));
	return true;
}

static bool
take_error(const JoschFrame *frame, List **events)
{
	JoschError	m;

	if (!josch_decode_error(frame, &m))
	{
		return false;
	}
	set_text(add_event(events, JOSCH_RUNNER_ERROR), josch_runner_sense_line(m.text, JOSCH_MESSAGE_MAX));
	return true;
}

/* Adds what a frame says to the events.  False: it is not what it says. */
static bool
take_frame(JoschRunner *runner, const JoschFrame *frame, List **events)
{
	switch (frame->type)
	{
		case JOSCH_MSG_WELCOME:
			return take_welcome(runner, frame, events);
		case JOSCH_MSG_STARTED:
			return take_started(frame, events);
		case JOSCH_MSG_START_FAILED:
			return take_start_failed(frame, events);
		case JOSCH_MSG_UP:
			return take_up(frame, events);
		case JOSCH_MSG_EXITED:
			return take_exited(frame, events);
		case JOSCH_MSG_RUN:
			return take_run(frame, events);
		case JOSCH_MSG_LIST_END:
			(void) add_event(events, JOSCH_RUNNER_LIST_END);
			return true;
		case JOSCH_MSG_REFUSED:
			return take_refused(frame, events);
		case JOSCH_MSG_LOG_DATA:
			return take_log_data(frame, events);
		case JOSCH_MSG_LOOKED:
			return take_looked(frame, events);
		case JOSCH_MSG_ERROR:
			return take_error(frame, events);
		case JOSCH_MSG_REPORTED:
			return take_reported(frame, events);
	}
	return false;
}

/* Moves what has arrived into the buffer; false when no more will come: the peer has closed, or the connection broke. */
static bool
receive(JoschRunner *runner)
{
	for (int i = 0; i < READS_A_CALL; i++)
	{
		ssize_t		n;

		josch_buffer_reserve(&runner->in, READ_SIZE);
		n = recv(runner->fd, runner->in.data + runner->in.len, READ_SIZE, 0);
		if (n <= 0)
		{
			return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
		}
		runner->in.len += n;
		if (n < READ_SIZE)
		{
			return true;		/* that was all: what comes next is told anew */
		}
	}
	return true;
}

/* The whole frames in the buffer, as events. */
static List *
take_frames(JoschRunner *runner)
{
	List	   *events = NIL;
	size_t		done = 0;
	JoschFrame	frame;
	JoschFrameStatus status;

	while ((status = josch_frame_next(runner->in.data + done, runner->in.len - done, &frame)) == JOSCH_FRAME_OK)
	{
		if (!take_frame(runner, &frame, &events))
		{
			status = JOSCH_FRAME_BROKEN;
			break;
		}
		if (runner->lost)
		{
			return events;		/* an answer to it could not be sent */
		}
		done += frame.total;
	}
	if (status == JOSCH_FRAME_BROKEN)
	{
		lose(runner, "the runner sent what is not the protocol");
		return events;
	}
	josch_buffer_consume(&runner->in, done);
	return events;
}

/* What it tells of, it was given; also by a connection before this one, which it has read since it greeted us. */
static void
note_given(JoschRunner *runner, const List *events)
{
	ListCell   *cell;

	foreach(cell, events)
	{
		JoschRunnerEvent *event = lfirst(cell);

		if (event->type == JOSCH_RUNNER_EVENT)
		{
			runner->info.given = Max(runner->info.given, event->run.run_id);
		}
	}
}

List *
josch_runner_read(JoschRunner *runner, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *events = NIL;

	if (!runner->lost)
	{
		bool		goes_on = receive(runner);

		events = take_frames(runner);
		note_given(runner, events);
		if (!runner->lost && !goes_on)
		{
			lose(runner, "the runner has closed the connection");
		}
	}
	if (runner->lost && !runner->lost_told)
	{
		set_text(add_event(&events, JOSCH_RUNNER_LOST), pstrdup(runner->lost_reason));
		runner->lost_told = true;
	}
	MemoryContextSwitchTo(old);
	return events;
}
