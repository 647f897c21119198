/*
 * src/day/due.c
 *	  Days that make themselves: which are due, and what becomes of each.
 */
#include "base/josch.h"

#include "day/due.h"

#include "base/attempt.h"
#include "base/report.h"
#include "day/day.h"
#include "day/zone.h"

/* ---- what is to become of them ---- */

static DueOutcome
outcome_of(const DueDay *day, bool latest)
{
	DueOutcome	make = day->late ? DUE_LATE : DUE_MADE;

	if (!day->missed)
	{
		/* "latest" means this one, unless another is due already */
		return day->catch_up == CATCH_UP_LATEST && !latest ? DUE_MISSED : make;
	}
	switch (day->catch_up)
	{
		case CATCH_UP_ALL:
			return make;
		case CATCH_UP_LATEST:
			return latest ? make : DUE_MISSED;
		case CATCH_UP_NONE:
			return DUE_MISSED;
		case CATCH_UP_ASK:
			return DUE_ASKED;
	}
	pg_unreachable();
}

static int
compare_by_job(const void *a, const void *b)
{
	const DueDay *x = *(DueDay *const *) a;
	const DueDay *y = *(DueDay *const *) b;
	int			order = strcmp(x->job_name, y->job_name);

	return order != 0 ? order : (x->job_date > y->job_date) - (x->job_date < y->job_date);
}

static void
decide(DueDay *days, int n)
{
	DueDay	  **by_job = palloc(Max(n, 1) * sizeof(DueDay *));

	for (int i = 0; i < n; i++)
	{
		by_job[i] = &days[i];
	}
	qsort(by_job, n, sizeof(DueDay *), compare_by_job);
	for (int i = 0; i < n; i++)
	{
		bool		latest = i == n - 1 || strcmp(by_job[i]->job_name, by_job[i + 1]->job_name) != 0;

		by_job[i]->outcome = outcome_of(by_job[i], latest);
	}
	pfree(by_job);
}

DueDay *
josch_due_list(TimestampTz now, int *n)
{
	DueDay	   *days = josch_store_due_list(now, n);

	decide(days, *n);
	return days;
}

/* ---- settling ---- */

static bool
is_to_be_made(const DueDay *day)
{
	return day->outcome == DUE_MADE || day->outcome == DUE_LATE;
}

bool
josch_due_settle(DueDay *day, TimestampTz now)
{
	if (!josch_store_due_note(day, now, NULL))
	{
		return false;
	}
	if (is_to_be_made(day))
	{
		DayRequest	request = {
			.job_name = day->job_name,.has_date = true,.job_date = day->job_date,
			.default_zone = josch_zone_default(),.by_itself = true
		};
		int			n;

		(void) josch_day_make(&request, &n);
	}
	else if (day->outcome == DUE_MISSED)
	{
		josch_store_due_release(day->job_name, &day->job_date, 1);
	}
	return true;
}

bool
josch_due_may_pass(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE || error->sqlerrcode == ERRCODE_OBJECT_IN_USE ||
		category == ERRCODE_TRANSACTION_ROLLBACK || category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_SYSTEM_ERROR;
}

void
josch_due_fail(DueDay *day, TimestampTz now, const ErrorData *error)
{
	day->outcome = DUE_FAILED;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("job \"%s\" of %s could not make itself: %s", day->job_name, josch_report_date(day->job_date), error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 errhint("When that is mended, josch.make_missed() makes it.")));
	(void) josch_store_due_note(day, now, josch_report_cut(error->message, 1000));
}

bool
josch_due_is_left(const List *jobs, const DueDay *day)
{
	ListCell   *cell;

	foreach(cell, jobs)
	{
		if (strcmp(lfirst(cell), day->job_name) == 0)
		{
			return true;
		}
	}
	return false;
}

typedef struct Settling
{
	DueDay	   *day;
	TimestampTz now;
	bool		settled;
	const ErrorData *cause;		/* of a failure */
} Settling;

static void
settle(void *argument)
{
	Settling   *settling = argument;

	settling->settled = josch_due_settle(settling->day, settling->now);
}

static void
fail(void *argument)
{
	Settling   *settling = argument;

	josch_due_fail(settling->day, settling->now, settling->cause);
}

/* False when the days of its job that follow are to be left, too. */
static bool
settle_one(DueDay *day, TimestampTz now)
{
	Settling	settling = {.day = day,.now = now};

	settling.cause = josch_attempt(settle, &settling);
	if (settling.cause == NULL)
	{
		return settling.settled;
	}
	return !josch_due_may_pass(settling.cause) && josch_attempt(fail, &settling) == NULL;
}

void
josch_due_settle_all(TimestampTz now)
{
	int			n;
	DueDay	   *days = josch_due_list(now, &n);
	List	   *left = NIL;

	for (int i = 0; i < n; i++)
	{
		if (!josch_due_is_left(left, &days[i]) && !settle_one(&days[i], now))
		{
			left = lappend(left, days[i].job_name);
		}
	}
}

typedef struct Asking
{
	TimestampTz now;
	DueDay	   *day;
} Asking;

static void
ask(void *argument)
{
	Asking	   *asking = argument;

	asking->day->outcome = DUE_ASKED;
	(void) josch_store_due_note(asking->day, asking->now, NULL);
}

void
josch_due_ask_all(TimestampTz now)
{
	int			n;
	DueDay	   *days = josch_store_due_list(now, &n);

	for (int i = 0; i < n; i++)
	{
		Asking		asking = {.now = now,.day = &days[i]};
		ErrorData  *error = josch_attempt(ask, &asking);

		/* what cannot be written down at all is not made either */
		if (error != NULL && josch_due_may_pass(error))
		{
			ReThrowError(error);
		}
	}
}
