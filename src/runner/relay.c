/*
 * src/runner/relay.c
 *	  Files that are waited for: what is asked of the lookout, and what it answers.
 *
 * Each belongs to the connection that asked for it, and ends with that: whoever connects
 * again asks again, so nothing of it is on record.  The lookout is a process of its own,
 * there as long as any file is waited for; should it die, another is asked the same.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of all connections; each is a few hundred bytes here and there. */
#define WATCHES_MAX 100000

#define READ_SIZE (64 * 1024)
#define RESTART_DELAY SECOND

/* One file; in the order of their keys, those that are over without a connection. */
typedef struct Relayed
{
	int64_t		key;			/* for the lookout */
	Conn	   *conn;			/* NULL: over */
	int64_t		number;			/* as the connection knows it */
	char	   *folder;
	char	   *name;
	bool		pattern;
	uint64_t	stable_ms;
	uint64_t	interval_ms;
} Relayed;

static Relayed *relayed;
static int	count;
static int	capacity;
static int	living;				/* of these, not over */
static int64_t last_key;
static int	lookout_fd = -1;
static bool waits_writable;
static int64_t restart_boot;	/* when to start another lookout; 0: none is missing */
static JoschBuffer in = {.grow = xrealloc};
static JoschBuffer out = {.grow = xrealloc};

static void
answer(Conn *conn, int64_t number, JoschLookedKind kind, JoschSlice path, JoschSlice text)
{
	JoschLooked m = {number, (uint8_t) kind, path, text};

	josch_encode_looked(&conn->out, &m);
}

/* ---- the lookout ---- */

static void
put_watch(const Relayed *one)
{
	JoschWatch	m = {.number = one->key, .pattern = one->pattern, .stable_ms = one->stable_ms, .interval_ms = one->interval_ms};

	m.folder = josch_slice(one->folder);
	m.name = josch_slice(one->name);
	josch_encode_watch(&out, &m);
}

