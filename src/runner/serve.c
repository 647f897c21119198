/*
 * src/runner/serve.c
 *	  What each message of a scheduler does.
 *
 * A connection speaks for the one owner (server, database, token) that its HELLO
 * named.  What it asks or tells concerns that one's runs, and others' only where it
 * names a wider scope: then to look for what nobody else can look after.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMES_A_TURN 16		/* then exits get their turn */
#define LIST_PIECE (1024 * 1024)
#define LOG_PIECE (1024 * 1024)
#define IDENTITY_MAX 1024
#define PATH_LIMIT 4000

/* Adds one piece of the answer to LIST.  False when it is complete. */
static bool
list_more(Conn *conn)
{
	JoschNothing nothing = {0};
	JoschRun	m;

	while (conn->list_next == NULL && conn->list_owner != NULL)
	{
		conn->list_owner = conn->list_owner->next;
		if (conn->list_owner != NULL && owner_is_meant(conn->list_owner, conn->owner, conn->list_scope))
		{
			conn->list_next = conn->list_owner->first;
		}
	}
	if (conn->list_next == NULL)
	{
		josch_encode_list_end(&conn->out, &nothing);
		return false;
	}
	run_describe(conn->list_next, &m);
	if (conn->list_owner != conn->owner)
	{
		m.identity = josch_slice(conn->list_owner->identity);
		m.database = conn->list_owner->database;
		m.database_name = josch_slice(conn->list_owner->name);
		m.token = josch_slice(conn->list_owner->token);
	}
	josch_encode_run(&conn->out, &m);
	free((void *) m.report.data);
	conn->list_next = conn->list_next->next;
	return true;
}

/* Begins the answer to LIST: the owners from the first on. */
static bool
serve_list(Conn *conn, const JoschFrame *frame)
{
	JoschList	m;

	if (!josch_decode_list(frame, &m) || m.scope > JOSCH_SCOPE_ALL)
	{
		return false;
	}
	conn->list_scope = m.scope;
	conn->list_owner = owner_first();
	conn->list_next = owner_is_meant(conn->list_owner, conn->owner, m.scope) ? conn->list_owner->first : NULL;
	conn->listing = true;
	return true;
}

static void
send_welcome(Conn *conn)
{
	JoschWelcome m = {.protocol = JOSCH_PROTOCOL_VERSION, .pid = getpid()};

	m.version = josch_slice(JOSCH_VERSION);
	m.incarnation = josch_slice(runner.incarnation);
	m.started_at = runner.started_at;
	m.ledger = josch_slice(runner.ledger);
	m.highest = conn->owner->highest;
	m.given = conn->owner->given;
	josch_encode_welcome(&conn->out, &m);
}

static bool
is_name(JoschSlice text)
{
	return text.len <= IDENTITY_MAX && (text.len == 0 || memchr(text.data, 0, text.len) == NULL);
}

static bool
is_path(JoschSlice text)
{
	return text.len > 0 && text.len <= PATH_LIMIT && memchr(text.data, 0, text.len) == NULL;
}

/* An owner gives numbers to others, too: to SQL runs. */
static void
note_highest(Owner *owner, int64_t highest)
{
	if (highest > owner->highest)
	{
		owner_raise(owner, highest, 0);
		if (!journal_highest(owner))
		{
			log_line("could not record the highest number of %s: %m", owner->name);
		}
	}
}

static bool
serve_hello(Conn *conn, const JoschFrame *frame)
{
	JoschHello	m;

	if (!josch_decode_hello(frame, &m) || m.identity.len == 0 || !is_name(m.identity) || !is_name(m.token))
	{
		return false;
	}
	conn->owner = owner_find(m.identity, m.database, m.token);
	if (conn->owner == NULL)
	{
		conn->owner = owner_add(0, m.identity, m.database, m.database_name, m.token);
	}
	conn->compatible = m.protocol == JOSCH_PROTOCOL_VERSION;
	send_welcome(conn);
	note_highest(conn->owner, m.highest);
	return true;
}

/*
 * A log bears number and nonce of its run, and is made before the process is: what
 * has one has been started, whatever the journal knows.
 */
