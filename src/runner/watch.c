/*
 * src/runner/watch.c
 *	  Runs that a former runner started: nobody tells us when they end.
 *
 * They are not our children.  What tells is the lock that each run's processes hold
 * on its lock file and on its log: it cannot be inherited by chance or reused, as a
 * pid can.  A tiny child waits for the lock and ends when it has it; so there is
 * nothing to poll.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

/* True when some process holds the lock. */
static bool
is_held(int fd)
{
	if (fd < 0)
	{
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
	{
		flock(fd, LOCK_UN);
		return false;
	}
	return true;
}

/* The child: holds nothing but the two files, and waits. */
static void
wait_for_locks(int lock_fd, int log_fd, pid_t parent)
{
	int			low = lock_fd < log_fd ? lock_fd : log_fd;
	int			high = lock_fd < log_fd ? log_fd : lock_fd;
	sigset_t	none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
	{
		_exit(0);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (low > 3)
	{
		close_range(3, (unsigned int) low - 1, 0);
	}
	if (high > low + 1 && low >= 0)
	{
		close_range((unsigned int) low + 1, (unsigned int) high - 1, 0);
	}
	close_range((unsigned int) high + 1, ~0U, 0);
	while (lock_fd >= 0 && flock(lock_fd, LOCK_EX) != 0 && errno == EINTR)
	{
	}
	while (log_fd >= 0 && flock(log_fd, LOCK_EX) != 0 && errno == EINTR)
	{
	}
	_exit(0);
}

/* The pid of a child that waits for the locks; 0 when there is none, with *alive telling why. */
static pid_t
fork_watcher(Run *run, bool *alive)
{
	int			lock_fd = lock_open(run->owner, run_key(run));
	int			log_fd = spool_path_allowed(run->log_path) ?
		spool_open(run->log_path, O_RDONLY | O_NONBLOCK) : -1;
	pid_t		parent = getpid();
	pid_t		pid = 0;

	*alive = is_held(lock_fd) || is_held(log_fd);
	if (*alive)
	{
		pid = fork();
		if (pid == 0)
		{
			wait_for_locks(lock_fd, log_fd, parent);
		}
		if (pid < 0)
		{
			log_line("could not start a watcher for run %lld: %m", (long long) run->id);
			pid = 0;
		}
	}
	if (lock_fd >= 0)
	{
		close(lock_fd);
	}
	if (log_fd >= 0)
	{
		close(log_fd);
	}
	return pid;
}

/* Takes a run over and watches it.  False: it does not live any more. */
bool
watch_start(Run *run)
{
	bool		alive;

	run->former = true;
	run->flags |= JOSCH_RUN_WATCHED;
	if (run->started_boot == 0)
	{
		run->started_boot = now_boot();	/* died before it could note it: count from now */
	}
	run->watcher_pid = fork_watcher(run, &alive);
	if (!alive)
	{
		log_line("run %lld ended, or is lost, while nobody watched", (long long) run->id);
		return false;
	}
	run->phase = RUN_LIVE;
	if (run->watcher_pid != 0)
	{
		child_add(run->watcher_pid, CHILD_WATCHER, run);
		log_line("run %lld lives on from a former runner: watching it", (long long) run->id);
		return true;
	}
	run->watch_boot = now_boot() + SECOND;
	timer_update(run);
	return true;
}

void
watch_cancel(Run *run)
{
	ChildKind	kind;
	Run		   *same;

	if (run->watcher_pid != 0)
	{
		child_take(run->watcher_pid, &kind, &same);
		kill(run->watcher_pid, SIGKILL);
		run->watcher_pid = 0;
	}
}
