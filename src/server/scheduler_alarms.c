/*
 * src/server/scheduler_alarms.c
 *	  When alarms are looked after.
 *
 * After a pass, since it or whoever woke it may have changed what alarms are about, and
 * when the next deadline passes: the scheduler keeps that moment, and nothing else.  A
 * look is a transaction of its own, of a bounded size, and looks follow each other no
 * oftener than they take a part of the time; so that neither ten thousand alarms at once
 * nor one that cannot be written keep a pass from its turn.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "alarm/alarm.h"
#include "base/attempt.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/report.h"
#include "base/store_installation.h"
#include "node/deadline.h"
#include "run/store_held.h"

/* Causes that one look takes in. */
#define LOOK_LIMIT 500

/* Looks follow each other no oftener than that they take this part of the time, */
#define LOOK_SHARE 5
#define REST_MIN_MS 100

/* and after one that failed so much later, doubled each time. */
#define ERROR_MIN_MS 1000
#define ERROR_MAX_MS 30000

/* An alarm that somebody holds is cleared when he has done, or so much later. */
#define HELD_MS 1000

/* What is so for less is nobody's business. */
#define PATIENCE_MS 60000

/* ---- what is so of all that is here ---- */

/* Since when it is so. */
static void
note(TimestampTz *since, bool so)
{
	if (!so)
	{
		*since = 0;
	}
	else if (*since == 0)
	{
		*since = josch_clock_now();
	}
}

static const char *
what_is_short(const JoschSchedulerStatus *status)
{
	return status->commands_wait[0] != '\0' ? status->commands_wait : status->sql_wait[0] != '\0' ? status->sql_wait : status->days_wait;
}

/* What is stuck, or short, is so for a while now; a clock that was set back begins anew. */
static bool
has_lasted(TimestampTz *since)
{
	if (*since > josch_clock_now())
	{
		*since = josch_clock_now();
	}
	return *since != 0 && josch_clock_now() >= TimestampTzPlusMilliseconds(*since, PATIENCE_MS);
}

static void
judge(Scheduler *scheduler, AlarmLook *look)
{
	AlarmWatch *watch = &scheduler->alarms;
	const JoschSchedulerStatus *status = &scheduler->status;
	JoschInstallation installation = josch_store_installation_read();
	bool		taken_back = josch_installation_judge(&installation) == JOSCH_TAKEN_BACK;
	int			held = taken_back ? josch_store_held_count(installation.disarmed) : 0;

	look->conditions[ALARM_STUCK] = (AlarmCondition) {.known = true,.since = watch->stuck_since};
	if (has_lasted(&watch->stuck_since))
	{
		look->conditions[ALARM_STUCK].message = status->trouble[0] != '\0' ? psprintf("the scheduler does not get on: %s", status->trouble) :
			psprintf("the scheduler has set aside what others hold: %d", status->set_aside);
	}
	look->conditions[ALARM_SHORTAGE] = (AlarmCondition) {.known = true,.since = watch->short_since};
	if (has_lasted(&watch->short_since))
	{
		look->conditions[ALARM_SHORTAGE].message = psprintf("what is due cannot be started: %s", what_is_short(status));
	}
	look->conditions[ALARM_DISARMED] = (AlarmCondition) {.known = true,.since = look->now};
	if (held > 0)
	{
		look->conditions[ALARM_DISARMED].message = psprintf("%d node%s held back, because %s", held, held == 1 ? " is" : "s are",
															josch_installation_reason(&installation));
	}
}

/* ---- a look ---- */

typedef struct Looking
{
	Scheduler  *scheduler;
	AlarmLook	look;
} Looking;

static void
look(void *argument)
{
	Looking    *looking = argument;
	AlarmWatch *watch = &looking->scheduler->alarms;

	if (!watch->mended)
	{
		int64		mended = josch_deadline_mend();

		if (mended > 0)
		{
			ereport(LOG, (errmsg("josch.deadlines was not true of " INT64_FORMAT " nodes: it is now", mended)));
		}
	}
	judge(looking->scheduler, &looking->look);
	josch_alarm_look(&looking->look);
}

