/*
 * src/run/run_report.h
 *	  What a run says of itself, as it is stored.
 */
#ifndef JOSCH_RUN_REPORT_H
#define JOSCH_RUN_REPORT_H

#include "base/josch.h"

#include "wire/report.h"

typedef struct RunReport
{
	bool		has_progress;
	double		progress;		/* 0 to 1 */
	char	   *progress_text;	/* or NULL */
	char	   *results;		/* a JSON object of strings */
	char	   *problems;		/* what was not kept, in words; or NULL */
	char	   *host;			/* where its executor has it; or NULL */
	char	   *waits_for;		/* why it waits there; or NULL */
	char	   *unreachable;	/* why the other side does not answer; or NULL */
} RunReport;

/* Of lines in the database's encoding, which come from the runner or a worker; palloc'd. */
extern RunReport josch_run_report_read(const char *lines);

/* An empty report whose memory is that context's. */
extern void josch_run_report_begin(JoschReport *report, MemoryContext context);

/* The lines of what was kept; palloc'd, NULL when there are none.  Of progress alone, where so is asked. */
extern char *josch_run_report_lines(const JoschReport *report, bool progress_only);

#endif							/* JOSCH_RUN_REPORT_H */
