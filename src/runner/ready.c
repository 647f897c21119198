/*
 * src/runner/ready.c
 *	  When is a long-running command up?
 *
 * When its ready command ends with 0, or, without one, when it has lived for a
 * while.  The ready command is tried soon and then at growing gaps, one at a time,
 * and each try is killed after ten seconds: a probe that hangs must not be taken
 * for a service that is slow.
 */
#include "runner.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#define FIRST_GAP_MS 100
#define LONGEST_GAP_MS 1000
#define PROBE_TIMEOUT (10 * SECOND)

static bool
is_awaited(const Run *run)
{
	return run->phase == RUN_LIVE &&
		(run->flags & (JOSCH_RUN_LONG_RUNNING | JOSCH_RUN_UP | JOSCH_RUN_STOP_REQUESTED |
					   JOSCH_RUN_TIMED_OUT)) == JOSCH_RUN_LONG_RUNNING;
}

/* Sets the first deadline; the caller updates the timer. */
void
ready_schedule(Run *run)
{
	if (!is_awaited(run))
	{
		return;
	}
	run->probe_gap_ms = FIRST_GAP_MS;
	if (run->ready_argv != NULL)
	{
		run->ready_boot = now_boot() + FIRST_GAP_MS * MS;
	}
	else
	{
		int64_t		after = run->ready_after_ms > INT32_MAX ? INT32_MAX : (int64_t) run->ready_after_ms;

		run->ready_boot = run->started_boot + after * MS;
	}
}

static void
become_up(Run *run)
{
	run->flags |= JOSCH_RUN_UP;
	run->up_at = now_epoch();
	if (!journal_up(run))
	{
		log_line("could not record that run %lld is up: %m", (long long) run->id);
	}
	report_look(run);			/* children begin with what it has said by now */
	tell_up(run);
}

static void
try_later(Run *run)
{
	run->ready_boot = now_boot() + run->probe_gap_ms * MS;
	run->probe_gap_ms = run->probe_gap_ms * 3 / 2;
	if (run->probe_gap_ms > LONGEST_GAP_MS)
	{
		run->probe_gap_ms = LONGEST_GAP_MS;
	}
}

static void
start_probe(Run *run)
{
	SpawnRequest request = {run->ready_argv, run->env, run->cwd, NULL, -1};
	char	   *why = NULL;

	if (spawn_process(&request, &run->probe_pid, &why) != 0)
	{
		log_line("%s: ready command of run %lld: %s", run->owner->name, (long long) run->id, why);
		free(why);
		run->probe_pid = 0;
		try_later(run);
		return;
	}
	child_add(run->probe_pid, CHILD_PROBE, run);
	run->probe_kill_boot = now_boot() + PROBE_TIMEOUT;
}

/* One of the deadlines of this file has come; the caller updates the timer. */
void
ready_due(Run *run)
{
	int64_t		now = now_boot();

	if (run->probe_kill_boot != 0 && run->probe_kill_boot <= now)
	{
		run->probe_kill_boot = 0;
		kill(-run->probe_pid, SIGKILL);
	}
	if (run->ready_boot == 0 || run->ready_boot > now)
	{
		return;
	}
	run->ready_boot = 0;
	if (!is_awaited(run))
	{
		return;
	}
	if (run->ready_argv != NULL)
	{
		start_probe(run);
	}
	else
	{
		become_up(run);
	}
}

void
ready_probe_ended(Run *run, int status)
{
	run->probe_pid = 0;
	run->probe_kill_boot = 0;
	if (is_awaited(run))
	{
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		{
			become_up(run);
		}
		else
		{
			try_later(run);
		}
	}
	timer_update(run);
}

/* Nobody wants to know any more; the caller updates the timer. */
void
ready_cancel(Run *run)
{
	ChildKind	kind;
	Run		   *same;

	run->ready_boot = run->probe_kill_boot = 0;
	if (run->probe_pid != 0)
	{
		kill(-run->probe_pid, SIGKILL);
		child_take(run->probe_pid, &kind, &same);	/* reaped as one of nobody */
		run->probe_pid = 0;
	}
}