/* False when it could not be done now, and nothing was. */
static bool
look_in_transaction(Looking *looking)
{
	Scheduler  *scheduler = looking->scheduler;
	volatile bool done = false;

	PG_TRY();
	{
		josch_scheduler_begin(scheduler);
		done = josch_attempt_unless_locked(look, looking);
		josch_scheduler_end(scheduler);
	}
	PG_CATCH();
	{
		done = false;
		josch_scheduler_recover_alarms(scheduler);
	}
	PG_END_TRY();
	return done;
}

static void
take_result(Scheduler *scheduler, const AlarmLook *look)
{
	AlarmWatch *watch = &scheduler->alarms;

	watch->round = look->round;
	watch->mended = true;
	watch->more = look->more;
	watch->held |= look->held > 0;
	watch->error_ms = watch->again_ms = 0;
	watch->judged_at = look->now;
	watch->due_at = look->next_due;
	scheduler->hooks.due_at = look->next_delivery;
	scheduler->hooks.blocked = false;
	if (!look->more)
	{
		watch->wanted |= watch->held;
		watch->again_ms = watch->held ? HELD_MS : 0;
		watch->held = false;
	}
	if (scheduler->status.alarms_wait[0] != '\0')
	{
		scheduler->status.alarms_wait[0] = '\0';
		josch_wake_report(&scheduler->status);
	}
}

/* When what is so will have been so for long enough, unless it has been looked at since. */
static TimestampTz
will_have_lasted(const AlarmWatch *watch, TimestampTz since)
{
	TimestampTz then = TimestampTzPlusMilliseconds(since, PATIENCE_MS);

	return since == 0 || then <= watch->judged_at ? DT_NOEND : then;
}

/* When there is something new to be seen; DT_NOBEGIN: there is. */
static TimestampTz
next_news(const AlarmWatch *watch)
{
	return watch->wanted ? DT_NOBEGIN :
		Min(watch->due_at, Min(will_have_lasted(watch, watch->stuck_since), will_have_lasted(watch, watch->short_since)));
}

/* In a copy nobody is told anything, and nothing is written down. */
static bool
may_look(const Scheduler *scheduler)
{
	return scheduler->installation != 0 && scheduler->settle_at == 0 && !scheduler->replaced && !scheduler->restoring &&
		scheduler->status.passes > 0;
}

void
josch_scheduler_alarms(Scheduler *scheduler)
{
	AlarmWatch *watch = &scheduler->alarms;
	Looking    *looking;
	TimestampTz since;
	int			took;

	note(&watch->stuck_since, scheduler->status.trouble[0] != '\0' || scheduler->status.set_aside > 0);
	note(&watch->short_since, what_is_short(&scheduler->status)[0] != '\0');
	watch->wanted |= josch_clock_now() < watch->judged_at;
	if (josch_scheduler_alarms_due(scheduler) > josch_clock_now())
	{
		return;
	}
	looking = palloc0(sizeof(Looking));
	looking->scheduler = scheduler;
	looking->look = (AlarmLook) {.now = josch_clock_now(),.limit = LOOK_LIMIT,.round = watch->round};
	looking->look.anew = next_news(watch) <= looking->look.now;
	since = josch_clock_system_now();
	watch->wanted = false;
	if (look_in_transaction(looking))
	{
		take_result(scheduler, &looking->look);
	}
	else
	{
		watch->wanted = true;
		watch->error_ms = watch->error_ms == 0 ? ERROR_MIN_MS : Min(watch->error_ms * 2, ERROR_MAX_MS);
	}
	watch->looked_at = josch_clock_system_now();
	took = (int) TimestampDifferenceMilliseconds(since, watch->looked_at);
	watch->rest_ms = Max(Max(took * LOOK_SHARE, REST_MIN_MS), Max(watch->error_ms, watch->again_ms));
}

/* Rests go by the system's clock, which may have been set back since. */
static int
rest_left(const AlarmWatch *watch)
{
	int64		passed = (josch_clock_system_now() - watch->looked_at) / 1000;

	return passed < 0 || passed >= watch->rest_ms ? 0 : watch->rest_ms - (int) passed;
}

TimestampTz
josch_scheduler_alarms_due(const Scheduler *scheduler)
{
	const AlarmWatch *watch = &scheduler->alarms;
	TimestampTz now = josch_clock_now();

	if (!may_look(scheduler))
	{
		return DT_NOEND;
	}
	return Max(watch->more ? now : next_news(watch), TimestampTzPlusMilliseconds(now, rest_left(watch)));
}
