/*
 * src/day/zone.h
 *	  Which date it is, and which instant a time of day is.
 */
#ifndef JOSCH_ZONE_H
#define JOSCH_ZONE_H

#include "base/josch.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

/* The zone of that name, or of josch.time_zone when name is NULL. ERROR when it is not known. */
extern pg_tz *josch_zone_find(const char *name);

/* The name of the zone that a job has which names none. */
extern const char *josch_zone_default(void);

/* The date of josch_clock_now() in that zone. */
extern DateADT josch_zone_today(pg_tz *zone);

/*
 * The instant of a time of day on a date: whole days (a month has 30) are added to
 * the date, the rest is what the clock on the wall shows.  A time in the hour that daylight
 * saving skips is the end of the gap; a time in the hour that it repeats is the
 * first of the two.
 */
extern TimestampTz josch_zone_instant(DateADT date, const Interval *time_of_day, pg_tz *zone);

/* The last date on which that instant has passed by now, of a time within a week of its date. */
extern DateADT josch_zone_last_date(const Interval *time_of_day, pg_tz *zone);

#endif							/* JOSCH_ZONE_H */
