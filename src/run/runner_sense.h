/*
 * src/run/runner_sense.h
 *	  What the runner says, brought into what can be.
 */
#ifndef JOSCH_RUNNER_SENSE_H
#define JOSCH_RUNNER_SENSE_H

#include "base/josch.h"

#include "datatype/timestamp.h"

#include "run/run_event.h"

#define JOSCH_UNIX_TO_POSTGRES_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC)

/* Valid UTF-8 without zeroes, of the first or the last so many bytes; palloc'd. */
extern char *josch_runner_sense_text(JoschSlice slice, uint32 limit);
extern char *josch_runner_sense_tail(JoschSlice slice, uint32 limit);

/* The same of the first bytes, in one line that is seen as it is. */
extern char *josch_runner_sense_line(JoschSlice slice, uint32 limit);

/* When it was; where that cannot be: now. */
extern TimestampTz josch_runner_sense_moment(int64 unix_us);

/* 0: not known. */
extern TimestampTz josch_runner_sense_time(int64 unix_us);
extern int32 josch_runner_sense_pid(int64 pid);

/* What a run says of itself, in bounds; NULL: nothing. */
extern char *josch_runner_sense_report(JoschSlice lines);

/* Fills in how a run ended.  What cannot be, or is not known here, is no end that anybody knows. */
extern void josch_runner_sense_end(RunEvent *event, const JoschExit *end, uint32 flags);

#endif							/* JOSCH_RUNNER_SENSE_H */
