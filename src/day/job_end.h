/*
 * src/day/job_end.h
 *	  The end of a job (a node of type E) waits for all other nodes of its job: that is written in no template.
 *
 * Pure: structs in, structs out.
 */
#ifndef JOSCH_JOB_END_H
#define JOSCH_JOB_END_H

#include "base/josch.h"

#include "day/store_day.h"

/*
 * Puts what the ends among the nodes wait for behind the n dependencies, for which new room is made where that is needed;
 * returns where they are.  Which of two that are one dependency of a day holds is the caller's business.
 */
extern DayDependency *josch_job_end_add(DayDependency *dependencies, int *n, const DayJob *jobs, const DayNode *nodes, int nnodes);

#endif							/* JOSCH_JOB_END_H */
