/*
 * src/day/due.h
 *	  Days that make themselves: which are due, and what becomes of each.
 *
 * A day is settled when it has its row in josch.job_days, which is written in the
 * transaction that makes it.  Days of a job are settled in the order of their
 * dates: of the past, those after the last row are those that are not settled yet.
 */
#ifndef JOSCH_DUE_H
#define JOSCH_DUE_H

#include "base/josch.h"

#include "nodes/pg_list.h"

#include "day/store_due.h"

/*
 * The days of all jobs that are due and not settled, in the order in which they
 * are to be settled, the first of each job before the second of any, with what is
 * to become of them; palloc'd.
 */
extern DueDay *josch_due_list(TimestampTz now, int *n);

/*
 * Settles one, in the caller's transaction.  False when it has been settled by another,
 * or its template was changed since: the days of its job are to be listed anew.
 */
extern bool josch_due_settle(DueDay *day, TimestampTz now);

/* What kept it from being settled will pass: the job is to be tried again later. */
extern bool josch_due_may_pass(const ErrorData *error);

/* It cannot be made: somebody is to decide. */
extern void josch_due_fail(DueDay *day, TimestampTz now, const ErrorData *error);

/* Settles all that are due, in the caller's transaction: each for itself, and what may pass is left for the next time. */
extern void josch_due_settle_all(TimestampTz now);

/*
 * Of all that are due somebody is asked, whatever the templates say: the database was
 * taken back to an earlier moment, and they may have been made already.
 */
extern void josch_due_ask_all(TimestampTz now);

/* Whether days of the same job are left out, since one before could not be settled. */
extern bool josch_due_is_left(const List *jobs, const DueDay *day);

#endif							/* JOSCH_DUE_H */
