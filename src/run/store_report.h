/*
 * src/run/store_report.h
 *	  josch.run_reports: what runs have said of themselves.
 */
#ifndef JOSCH_STORE_REPORT_H
#define JOSCH_STORE_REPORT_H

#include "base/josch.h"

#include "base/node_key.h"
#include "run/run_event.h"

typedef struct StoreReport
{
	int64		run_id;
	NodeKey		key;			/* of its node */
	const char *executor;		/* that runs it; or NULL */
	const char *lines;			/* as run_report.h reads them */
	bool		live;			/* the run goes on: clients are told */
} StoreReport;

/*
 * Writes them down, each in the place of what the run has said before.  Past the planner;
 * expects engine mode.  An ERROR of one is an ERROR of all.
 */
extern void josch_store_report_put(const StoreReport *reports, int n);

#endif							/* JOSCH_STORE_REPORT_H */
