/*
 * src/alarm/alarm.c
 *	  Alarms made true: raised when their cause comes about, cleared when it is gone.
 *
 * Cleared first: of one cause that has gone and come again the alarm before is not
 * open any more.  Each kind of cause is asked for where it is kept: deadlines in
 * josch.deadlines, what waits for people in josch.waiting, days in josch.job_days.
 */
#include "base/josch.h"

#include "alarm/alarm.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "alarm/store_alarm.h"
#include "alarm/store_delivery.h"
#include "node/notify.h"

static const char *const condition_kinds[ALARM_CONDITIONS] = {"stuck", "shortage", "disarmed"};

static void
begin(AlarmLook *look)
{
	look->round = (AlarmRound) {.begun = true, .deadline_at = DT_NOBEGIN, .deadline_key = {PG_INT64_MIN, DATEVAL_NOBEGIN},
		.state_mark = {PG_INT64_MIN, DATEVAL_NOBEGIN},
	.wait_group = PG_INT64_MIN,.wait_since = DT_NOBEGIN,.wait_key = {PG_INT64_MIN, DATEVAL_NOBEGIN}};
	for (int i = 0; i < ALARM_CONDITIONS; i++)
	{
		if (look->conditions[i].known)
		{
			josch_store_alarm_condition(look, condition_kinds[i], &look->conditions[i]);
		}
	}
	josch_store_alarm_calendars(look);
	josch_store_alarm_days(look);
}

/*
 * The statements are planned once, by index, whatever the tables look like by then:
 * also in a session that calls josch.tick(), which has not the scheduler's settings.
 */
static int
pin_plans(void)
{
	static const char *const off[] = {"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan", "jit"};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(off); i++)
	{
		(void) set_config_option(off[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	(void) set_config_option("plan_cache_mode", "force_generic_plan", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static void
go(AlarmLook *look)
{
	AlarmRound *round = &look->round;

	look->raised = look->cleared = look->held = 0;
	look->next_due = look->next_delivery = DT_NOEND;
	if (!round->begun)
	{
		begin(look);
	}
	round->open_seen = round->open_seen || josch_store_alarm_clear(look);
	round->deadlines_seen = round->deadlines_seen || josch_store_alarm_deadlines(look);
	round->states_seen = round->states_seen || josch_store_alarm_states(look);
	round->waits_seen = round->waits_seen || josch_store_alarm_never_fits(look);
	look->more = !(round->open_seen && round->deadlines_seen && round->states_seen && round->waits_seen);
	if (!look->more)
	{
		round->begun = false;
		look->next_due = josch_store_alarm_next(look->now);
		look->next_delivery = josch_store_delivery_next();
	}
}

void
josch_alarm_look(AlarmLook *look)
{
	int			level = pin_plans();

	go(look);
	AtEOXact_GUC(true, level);
	if (look->raised + look->cleared > 0)
	{
		josch_notify_alarms();
	}
}

void
josch_alarm_look_all(AlarmLook *look)
{
	int64		raised = 0;
	int64		cleared = 0;

	do
	{
		CHECK_FOR_INTERRUPTS();
		josch_alarm_look(look);
		raised += look->raised;
		cleared += look->cleared;
	} while (look->more);
	look->raised = raised;
	look->cleared = cleared;
}
