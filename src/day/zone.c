/*
 * src/day/zone.c
 *	  Which date it is, and which instant a time of day is.
 *
 * A time of day belongs to the job's zone, never to a session's.  On the two
 * days a year that have 23 and 25 hours there is one answer: a time in the
 * missing hour is the end of that hour, a time in the repeated hour is the
 * first of the two, so that each time of day comes exactly once.
 */
#include "base/josch.h"

#include "day/zone.h"

#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/report.h"

#define UNIX_EPOCH_SECONDS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

const char *
josch_zone_default(void)
{
	if (josch_config_time_zone[0] != '\0')
	{
		return josch_config_time_zone;
	}
	return pg_get_timezone_name(log_timezone);
}

pg_tz *
josch_zone_find(const char *name)
{
	pg_tz	   *zone;

	if (name == NULL)
	{
		name = josch_zone_default();
	}
	zone = pg_tzset(name);
	if (zone == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name)));
	}
	return zone;
}

DateADT
josch_zone_today(pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (timestamp2tm(josch_clock_now(), &tz, &tm, &fsec, NULL, zone) != 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	}
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

static void
complain_of_range(DateADT date)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("date out of range for timestamp: \"%s\"", josch_report_date(date))));
}

/* The date on which a time of day is, beyond midnight or before the date, and the time there. */
static int64
split(DateADT date, const Interval *time_of_day, TimeADT *time)
{
	int64		days = time_of_day->time / USECS_PER_DAY;

	*time = time_of_day->time % USECS_PER_DAY;
	if (*time < 0)
	{
		*time += USECS_PER_DAY;
		days--;
	}
	return date + time_of_day->month * (int64) DAYS_PER_MONTH + time_of_day->day + days;
}

TimestampTz
josch_zone_instant(DateADT date, const Interval *time_of_day, pg_tz *zone)
{
	TimeADT		time;
	int64		day = split(date, time_of_day, &time);
	TimestampTz result;
	pg_time_t	local;			/* seconds of the Unix epoch, as if in UTC */
	pg_time_t	yesterday;
	pg_time_t	boundary;
	pg_time_t	instant;
	long		before_offset;
	long		after_offset;
	int			before_is_dst;
	int			after_is_dst;
	int			found;

	/* what follows cannot overflow then */
	if (day < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE || day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
	{
		complain_of_range(date);
	}
	local = day * SECS_PER_DAY + time / USECS_PER_SEC + UNIX_EPOCH_SECONDS;
	yesterday = local - SECS_PER_DAY;
	found = pg_next_dst_boundary(&yesterday, &before_offset, &before_is_dst,
								 &boundary, &after_offset, &after_is_dst, zone);
	if (found < 0)
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time zone \"%s\" has no offset on that date", pg_get_timezone_name(zone))));
	}
	if (found == 0 || local - before_offset < boundary)
	{
		instant = local - before_offset;
	}
	else if (local - after_offset >= boundary)
	{
		instant = local - after_offset;
	}
	else
	{
		/* in the hour that is skipped: no fraction of a second is left over */
		return (boundary - UNIX_EPOCH_SECONDS) * USECS_PER_SEC;
	}
	result = (instant - UNIX_EPOCH_SECONDS) * USECS_PER_SEC + time % USECS_PER_SEC;
	if (!IS_VALID_TIMESTAMP(result))
	{
		complain_of_range(date);
	}
	return result;
}

DateADT
josch_zone_last_date(const Interval *time_of_day, pg_tz *zone)
{
	TimestampTz now = josch_clock_now();
	/* a time of day lies within a week of its date */
	DateADT		date = josch_zone_today(zone) + 8;

	while (josch_zone_instant(date, time_of_day, zone) > now)
	{
		date--;
	}
	return date;
}