static bool
has_log(const JoschStart *start)
{
	char	   *path = slice_dup(start->log_path);
	int			fd = spool_path_allowed(path) ? spool_open(path, O_RDONLY | O_NONBLOCK) : -1;

	if (fd >= 0)
	{
		close(fd);
	}
	free(path);
	return fd >= 0;
}

static bool
serve_start(Conn *conn, const JoschFrame *frame)
{
	JoschStart	m;
	JoschRunKey key;
	bool		adopt;
	bool		attachable;

	if (!josch_decode_start(frame, &m) || m.run_id <= 0 || m.nonce == 0)
	{
		return false;
	}
	key = (JoschRunKey) {m.run_id, m.nonce};
	adopt = (m.flags & JOSCH_START_ADOPT) != 0;
	/* whoever has the run elsewhere may know still what has been forgotten here */
	attachable = adopt && m.attach_argv.count > 0;
	if (!spool_is_ours())
	{
		/* another runner may have come in its place, and this connection be of before */
		conn_fail(conn, "the spool was moved or removed");
	}
	else if (run_find(conn->owner, key) != NULL)
	{
		tell_refused(conn, key, JOSCH_REFUSED_KNOWN);
	}
	else if ((seen_has(&conn->owner->forgotten, key) && !attachable) || (!adopt && has_log(&m)))
	{
		tell_refused(conn, key, JOSCH_REFUSED_FORGOTTEN);
	}
	else if (adopt)
	{
		run_adopt(conn, &m);
	}
	else
	{
		run_start(conn, &m);
	}
	return true;
}

static bool
serve_stop(Conn *conn, const JoschFrame *frame)
{
	JoschStop	m;
	Run		   *run;

	if (!josch_decode_stop(frame, &m))
	{
		return false;
	}
	run = run_find_meant(conn->owner, m.scope, (JoschRunKey) {m.run_id, m.nonce});
	if (run != NULL)
	{
		stop_run(run, m.grace_ms, JOSCH_RUN_STOP_REQUESTED);
	}
	return true;
}

static bool
serve_forget(Conn *conn, const JoschFrame *frame)
{
	JoschForget m;

	if (!josch_decode_forget(frame, &m))
	{
		return false;
	}
	run_forget(conn->owner, &m);
	return true;
}

/* Reads a piece of the open log and sends it. */
static void
send_log(Conn *conn, const JoschLogRead *request, int fd)
{
	JoschLogData m = {.run_id = request->run_id, .nonce = request->nonce};
	uint32_t	max = request->max < LOG_PIECE ? request->max : LOG_PIECE;
	char	   *bytes = xrealloc(NULL, max);
	struct stat st;
	ssize_t		n;

	memset(&st, 0, sizeof(st));
	fstat(fd, &st);
	m.offset = request->offset >= 0 ? request->offset : st.st_size + request->offset;
	m.offset = m.offset < 0 ? 0 : m.offset;
	max = (uint32_t) trim_piece(fd, &m.offset, max);
	n = S_ISREG(st.st_mode) ? pread(fd, bytes, max, m.offset) : (errno = EINVAL, -1);
	if (n < 0)
	{
		conn_error(conn, "could not read the log");
	}
	else
	{
		m.bytes.data = bytes;
		m.bytes.len = (uint32_t) n;
		m.eof = m.offset + n >= st.st_size;
		josch_encode_log_data(&conn->out, &m);
	}
	free(bytes);
}

static bool
serve_log(Conn *conn, const JoschFrame *frame)
{
	JoschLogRead m;
	Run		   *run;
	char	   *path;
	int			fd = -1;

	if (!josch_decode_log_read(frame, &m))
	{
		return false;
	}
	run = m.run_id != 0 ? run_find(conn->owner, (JoschRunKey) {m.run_id, m.nonce}) : NULL;
	path = m.run_id == 0 ? slice_dup(m.path) : xstrdup(run ? run->log_path : "");
	errno = ENOENT;
	if (spool_path_allowed(path))
	{
		fd = spool_open(path, O_RDONLY | O_NONBLOCK);
	}
	if (fd < 0)
	{
		char	   *text = format("could not open log \"%s\" of run %lld: %s", path,
								  (long long) m.run_id, strerror(errno));

		conn_error(conn, text);
		free(text);
	}
	else
	{
		send_log(conn, &m, fd);
		close(fd);
	}
	free(path);
	return true;
}

