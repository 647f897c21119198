/*
 * src/alarm/alarm.c
 *	  Alarms made true: raised when their cause comes about, cleared when it is gone.
 *
 * Cleared first: of one cause that has gone and come again the alarm before is, as a rule,
 * not open any more.  Each kind of cause is asked for where it is kept: deadlines in
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

/* What is asked for as a whole: it is little. */
static void
look_at_few(AlarmLook *look)
{
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

static void
begin(AlarmRound *round, AlarmPart part)
{
	static const NodeKey first = {PG_INT64_MIN, DATEVAL_NOBEGIN};

	switch (part)
	{
		case ALARM_PART_OPEN:
			round->open_mark = 0;
			break;
		case ALARM_PART_DEADLINES:
			round->deadline_at = DT_NOBEGIN;
			round->deadline_key = first;
			round->deadline_kind = '\0';
			break;
		case ALARM_PART_STATES:
			round->state_mark = first;
			break;
		case ALARM_PART_WAITS:
			round->wait_group = PG_INT64_MIN;
			round->wait_since = DT_NOBEGIN;
			round->wait_key = first;
			break;
		case ALARM_PARTS:
			break;
	}
	round->under_way[part] = true;
	round->wanted[part] = false;
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
	/* each looks at a page, and says whether that was the last */
	static bool (*const pages[ALARM_PARTS]) (AlarmLook *look) = {
		[ALARM_PART_OPEN] = josch_store_alarm_clear, [ALARM_PART_DEADLINES] = josch_store_alarm_deadlines,
		[ALARM_PART_STATES] = josch_store_alarm_states, [ALARM_PART_WAITS] = josch_store_alarm_never_fits
	};
	AlarmRound *round = &look->round;

	look->raised = look->cleared = look->held = 0;
	look->more = false;
	if (look->anew)
	{
		look_at_few(look);
	}
	for (AlarmPart part = 0; part < ALARM_PARTS; part++)
	{
		round->wanted[part] |= look->anew;
		if (round->wanted[part] && !round->under_way[part])
		{
			begin(round, part);
		}
		round->under_way[part] = round->under_way[part] && !pages[part] (look);
		look->more |= round->under_way[part] || round->wanted[part];
	}
	look->next_due = josch_store_alarm_next(look->now);
	look->next_delivery = josch_store_delivery_next();
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

	look->anew = true;
	do
	{
		CHECK_FOR_INTERRUPTS();
		josch_alarm_look(look);
		look->anew = false;
		raised += look->raised;
		cleared += look->cleared;
	} while (look->more);
	look->raised = raised;
	look->cleared = cleared;
}
