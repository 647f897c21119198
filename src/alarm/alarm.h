/*
 * src/alarm/alarm.h
 *	  Alarms made true: raised when their cause comes about, cleared when it is gone.
 *
 * Nothing is remembered but what the tables say.  A look compares causes and alarms,
 * a page of each kind at a time, so that however many there are none takes long.  Each kind
 * is gone through by itself: what fails now is not told only when a hundred thousand
 * alarms that are open have been looked at.
 */
#ifndef JOSCH_ALARM_H
#define JOSCH_ALARM_H

#include "base/josch.h"

/* What is so of all that is here. */
typedef struct AlarmCondition
{
	bool		known;			/* whether it is so; else its alarm stays as it is */
	const char *message;		/* NULL: it is not */
	TimestampTz since;
} AlarmCondition;

/* alarms.kind, of conditions */
typedef enum AlarmConditionKind
{
	ALARM_STUCK, ALARM_SHORTAGE, ALARM_DISARMED, ALARM_CONDITIONS
} AlarmConditionKind;

/* What is gone through page by page. */
typedef enum AlarmPart
{
	ALARM_PART_OPEN,			/* alarms, of which the cause may be gone */
	ALARM_PART_DEADLINES,
	ALARM_PART_STATES,
	ALARM_PART_WAITS,
	ALARM_PARTS
} AlarmPart;

/* How far each has come. */
typedef struct AlarmRound
{
	bool		under_way[ALARM_PARTS];
	bool		wanted[ALARM_PARTS];	/* from the start, when it is through */
	int64		open_mark;		/* alarm_id */
	NodeKey		state_mark;
	TimestampTz deadline_at;	/* the last deadline that was looked at, */
	NodeKey		deadline_key;
	char		deadline_kind;
	int64		wait_group;		/* the last row of those that wait for limits, as josch.waiting has it */
	TimestampTz wait_since;
	NodeKey		wait_key;
} AlarmRound;

typedef struct AlarmLook
{
	/* in */
	TimestampTz now;
	int			limit;			/* of each kind of cause */
	AlarmCondition conditions[ALARM_CONDITIONS];
	bool		anew;			/* something may have changed: what has been gone through is so again */
	AlarmRound	round;			/* in and out */

	/* out */
	bool		more;			/* not all has been gone through */
	int64		raised;
	int64		cleared;
	int64		held;			/* alarms that somebody holds, and that are to be cleared */
	TimestampTz next_delivery;	/* when the next delivery has its turn; DT_NOEND: none waits */
	TimestampTz next_due;		/* when the next deadline passes, or calendar is to end; DT_NOEND: none */
} AlarmLook;

/* In the caller's transaction. */
extern void josch_alarm_look(AlarmLook *look);

/* All that there is, in looks one after the other. */
extern void josch_alarm_look_all(AlarmLook *look);

#endif							/* JOSCH_ALARM_H */