static bool
spawn_lookout(int fd)
{
	char	   *argv[] = {(char *) "josch-runner", (char *) "--lookout", NULL};
	char	   *env[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t	none;
	sigset_t	all;
	pid_t		pid;
	int			error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	error = posix_spawn(&pid, runner.program, &actions, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	errno = error;
	return error == 0;
}

/* Starts a lookout and asks it for all; what goes wrong is tried again. */
static void
start_lookout(void)
{
	int			fds[2];
	bool		started;

	restart_boot = now_boot() + RESTART_DELAY;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
	{
		log_line("could not start to look for files: %m");
		return;
	}
	started = spawn_lookout(fds[1]);
	if (!started)
	{
		log_line("could not start to look for files: %m");
	}
	close(fds[1]);
	if (!started)
	{
		close(fds[0]);
		return;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	lookout_fd = fds[0];
	poll_add(POLL_LOOKOUT, lookout_fd);
	waits_writable = false;
	restart_boot = 0;
	in.len = out.len = 0;
	for (int i = 0; i < count; i++)
	{
		if (relayed[i].conn != NULL)
		{
			put_watch(&relayed[i]);
		}
	}
}

/* With the end of its input it ends. */
static void
end_lookout(void)
{
	close(lookout_fd);
	lookout_fd = -1;
	in.len = out.len = 0;
}

/* ---- what is asked ---- */

static void
drop(Relayed *one)
{
	free(one->folder);
	free(one->name);
	one->folder = one->name = NULL;
	one->conn = NULL;
	living--;
}

/* Takes those that are over out, once they are the most; ends the lookout when no other is left. */
static void
tidy(void)
{
	int			kept = 0;

	if (living == 0 && lookout_fd >= 0)
	{
		end_lookout();
	}
	restart_boot = living == 0 ? 0 : restart_boot;
	if (count < 64 || living > count / 2)
	{
		return;
	}
	for (int i = 0; i < count; i++)
	{
		if (relayed[i].conn != NULL)
		{
			relayed[kept++] = relayed[i];
		}
	}
	count = kept;
}

void
relay_watch(Conn *conn, const JoschWatch *watch)
{
	Relayed    *one;

	if (living >= WATCHES_MAX)
	{
		answer(conn, watch->number, JOSCH_LOOKED_SHORT, josch_slice(NULL), josch_slice("the runner looks for 100000 files, and for no more"));
		return;
	}
	if (count == capacity)
	{
		capacity = capacity ? capacity * 2 : 64;
		relayed = xrealloc(relayed, (size_t) capacity * sizeof(Relayed));
	}
	one = &relayed[count++];
	*one = (Relayed) {.key = ++last_key, .conn = conn, .number = watch->number, .pattern = watch->pattern != 0,
		.stable_ms = watch->stable_ms, .interval_ms = watch->interval_ms};
	one->folder = slice_dup(watch->folder);
	one->name = slice_dup(watch->name);
	living++;
	if (lookout_fd >= 0)
	{
		put_watch(one);
	}
	else if (restart_boot == 0)
	{
		start_lookout();
	}
}

static void
take_back(Relayed *one)
{
	JoschUnwatch m = {one->key};

	if (lookout_fd >= 0)
	{
		josch_encode_unwatch(&out, &m);
	}
	drop(one);
}

void
relay_unwatch(Conn *conn, int64_t number)
{
	for (int i = 0; i < count; i++)
	{
		if (relayed[i].conn == conn && relayed[i].number == number)
		{
			take_back(&relayed[i]);
			break;
		}
	}
	tidy();
}

/* The connection ends, and what it has asked for with it. */
void
relay_forget(const Conn *conn)
{
	for (int i = 0; i < count; i++)
	{
		if (relayed[i].conn == conn)
		{
			take_back(&relayed[i]);
		}
	}
	tidy();
}

/* ---- what is answered ---- */

static Relayed *
find(int64_t key)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (relayed[middle].key < key)
		{
			low = middle + 1;
		}
		else
		{
			high = middle;
		}
	}
	return low < count && relayed[low].key == key && relayed[low].conn != NULL ? &relayed[low] : NULL;
}

static void
take_looked(const JoschFrame *frame)
{
	JoschLooked m;
	Relayed    *one;

	if (!josch_decode_looked(frame, &m) || (one = find(m.number)) == NULL)
	{
		return;
	}
	answer(one->conn, one->number, (JoschLookedKind) m.kind, m.path, m.text);
	if (m.kind == JOSCH_LOOKED_FOUND)
	{
		drop(one);				/* the lookout has let it go itself */
	}
}

void
relay_readable(void)
{
	ssize_t		n;
	size_t		done = 0;
	JoschFrame	frame;

	josch_buffer_reserve(&in, READ_SIZE);
	n = read(lookout_fd, in.data + in.len, READ_SIZE);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
	{
		log_line("the process that looks for files has ended; another is started");
		end_lookout();
		restart_boot = now_boot() + RESTART_DELAY;
		return;
	}
	in.len += n > 0 ? (size_t) n : 0;
	while (josch_frame_next(in.data + done, in.len - done, &frame) == JOSCH_FRAME_OK)
	{
		take_looked(&frame);
		done += frame.total;
	}
	josch_buffer_consume(&in, done);
	tidy();
}

/* At the end of each turn. */
void
relay_flush(void)
{
	size_t		sent = 0;
	ssize_t		n;

	if (restart_boot != 0 && restart_boot <= now_boot())
	{
		start_lookout();
	}
	while (lookout_fd >= 0 && sent < out.len && (n = send(lookout_fd, out.data + sent, out.len - sent, MSG_NOSIGNAL)) > 0)
	{
		sent += (size_t) n;
	}
	josch_buffer_consume(&out, sent);
	if (lookout_fd >= 0 && (out.len > 0) != waits_writable)
	{
		waits_writable = out.len > 0;
		poll_lookout(lookout_fd, waits_writable);
	}
}

/* 0: nothing to wait for. */
int64_t
relay_due(void)
{
	return restart_boot;
}
