/*
 * src/runner/due.c
 * 	  Does what is due.
 *
 * The timer knows when, and nothing of what: so it can be used by all whom this
 * calls.
 */
#include "runner.h"

static bool
is_due(int64_t *deadline, int64_t now)
{
	if (*deadline == 0 || *deadline > now)
	{
		return false;
	}
	*deadline = 0;
	return true;
}

/* Does what is due.  Each step takes its deadline away first, so that this ends. */
void
due_fire(int64_t now)
{
	Run		   *run;

	while ((run = timer_due(now)) != NULL)
	{
		if (is_due(&run->timeout_boot, now))
		{
			stop_run(run, run->grace_ms, JOSCH_RUN_TIMED_OUT);
		}
		if (is_due(&run->kill_boot, now))
		{
			stop_kill(run);
		}
		if (is_due(&run->watch_boot, now))
		{
			run_watch(run);
		}
		if (is_due(&run->attach_boot, now))
		{
			run_attach_due(run);
		}
		if (is_due(&run->trim_boot, now))
		{
			trim_due(run);
		}
		if (is_due(&run->report_boot, now) && run->phase == RUN_LIVE)
		{
			report_due(run);
		}
		if (run->tell_boot != 0 && run->tell_boot <= now)
		{
			tell_started(run);
		}
		if (run->phase == RUN_LIVE && (run->ready_boot != 0 || run->probe_kill_boot != 0))
		{
			ready_due(run);
		}
		timer_update(run);
	}
}
