/*
 * src/server/scheduler_arm.c
 *	  Whether the scheduler of this database may do its work.
 *
 * Asked in each pass, since a dump may be restored under its feet: first of all, and
 * once more before what was decided is committed.  In a copy it starts nothing, asks
 * for nothing and talks to no runner; the runs that the copy brought along it calls
 * unknown, because what they are can be seen where they were started only.  But for those that
 * executors have: once it acts, it asks.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "commands/async.h"
#include "miscadmin.h"

#include "base/attempt.h"
#include "base/clock.h"
#include "base/store_installation.h"
#include "day/due.h"
#include "run/store_held.h"

/* What a promoted standby says of itself on record. */
#define PROMOTED "this server was a standby of the one that was armed, and was promoted"

static void
read_installation(void *argument)
{
	*(JoschInstallation *) argument = josch_store_installation_read();
}

/* A standby goes on with what its primary has left, under a token of its own. */
static void
take_over(Scheduler *scheduler, JoschInstallation *installation)
{
	int64		former = installation->token;

	josch_store_installation_arm(PROMOTED);
	*installation = josch_store_installation_read();
	/* what the primary's SQL had not committed is not here: it is judged as after a crash */
	josch_store_run_adopt_sql(former, installation->token);
	ereport(LOG, (errmsg("josch of database \"%s\" goes on: %s", scheduler->database_name, PROMOTED)));
}

/* Said once, when it begins, and whenever it changes. */
static void
tell(Scheduler *scheduler, const JoschInstallation *installation, bool acts)
{
	if (!acts)
	{
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("josch of database \"%s\" is disarmed: %s", scheduler->database_name,
						josch_installation_reason(installation)),
				 errdetail("Nothing is started, asked for or taken up."),
				 errhint(JOSCH_INSTALLATION_HINT)));
		Async_Notify(JOSCH_CHANNEL, "{\"armed\":false}");
	}
	else if (scheduler->looked)
	{
		ereport(LOG, (errmsg("josch of database \"%s\" is armed", scheduler->database_name)));
	}
}

/* Nobody is held back any more: it is as if nothing had been. */
static void
clear_reason(const JoschInstallation *installation)
{
	if (josch_store_held_count(installation->disarmed) == 0)
	{
		josch_store_installation_hold_back(NULL, 0, "all nodes that were held back have been let go");
		Async_Notify(JOSCH_CHANNEL, "{\"armed\":true}");
	}
}

/* From now on runs are started under this one; 0: none are. */
static void
take_token(Scheduler *scheduler, int64 token)
{
	scheduler->installation = token;
	snprintf(scheduler->token, sizeof(scheduler->token), "%016llx", (unsigned long long) token);
	scheduler->foreign = -1;
	scheduler->list_checked = false;
	josch_scheduler_leave_runner(scheduler);
	/* whom it asks from now on is not the one that was silent */
	josch_scheduler_hear_answer(scheduler);
}

static void
adopt(void *argument)
{
	Scheduler  *scheduler = argument;
	int			n = josch_store_run_adopt_attachable(scheduler->installation);

	if (n > 0)
	{
		ereport(LOG, (errmsg("josch of database \"%s\" asks what became of %d run%s that executors have", scheduler->database_name, n, n == 1 ? "" : "s")));
		josch_scheduler_list_again(scheduler);
	}
}

bool
josch_scheduler_look_at_installation(Scheduler *scheduler)
{
	JoschInstallation installation;
	JoschArming arming;
	bool		acts;

	if (!josch_attempt_unless_locked(read_installation, &installation))
	{
		return false;
	}
	arming = josch_installation_judge(&installation);
	if (arming == JOSCH_TO_BE_PROMOTED)
	{
		take_over(scheduler, &installation);
		arming = josch_installation_judge(&installation);
	}
	acts = josch_installation_acts(arming);
	if (!scheduler->looked || acts != (scheduler->installation != 0))
	{
		tell(scheduler, &installation, acts);
	}
	if (scheduler->installation != (acts ? installation.token : 0))
	{
		take_token(scheduler, acts ? installation.token : 0);
	}
	if (scheduler->installation != 0 && scheduler->foreign != 0 && !josch_installation_is_being_restored())
	{
		/* what somebody holds is found again by the next pass */
		(void) josch_attempt_unless_locked(adopt, scheduler);
	}
	scheduler->looked = true;
	scheduler->replaced = acts && josch_installation_was_replaced(&installation);
	if (arming == JOSCH_TAKEN_BACK)
	{
		clear_reason(&installation);
	}
	return true;
}

