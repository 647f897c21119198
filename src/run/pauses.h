/*
 * src/run/pauses.h
 *	  What is paused, and by whom.
 */
#ifndef JOSCH_PAUSES_H
#define JOSCH_PAUSES_H

#include "base/josch.h"

#include "datatype/timestamp.h"

typedef enum PauseWhat
{
	PAUSE_DATABASE,
	PAUSE_JOB,
	PAUSE_DAY,
	PAUSE_SEMAPHORE,
	PAUSE_KINDS
} PauseWhat;

/* pauses.what */
extern const char *const josch_pauses_labels[PAUSE_KINDS];

typedef struct Pause
{
	PauseWhat	what;
	char	   *name;
	DateADT		job_date;
	char	   *paused_by;
	TimestampTz paused_at;
	char	   *comment;		/* or NULL */
	bool		resumed;		/* what was put aside for it is to come back */
} Pause;

typedef struct Pauses
{
	Pause	   *list;
	int			n;
	bool		of_jobs;		/* some are in force of jobs or days */
	bool		resumed;		/* some are not in force any more */
} Pauses;

/* As they are now; palloc'd. */
extern Pauses josch_pauses_read(void);

/* What is in force; NULL: nothing. */
extern const Pause *josch_pauses_of_database(const Pauses *pauses);
extern const Pause *josch_pauses_of_job(const Pauses *pauses, const char *job_name, DateADT job_date);
extern const Pause *josch_pauses_of_semaphore(const Pauses *pauses, const char *name);

/* "by NAME since 2026-11-30 06:12:00+00: comment"; palloc'd. */
extern char *josch_pauses_text(const Pause *pause);

/* Takes away those that are not in force any more, and have not been put into force again meanwhile. */
extern void josch_pauses_forget_resumed(void);

#endif							/* JOSCH_PAUSES_H */
