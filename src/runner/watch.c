/*
 * src/runner/watch.c
 *	  Runs that a former runner started: nobody tells us when they end.
 *
 * They are not our children, so how they end cannot be known, but when.  What is
 * watched is the main process itself, as that of a child is: number and start time
 * say that it is the one, and a descriptor of it becomes readable at its end.  No
 * command can give that up, and no daemon that it leaves behind has it.
 */
#include "runner.h"

#include <unistd.h>

/* Takes a run over and watches it.  False: it does not live any more. */
bool
watch_start(Run *run)
{
	run->former = true;
	run->flags |= JOSCH_RUN_WATCHED;
	watch_cancel(run);
	if (run->start == 0)
	{
		/* the former runner died before it could note the process */
		if (!survivors_find_main(run, run->pid, run->started_at))
		{
			return false;
		}
		journal_spawned(run);
	}
	run->watch_fd = process_open(run->pid);
	/* asked after the opening, so that the descriptor is of the one who is asked about */
	if (process_is_over(run->pid, run->start))
	{
		watch_cancel(run);
		return false;
	}
	run->phase = RUN_LIVE;
	if (run->watch_fd >= 0)
	{
		poll_run(run);
	}
	else
	{
		/* no descriptor is free, or the kernel has no such thing */
		run->watch_boot = now_boot() + SECOND;
		timer_update(run);
	}
	return true;
}

/* The caller updates the timer. */
void
watch_cancel(Run *run)
{
	if (run->watch_fd >= 0)
	{
		close(run->watch_fd);
	}
	run->watch_fd = -1;
	run->watch_boot = 0;
}
