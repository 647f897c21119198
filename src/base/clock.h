/*
 * src/base/clock.h
 *	  What time it is, and how to wait.
 *
 * No other file asks the system for the time or waits on a latch.
 * Tests move the clock by the setting josch.now (superuser only) and by
 * josch.tick(at), which runs one pass in the foreground at a given moment.
 */
#ifndef JOSCH_CLOCK_H
#define JOSCH_CLOCK_H

#include "base/josch.h"

#include "utils/guc.h"

struct WaitEventSet;
struct WaitEvent;

/* value of the setting josch.now: empty for the real clock; its hooks, for config.c */
extern char *josch_clock_setting;
extern bool josch_clock_check_setting(char **newval, void **extra, GucSource source);
extern void josch_clock_assign_setting(const char *newval, void *extra);

/* the present moment: of tick(), else of josch.now, else of the system */
extern TimestampTz josch_clock_now(void);

/* the system's moment, to be compared with what the server itself writes down */
extern TimestampTz josch_clock_system_now(void);

/* by how much the clock is moved; 0: it is the system's */
extern int64 josch_clock_ahead(void);

/*
 * Moves the clock for the calls that follow (tick); returns what was in force,
 * to be given back to josch_clock_restore in a PG_FINALLY.  0 is "not moved".
 */
extern TimestampTz josch_clock_move(TimestampTz at);
extern void josch_clock_restore(TimestampTz former);

/* true while tick() has moved the clock; the setting josch.now does not count */
extern bool josch_clock_is_moved(void);

/*
 * Whether the moment has come: also when it lies further ahead than it can have
 * been put, as when the clock was set back.
 */
extern bool josch_clock_is_due(TimestampTz at, int64 max_ms);

/*
 * Waits for an event of the set, or until the clock reaches "until" (DT_NOEND:
 * for ever), at most max_ms milliseconds.  Returns the number of events.
 */
extern int	josch_clock_wait(struct WaitEventSet *set, TimestampTz until, long max_ms,
							 struct WaitEvent *events, int nevents, uint32 wait_event_info);

/* Waits for MyLatch or max_ms (-1: for ever) and resets the latch; exits on postmaster death. */
extern void josch_clock_wait_latch(long max_ms, uint32 wait_event_info);

#endif							/* JOSCH_CLOCK_H */
