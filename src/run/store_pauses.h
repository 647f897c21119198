/*
 * src/run/store_pauses.h
 *	  SQL of what people pause and resume, and of who has units.
 */
#ifndef JOSCH_STORE_PAUSES_H
#define JOSCH_STORE_PAUSES_H

#include "base/josch.h"

#include "datatype/timestamp.h"

/* False when it is paused already; "what" is one of josch_pauses_labels. */
extern bool josch_store_pauses_pause(const char *what, const char *name, DateADT job_date, const char *comment);

/* False when it is not paused. */
extern bool josch_store_pauses_resume(const char *what, const char *name, DateADT job_date, const char *comment);

/* Whether there is such a job, in the templates or in a day; such a day, when the date is finite; such a semaphore. */
extern bool josch_store_pauses_find(const char *what, const char *name, DateADT job_date);

/* 'held by "X" since 06:12 (2 units) and 3 others', or NULL: nobody has any; palloc'd. */
extern char *josch_store_pauses_holders(char kind, const char *name, TimestampTz *since);

#endif							/* JOSCH_STORE_PAUSES_H */
