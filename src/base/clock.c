/*
 * src/base/clock.c
 *	  What time it is, and how to wait.
 *
 * Every due time in JOSCH is compared with josch_clock_now(), so a test that
 * moves the clock moves all of JOSCH, and nothing else of the server.
 *
 * A wait is bounded by a moment of the wall clock, but the kernel's time-outs
 * run on a clock that neither steps nor counts a suspend.  So no wait is longer
 * than what the caller allows, and whoever wakes compares due times with the
 * clock anew instead of trusting the time-out.
 */
#include "base/josch.h"

#include "base/clock.h"

#include "miscadmin.h"
#include "storage/latch.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "utils/builtins.h"

char	   *josch_clock_setting = NULL;

/* parsed josch.now; 0 when the setting is empty */
static TimestampTz setting_value = 0;

/* moved by tick(); 0 when not moved */
static TimestampTz moved_to = 0;

/* Parses josch.now without letting an input error escape a GUC hook. */
static bool
parse_moment(const char *text, TimestampTz *moment)
{
	volatile bool ok = true;
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		*moment = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
														  CStringGetDatum(text),
														  ObjectIdGetDatum(InvalidOid),
														  Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		ok = false;
	}
	PG_END_TRY();
	return ok;
}

bool
josch_clock_check_setting(char **newval, void **extra, GucSource source)
{
	TimestampTz moment = 0;

	if (*newval != NULL && **newval != '\0' && (!parse_moment(*newval, &moment) || TIMESTAMP_NOT_FINITE(moment)))
	{
		GUC_check_errdetail("A date and time with a time zone is needed, or an empty value for the system's clock.");
		return false;
	}
	/* the server frees "extra" by free() up to 15 and by guc_free() after */
#if PG_VERSION_NUM >= 160000
	*extra = guc_malloc(LOG, sizeof(TimestampTz));
#else
	*extra = malloc(sizeof(TimestampTz));
#endif
	if (*extra == NULL)
	{
		return false;
	}
	*(TimestampTz *) *extra = moment;
	return true;
}

void
josch_clock_assign_setting(const char *newval, void *extra)
{
	setting_value = extra != NULL ? *(TimestampTz *) extra : 0;
}

TimestampTz
josch_clock_system_now(void)
{
	return GetCurrentTimestamp();
}

TimestampTz
josch_clock_now(void)
{
	if (moved_to != 0)
	{
		return moved_to;
	}
	if (setting_value != 0)
	{
		return setting_value;
	}
	return GetCurrentTimestamp();
}

int64
josch_clock_ahead(void)
{
	return moved_to != 0 || setting_value != 0 ? josch_clock_now() - GetCurrentTimestamp() : 0;
}

TimestampTz
josch_clock_move(TimestampTz at)
{
	TimestampTz former = moved_to;

	moved_to = at;
	return former;
}

void
josch_clock_restore(TimestampTz former)
{
	moved_to = former;
}

bool
josch_clock_is_moved(void)
{
	return moved_to != 0;
}

bool
josch_clock_is_due(TimestampTz at, int64 max_ms)
{
	TimestampTz now = josch_clock_now();

	return at <= now || at > TimestampTzPlusMilliseconds(now, max_ms);
}

int
josch_clock_wait(WaitEventSet *set, TimestampTz until, long max_ms,
				 WaitEvent *events, int nevents, uint32 wait_event_info)
{
	long		ms = max_ms;

	if (!TIMESTAMP_IS_NOEND(until))
	{
		long		left = TimestampDifferenceMilliseconds(josch_clock_now(), until);

		if (ms < 0 || left < ms)
		{
			ms = left;
		}
	}
	return WaitEventSetWait(set, ms, events, nevents, wait_event_info);
}

void
josch_clock_wait_latch(long max_ms, uint32 wait_event_info)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

	if (max_ms >= 0)
	{
		events |= WL_TIMEOUT;
	}
	(void) WaitLatch(MyLatch, events, max_ms, wait_event_info);
	ResetLatch(MyLatch);
}
