/*
 * src/run/sql_worker_report.c
 *	  What SQL says of itself while it runs: josch.report().
 *
 * Nobody sees what a transaction writes before it commits, so progress goes through
 * the worker's slot in shared memory: the scheduler takes it there, once a second, and
 * it is the scheduler that writes it down.  Results go with the end of the run.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/shared.h"
#include "base/wake.h"
#include "run/run_report.h"

/* A run is heard so often. */
#define HEARD_MS 1000

/* ---- in the worker ---- */

static JoschSqlSlot *current = NULL;	/* of the run that is executed; NULL: none is */
static MemoryContext context = NULL;
static JoschReport said;

void
josch_sql_worker_report_begin(JoschSqlSlot *slot)
{
	if (context == NULL)
	{
		context = AllocSetContextCreate(TopMemoryContext, "josch report", ALLOCSET_SMALL_SIZES);
	}
	MemoryContextReset(context);
	josch_run_report_begin(&said, context);
	current = slot;
}

void
josch_sql_worker_report_end(void)
{
	current = NULL;
}

char *
josch_sql_worker_report_lines(void)
{
	return current == NULL ? NULL : josch_run_report_lines(&said, false);
}

/* Puts the progress where the scheduler finds it, and wakes him unless he has yet to take what was there before. */
static void
show_progress(void)
{
	char	   *line = josch_run_report_lines(&said, true);
	bool		waiting;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	waiting = current->progress_is_new;
	current->progress_is_new = true;
	strlcpy(current->progress, line, sizeof(current->progress));
	LWLockRelease(josch_shared_lock);
	if (!waiting)
	{
		josch_wake_scheduler_quietly(MyDatabaseId);
	}
	pfree(line);
}

bool
josch_sql_worker_report(const char *line, int length, bool *understood)
{
	JoschReportLine parts = josch_said_read(line, length);

	if (current == NULL)
	{
		return false;
	}
	*understood = length <= JOSCH_REPORT_LINE_MAX && josch_said_add(&said, line, length);
	if (*understood && parts.kind == JOSCH_REPORT_PROGRESS)
	{
		show_progress();
	}
	return true;
}

/* ---- in the scheduler ---- */

/* Takes the progress out of a slot; false when there is none, or it is too early.  *next: when to look again. */
static bool
take_progress(JoschSqlSlot *slot, TimestampTz now, JoschSqlProgress *progress, TimestampTz *next)
{
	TimestampTz due = TimestampTzPlusMilliseconds(slot->progress_heard_at, HEARD_MS);

	if (slot->database != MyDatabaseId || slot->state != SLOT_RUN || !slot->progress_is_new)
	{
		return false;
	}
	/* also when the clock was set back */
	if (due > now && slot->progress_heard_at <= now)
	{
		*next = Min(*next, due);
		return false;
	}
	slot->progress_is_new = false;
	slot->progress_heard_at = now;
	progress->run = (JoschRunKey) {slot->run_id, slot->nonce};
	strlcpy(progress->lines, slot->progress, sizeof(progress->lines));
	return true;
}

List *
josch_sql_worker_progress(TimestampTz *next)
{
	TimestampTz now = josch_clock_now();
	List	   *result = NIL;

	*next = DT_NOEND;
	for (int i = 0; josch_shared != NULL && i < max_worker_processes; i++)
	{
		JoschSqlSlot *slot = &josch_shared->sql_slots[i];
		JoschSqlProgress progress;
		bool		taken;

		if (slot->database != MyDatabaseId || !slot->progress_is_new)
		{
			continue;
		}
		LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
		taken = take_progress(slot, now, &progress, next);
		LWLockRelease(josch_shared_lock);
		if (taken)
		{
			result = lappend(result, memcpy(palloc(sizeof(progress)), &progress, sizeof(progress)));
		}
	}
	return result;
}
