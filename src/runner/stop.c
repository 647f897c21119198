/*
 * src/runner/stop.c
 *	  Ends runs: TERM, some grace, KILL.
 *
 * TERM goes to the group, KILL to the group and to what is left of the session.  A
 * number of a process may have been given to somebody else.  Signals go only where
 * that is ruled out: to a group whose main process has not been reaped, or whose
 * number is still in use by that same group.  For a run of a former runner the
 * start time of whoever bears the number today decides.
 */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Runs whose sessions are to be swept; copies, since a run may be forgotten meanwhile. */
typedef struct Session
{
	pid_t		id;
	int64_t		started_boot;
} Session;

static Session *sessions;
static int	session_count;
static int	session_capacity;

/* Session and start (boottime) of a process.  False when it is gone. */
static bool
look_at_process(const char *pid, pid_t *session, int64_t *start)
{
	char		path[64];
	char		text[1024];
	char	   *p;
	long long	ticks = 0;
	int			sid = 0;
	ssize_t		n = -1;
	int			fd;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
	{
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
	{
		return false;
	}
	text[n] = '\0';
	p = strrchr(text, ')');		/* the name may hold anything */
	if (p == NULL || sscanf(p + 1, " %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u"
							" %*d %*d %*d %*d %*d %*d %lld", &sid, &ticks) != 2)
	{
		return false;
	}
	*session = (pid_t) sid;
	*start = ticks * (SECOND / sysconf(_SC_CLK_TCK));
	return true;
}

/* False when the number belongs to a process that is not the one we started. */
static bool
number_is_ours(pid_t pid, int64_t started_boot)
{
	char		text[16];
	pid_t		session;
	int64_t		start;

	snprintf(text, sizeof(text), "%d", (int) pid);
	return !look_at_process(text, &session, &start) ||
		(start > started_boot - 100 * MS && start < started_boot + 10 * SECOND);
}

static void
signal_group(const Run *run, int signal)
{
	if (run->pid <= 0)
	{
		log_line("run %lld has no process that is known: it cannot be stopped", (long long) run->id);
		return;
	}
	if ((run->former || run->draining) && !number_is_ours(run->pid, run->started_boot))
	{
		return;
	}
	if (kill(-run->pid, signal) != 0 && errno != ESRCH)
	{
		log_line("could not send signal %d to run %lld: %m", signal, (long long) run->id);
	}
}

bool
stop_group_exists(const Run *run)
{
	return (kill(-run->pid, 0) == 0 || errno != ESRCH) &&
		number_is_ours(run->pid, run->started_boot);
}

/* Has the run's session swept at the end of this turn: one walk for all. */
void
stop_sweep_later(const Run *run)
{
	if (run->pid <= 0)
	{
		return;
	}
	if (session_count == session_capacity)
	{
		session_capacity = session_capacity ? session_capacity * 2 : 16;
		sessions = xrealloc(sessions, (size_t) session_capacity * sizeof(Session));
	}
	sessions[session_count].id = run->pid;
	sessions[session_count++].started_boot = run->started_boot;
}

static int
compare_sessions(const void *a, const void *b)
{
	pid_t		x = ((const Session *) a)->id;
	pid_t		y = ((const Session *) b)->id;

	return x < y ? -1 : x > y;
}

/* Kills whoever is left in the noted sessions. */
void
stop_sweep_sessions(void)
{
	DIR		   *proc;
	struct dirent *entry;

	if (session_count == 0)
	{
		return;
	}
	qsort(sessions, (size_t) session_count, sizeof(Session), compare_sessions);
	proc = opendir("/proc");
	while (proc != NULL && (entry = readdir(proc)) != NULL)
	{
		Session		key = {0, 0};
		Session    *found;
		int64_t		start;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
			!look_at_process(entry->d_name, &key.id, &start))
		{
			continue;
		}
		found = bsearch(&key, sessions, (size_t) session_count, sizeof(Session), compare_sessions);
		if (found != NULL && start > found->started_boot - 100 * MS &&
			number_is_ours(found->id, found->started_boot))
		{
			kill((pid_t) atoi(entry->d_name), SIGKILL);
		}
	}
	if (proc != NULL)
	{
		closedir(proc);
	}
	session_count = 0;
}

/* KILL, now.  If the run is draining, this turn ends it. */
void
stop_kill(Run *run)
{
	if (run->phase != RUN_LIVE)
	{
		return;
	}
	run->kill_boot = 0;
	run->killed = true;
	signal_group(run, SIGKILL);
	stop_sweep_later(run);
	timer_update(run);
}

/*
 * Asks the run to end, and sees to it after the grace.  `why` is the flag that
 * its end will carry.  Asked again, only a shorter grace makes a difference;
 * without any grace it is killed at once.
 */
void
stop_run(Run *run, uint64_t grace_ms, uint32_t why)
{
	bool		first = !(run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT));
	int64_t		grace = grace_ms > INT32_MAX ? INT32_MAX * MS : (int64_t) grace_ms * MS;
	int64_t		kill_boot = now_boot() + grace;

	if (run->phase == RUN_EXITED || run->killed)
	{
		return;
	}
	run->flags |= why;
	if (run->kill_boot == 0 || kill_boot < run->kill_boot)
	{
		run->kill_boot = kill_boot;
	}
	ready_cancel(run);
	timer_update(run);
	if (!journal_stopping(run))
	{
		log_line("could not record that run %lld is to stop: %m", (long long) run->id);
	}
	if (grace > 0 && first)
	{
		signal_group(run, SIGTERM);
		signal_group(run, SIGCONT);
	}
	if (grace == 0)
	{
		stop_kill(run);
	}
}
