/*
 * src/alarm/store_alarm.h
 *	  SQL on josch.alarms: raised, cleared, acknowledged.
 *
 * Every function opens and closes SPI itself, as the schema's owner, and counts in the
 * look what it has changed.  What somebody holds is left.
 */
#ifndef JOSCH_STORE_ALARM_H
#define JOSCH_STORE_ALARM_H

#include "base/josch.h"

#include "alarm/alarm.h"

/* The next alarms, causes of alarms: true when these were the last. */
extern bool josch_store_alarm_clear(AlarmLook *look);
extern bool josch_store_alarm_deadlines(AlarmLook *look);
extern bool josch_store_alarm_states(AlarmLook *look);
extern bool josch_store_alarm_never_fits(AlarmLook *look);

/* All of these at once: they are few. */
extern void josch_store_alarm_days(AlarmLook *look);
extern void josch_store_alarm_calendars(AlarmLook *look);
extern void josch_store_alarm_condition(AlarmLook *look, const char *kind, const AlarmCondition *condition);

/* When there will be one more without anybody's doing; DT_NOEND: never. */
extern TimestampTz josch_store_alarm_next(TimestampTz now);

/* What is known of an alarm's being acknowledged. */
typedef struct AlarmAck
{
	char	   *by;				/* NULL: it is not */
	TimestampTz at;
	char	   *comment;
} AlarmAck;

/* False when there is no such alarm; *former is who was first, whose words stand. */
extern bool josch_store_alarm_acknowledge(int64 alarm_id, const char *comment, AlarmAck *former);

/* Open alarms, and the first of them; for health. */
typedef struct AlarmHealth
{
	int64		open;
	int64		unacked;
	int64		failing;		/* deliveries that failed, or wait to be tried again, */
	char	   *hook_name;		/* the hook of the last of them, */
	char	   *message;		/* and why */
} AlarmHealth;

extern AlarmHealth josch_store_alarm_health(void);

#endif							/* JOSCH_STORE_ALARM_H */
