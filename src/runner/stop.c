/*
 * src/runner/stop.c
 *	  Ends runs: TERM, some grace, KILL.
 *
 * TERM goes to the group, KILL to the group and to what is left of the session.  A
 * number of a process may have been given to somebody else.  Signals go only where
 * that is ruled out: to a group whose main process has not been reaped, or whose
 * number is still in use by that same group: the start time of whoever bears it
 * today decides.
 */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

/* Runs whose sessions are to be swept; copies, since a run may be forgotten meanwhile. */
typedef struct Session
{
	pid_t		id;
	int64_t		start;			/* of the process that leads it */
} Session;

static Session *sessions;
static int	session_count;
static int	session_capacity;

/* False when the number belongs to a process that is not the one we started. */
static bool
number_is_ours(pid_t pid, int64_t start)
{
	Process		process;

	return process_look(pid, &process) ? process.start == start : errno == ESRCH;
}

static void
signal_group(const Run *run, int signal)
{
	if (run->pid <= 0)
	{
		log_line("run %lld has no process that is known: it cannot be stopped", (long long) run->id);
		return;
	}
	if ((run->former || run->draining) && !number_is_ours(run->pid, run->start))
	{
		return;
	}
	if (kill(-run->pid, signal) != 0 && errno != ESRCH)
	{
		log_line("could not send signal %d to run %lld: %m", signal, (long long) run->id);
	}
}

static bool
group_lives(pid_t group)
{
	DIR		   *proc = opendir("/proc");
	Process		process;

	while (process_next(proc, &process, NULL))
	{
		if (process.group == group)
		{
			closedir(proc);
			return true;
		}
	}
	return false;
}

/*
 * The dead of our own commands are collected by us, and are in the group no longer.
 * Those of a former runner's may be collected by nobody, and stay in it for good.
 */
bool
stop_group_exists(const Run *run)
{
	return (kill(-run->pid, 0) == 0 || errno != ESRCH) && number_is_ours(run->pid, run->start) &&
		(!(run->flags & JOSCH_RUN_WATCHED) || group_lives(run->pid));
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
	sessions[session_count++].start = run->start;
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
	Process		process;

	if (session_count == 0)
	{
		return;
	}
	qsort(sessions, (size_t) session_count, sizeof(Session), compare_sessions);
	proc = opendir("/proc");
	while (process_next(proc, &process, NULL))
	{
		Session		wanted = {process.session, 0};
		Session    *found = bsearch(&wanted, sessions, (size_t) session_count, sizeof(Session), compare_sessions);

		if (found != NULL && process.start >= found->start && number_is_ours(found->id, found->start))
		{
			kill(process.pid, SIGKILL);
		}
	}
	session_count = 0;
}

/* KILL, now.  If the run is draining, this turn ends it. */
void
stop_kill(Run *run)
{
	if (run->phase != RUN_LIVE || run->lost)
	{
		return;
	}
	run->kill_boot = 0;
	run->killed = true;
	signal_group(run, SIGKILL);
	stop_sweep_later(run);
	timer_update(run);
}

/* TERM, to a run that is to be stopped. */
void
stop_term(const Run *run)
{
	signal_group(run, SIGTERM);
	signal_group(run, SIGCONT);
}

static void
record(Run *run)
{
	if (!journal_stopping(run))
	{
		log_line("could not record that run %lld is to stop: %m", (long long) run->id);
	}
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

	if (run->phase == RUN_EXITED || run->killed || (run->lost && run->attach_argv == NULL))
	{
		return;
	}
	run->flags |= why;
	if (run->attach_argv != NULL && (run->lost || run->pid == 0))
	{
		record(run);			/* whoever attaches to it is told */
		return;
	}
	if (run->kill_boot == 0 || kill_boot < run->kill_boot)
	{
		run->kill_boot = kill_boot;
	}
	ready_cancel(run);
	timer_update(run);
	record(run);
	if (grace > 0 && first)
	{
		stop_term(run);
	}
	if (grace == 0)
	{
		stop_kill(run);
	}
}