void
josch_scheduler_look_again(Scheduler *scheduler)
{
	JoschInstallation installation = josch_store_installation_read();

	if (installation.token != scheduler->installation || !josch_installation_acts(josch_installation_judge(&installation)))
	{
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("josch.installation was changed during a pass"),
				 errdetail("Nothing of the pass has happened.")));
	}
}

/* ---- data that was taken back in place ---- */

static void
tell_taken_back(Scheduler *scheduler, const char *reason, int held)
{
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("josch of database \"%s\": %s", scheduler->database_name, reason),
			 errdetail("%d node%s that could have started by themselves are held back.", held, held == 1 ? "" : "s"),
			 errhint("Release each, or all: " JOSCH_INSTALLATION_HINT)));
}

static char *
reason_of_taking_back(int64 highest)
{
	if (highest == 0)
	{
		return pstrdup("the files of the data directory were put back in their place from a copy: what was done since they were copied is not known here");
	}
	return psprintf("the data was taken back to an earlier moment in place: run " INT64_FORMAT " is the last here, and run "
					INT64_FORMAT " had been started", josch_store_run_highest(), highest);
}

void
josch_scheduler_take_back(Scheduler *scheduler, int64 highest)
{
	JoschInstallation installation = josch_store_installation_read();
	char	   *reason = reason_of_taking_back(highest);
	int			held;

	josch_due_ask_all(josch_clock_now());
	scheduler->days_stale = true;
	held = josch_store_held_hold(reason, installation.disarmed);
	if (held < 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("somebody has locked nodes that are to be held back")));
	}
	josch_store_installation_hold_back(held > 0 ? reason : NULL, highest, reason);
	if (highest > 0)
	{
		josch_store_held_raise_last_run(highest);
	}
	josch_store_run_distrust(scheduler->installation);
	scheduler->pass_wanted = true;
	Async_Notify(JOSCH_CHANNEL, held > 0 ? "{\"armed\":false}" : "{\"armed\":true}");
	tell_taken_back(scheduler, reason, held);
}

/* ---- runs of others ---- */

typedef struct Foreign
{
	Scheduler  *scheduler;
	int			limit;
	int64	   *ids;
	int			n;
} Foreign;

static void
list_foreign(void *argument)
{
	Foreign    *foreign = argument;

	foreign->ids = josch_store_run_list_foreign(foreign->scheduler->installation, foreign->limit, &foreign->n);
}

/*
 * The ends of runs that other installations have started, for this pass alone: the
 * next one finds those again that could not be recorded, or not be read because
 * somebody has locked the table.
 */
RunEvent *
josch_scheduler_judge_foreign(Scheduler *scheduler, int limit, int *n)
{
	Foreign		foreign = {.scheduler = scheduler,.limit = limit};
	RunEvent   *events;

	*n = 0;
	scheduler->restoring = scheduler->foreign != 0 && josch_installation_is_being_restored();
	if (scheduler->foreign == 0 || scheduler->restoring || !josch_attempt_unless_locked(list_foreign, &foreign))
	{
		return NULL;
	}
	*n = foreign.n;
	events = palloc(sizeof(RunEvent) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		events[i] = josch_run_event(RUN_ENDED, (JoschRunKey) {foreign.ids[i], 0});
		events[i].kind = RUN_END_UNKNOWN;
		events[i].for_people = true;
		events[i].text = "it was started by another server, of which this one is a copy, or before this one was restored";
	}
	return events;
}
