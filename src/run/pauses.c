/*
 * src/run/pauses.c
 *	  What is paused, and by whom.
 *
 * There are few: they are read whole.
 */
#include "base/josch.h"

#include "run/pauses.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/finder.h"

const char *const josch_pauses_labels[PAUSE_KINDS] = {"database", "job", "day", "semaphore"};

enum
{
	WHAT, NAME, JOB_DATE, PAUSED_BY, PAUSED_AT, COMMENT, RESUMED_AT, NCOLUMNS
};

static const JoschColumn columns[NCOLUMNS] = {
	[WHAT] = {"what", TEXTOID}, [NAME] = {"name", TEXTOID}, [JOB_DATE] = {"job_date", DATEOID}, [PAUSED_BY] = {"paused_by", TEXTOID},
	[PAUSED_AT] = {"paused_at", TIMESTAMPTZOID}, [COMMENT] = {"comment", TEXTOID}, [RESUMED_AT] = {"resumed_at", TIMESTAMPTZOID}
};
static AttrNumber numbers[NCOLUMNS];
static JoschTable pauses_table = JOSCH_TABLE("pauses", columns, numbers);

static PauseWhat
what_of(const char *label)
{
	for (int i = 0; i < PAUSE_KINDS; i++)
	{
		if (strcmp(label, josch_pauses_labels[i]) == 0)
		{
			return (PauseWhat) i;
		}
	}
	return PAUSE_DATABASE;		/* a CHECK knows no other words */
}

static Pause
read_row(JoschFinder *rows)
{
	bool		isnull;
	bool		in_force;
	Pause		pause = {
		.what = what_of(josch_finder_get_text(rows, WHAT)), .name = josch_finder_get_text(rows, NAME),
		.job_date = DatumGetDateADT(josch_finder_get(rows, JOB_DATE, &isnull)),
		.paused_by = josch_finder_get_text(rows, PAUSED_BY),
		.paused_at = DatumGetTimestampTz(josch_finder_get(rows, PAUSED_AT, &isnull)),
		.comment = josch_finder_get_text(rows, COMMENT)
	};

	(void) josch_finder_get(rows, RESUMED_AT, &in_force);
	pause.resumed = !in_force;
	return pause;
}

Pauses
josch_pauses_read(void)
{
	Pauses		pauses = {0};
	JoschFinder rows;
	int			space = 0;

	josch_finder_open(&rows, &pauses_table, 0, AccessShareLock);
	josch_finder_seek(&rows, NULL);
	while (josch_finder_next(&rows))
	{
		Pause	   *pause;

		if (pauses.n == space)
		{
			space = Max(space * 2, 8);
			pauses.list = pauses.list == NULL ? palloc(sizeof(Pause) * space) : repalloc(pauses.list, sizeof(Pause) * space);
		}
		pause = &pauses.list[pauses.n++];
		*pause = read_row(&rows);
		pauses.resumed |= pause->resumed;
		pauses.of_jobs |= !pause->resumed && (pause->what == PAUSE_JOB || pause->what == PAUSE_DAY);
	}
	josch_finder_close(&rows);
	return pauses;
}

const Pause *
josch_pauses_of_database(const Pauses *pauses)
{
	for (int i = 0; i < pauses->n; i++)
	{
		if (!pauses->list[i].resumed && pauses->list[i].what == PAUSE_DATABASE)
		{
			return &pauses->list[i];
		}
	}
	return NULL;
}

const Pause *
josch_pauses_of_job(const Pauses *pauses, const char *job_name, DateADT job_date)
{
	for (int i = 0; i < pauses->n; i++)
	{
		const Pause *pause = &pauses->list[i];

		if (!pause->resumed && (pause->what == PAUSE_JOB || (pause->what == PAUSE_DAY && pause->job_date == job_date)) &&
			strcmp(pause->name, job_name) == 0)
		{
			return pause;
		}
	}
	return NULL;
}

const Pause *
josch_pauses_of_semaphore(const Pauses *pauses, const char *name)
{
	for (int i = 0; i < pauses->n; i++)
	{
		const Pause *pause = &pauses->list[i];

		if (!pause->resumed && pause->what == PAUSE_SEMAPHORE && strcmp(pause->name, name) == 0)
		{
			return pause;
		}
	}
	return NULL;
}

char *
josch_pauses_text(const Pause *pause)
{
	return psprintf("by %s since %s%s%s", pause->paused_by, pstrdup(timestamptz_to_str(pause->paused_at)),
					pause->comment != NULL ? ": " : "", pause->comment != NULL ? pause->comment : "");
}

void
josch_pauses_forget_resumed(void)
{
	JoschFinder rows;

	josch_finder_open(&rows, &pauses_table, 0, RowExclusiveLock);
	josch_finder_seek(&rows, NULL);
	while (josch_finder_next(&rows))
	{
		if (read_row(&rows).resumed && josch_finder_lock(&rows) == JOSCH_LOCK_TAKEN && read_row(&rows).resumed)
		{
			josch_finder_delete(&rows);
		}
	}
	josch_finder_close(&rows);
}