static bool
serve_watch(Conn *conn, const JoschFrame *frame)
{
	JoschWatch	m;

	if (!josch_decode_watch(frame, &m) || !is_path(m.folder) || m.folder.data[0] != '/' || !is_path(m.name) || memchr(m.name.data, '/', m.name.len) != NULL)
	{
		return false;
	}
	relay_watch(conn, &m);
	return true;
}

static bool
serve_unwatch(Conn *conn, const JoschFrame *frame)
{
	JoschUnwatch m;

	if (!josch_decode_unwatch(frame, &m))
	{
		return false;
	}
	relay_unwatch(conn, m.number);
	return true;
}

static bool
serve_replace(Conn *conn, const JoschFrame *frame)
{
	JoschReplace m;
	char	   *path;

	if (!josch_decode_replace(frame, &m))
	{
		return false;
	}
	path = slice_dup(m.path);
	if (path[0] != '/' || access(path, X_OK) != 0)
	{
		char	   *text = format("could not replace the runner by \"%s\": %s", path,
								  path[0] != '/' ? "not an absolute path" : strerror(errno));

		conn_error(conn, text);
		free(text);
		free(path);
		return true;
	}
	free(runner.replace_by);
	runner.replace_by = path;
	runner.replace_asker = conn;
	return true;
}

/* Serves one frame.  One that is not what it says ends the connection. */
static void
serve_frame(Conn *conn, const JoschFrame *frame)
{
	bool		ok = false;

	if (frame->type == JOSCH_MSG_HELLO && conn->owner == NULL)
	{
		ok = serve_hello(conn, frame);
	}
	else if (frame->type == JOSCH_MSG_REPLACE && conn->owner != NULL)
	{
		ok = serve_replace(conn, frame);
	}
	else if (conn->owner != NULL && conn->compatible)
	{
		switch (frame->type)
		{
			case JOSCH_MSG_START:
				ok = serve_start(conn, frame);
				break;
			case JOSCH_MSG_STOP:
				ok = serve_stop(conn, frame);
				break;
			case JOSCH_MSG_FORGET:
				ok = serve_forget(conn, frame);
				break;
			case JOSCH_MSG_LIST:
				ok = serve_list(conn, frame);
				break;
			case JOSCH_MSG_LOG:
				ok = serve_log(conn, frame);
				break;
			case JOSCH_MSG_WATCH:
				ok = serve_watch(conn, frame);
				break;
			case JOSCH_MSG_UNWATCH:
				ok = serve_unwatch(conn, frame);
				break;
		}
	}
	if (!ok)
	{
		char	   *text = format("message of type %d cannot be served", frame->type);

		conn_error(conn, text);
		conn_fail(conn, text);
		free(text);
	}
}

/* Serves up to `most` frames that have arrived whole. */
static void
work(Conn *conn, int most)
{
	size_t		done = 0;
	JoschFrame	frame;
	JoschFrameStatus status = JOSCH_FRAME_MORE;

	while (!conn->broken &&
		   (status = josch_frame_next(conn->in.data + done, conn->in.len - done, &frame)) == JOSCH_FRAME_OK &&
		   most-- > 0)
	{
		serve_frame(conn, &frame);
		done += frame.total;
	}
	if (status == JOSCH_FRAME_BROKEN)
	{
		conn_fail(conn, "what it sends is not our protocol");
	}
	conn->unread = !conn->broken && status == JOSCH_FRAME_OK;
	josch_buffer_consume(&conn->in, done);
}

/* Serves what has arrived.  True: something is left that should not wait for an event. */
bool
serve_all(void)
{
	bool		more = false;
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (conn->in.len > 0)
		{
			work(conn, FRAMES_A_TURN);
		}
		while (conn->listing && !conn->broken && conn->out.len < LIST_PIECE)
		{
			conn->listing = list_more(conn);
		}
		more = more || conn->unread;
	}
	return more;
}

/* Serves all that has been sent up to now, for a last time. */
void
serve_drain(void)
{
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		size_t		before;

		do
		{
			work(conn, INT32_MAX);
			before = conn->in.len;
			conn_readable(conn);
		} while (!conn->broken && conn->in.len > before);
	}
}
