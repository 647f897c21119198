/*
 * src/run/verdict.c
 *	  What becomes of a run that has ended, and of its node.
 *
 * Two questions, one after the other: how did it end, and does it run again.  One rule
 * above all: never guess success.  Who has stopped a run wants it to be over: nothing
 * brings it back by itself.
 */
#include "base/josch.h"

#include "run/verdict.h"

#include <math.h>
#include <string.h>

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "base/report.h"

/* What a shell says of a command that it could not execute. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

/* The part of a delay that may be added to it. */
#define SPREAD 0.1

/* More than makes 100 years of a microsecond: no product of it overflows. */
#define LARGEST_FACTOR 1e16

typedef enum Ending
{
	ENDED_WELL,
	ENDED_SKIPPED,				/* it says that there is nothing to do */
	ENDED_ON_PURPOSE,			/* L: a person has stopped it */
	ENDED_STOPPED,				/* somebody has stopped it */
	ENDED_NOT_STARTED,			/* it could not be executed */
	ENDED_OUT_OF_TIME,
	ENDED_BY_CODE,
	ENDED_BY_SIGNAL,
	ENDED_BY_ERROR,				/* SQL */
	ENDED_UNSEEN				/* nobody knows how */
} Ending;

/* ---- how it ended ---- */

static bool
is_success(const RetryRules *rules, int code)
{
	return rules == NULL ? code == 0 : josch_codes_have(&rules->success_codes, code);
}

/* A person who names these codes knows better what they mean. */
static bool
is_of_shell(const RetryRules *rules, int code)
{
	return (code == EXIT_NOT_EXECUTABLE || code == EXIT_NOT_FOUND) &&
		!(rules != NULL && rules->has_retry_codes && josch_codes_have(&rules->retry_codes, code));
}

static Ending
ending_of(const RunFacts *run, const RunEvent *event)
{
	bool		exited = event->kind == RUN_END_EXIT;

	if (event->kind == RUN_END_NOT_STARTED)
	{
		return run->stopped_by != NULL ? ENDED_STOPPED : ENDED_NOT_STARTED;
	}
	if (event->timed_out)
	{
		return ENDED_OUT_OF_TIME;	/* whatever it says then */
	}
	if (event->kind == RUN_END_UNKNOWN || (event->kind == RUN_END_WATCHED && run->stopped_by == NULL))
	{
		return ENDED_UNSEEN;
	}
	if (run->stopped_by != NULL && run->node_type == 'L')
	{
		return ENDED_ON_PURPOSE;	/* whatever the exit, it is what was wanted */
	}
	if (event->kind == RUN_END_DONE || (exited && !event->stopped && is_success(run->rules, event->value)))
	{
		return ENDED_WELL;
	}
	if (run->stopped_by != NULL || event->stopped)
	{
		return ENDED_STOPPED;
	}
	if (exited)
	{
		if (run->rules != NULL && !run->up && josch_codes_have(&run->rules->skip_codes, event->value))
		{
			return ENDED_SKIPPED;
		}
		return is_of_shell(run->rules, event->value) ? ENDED_NOT_STARTED : ENDED_BY_CODE;
	}
	return event->kind == RUN_END_SIGNAL ? ENDED_BY_SIGNAL : ENDED_BY_ERROR;
}

/* What the end itself says, whoever caused it. */
static char *
describe(const RunEvent *event)
{
	switch (event->kind)
	{
		case RUN_END_DONE:
			return pstrdup("done");
		case RUN_END_EXIT:
			return psprintf("exit code %d", event->value);
		case RUN_END_SIGNAL:
			return psprintf("signal %d (%s)", event->value, strsignal(event->value));
		case RUN_END_NOT_STARTED:
			return psprintf("could not be started: %s", event->text != NULL ? event->text : "no reason given");
		case RUN_END_ERROR:
			return pstrdup(event->text != NULL ? event->text : "SQL failed");
		case RUN_END_WATCHED:
		case RUN_END_UNKNOWN:
			return psprintf("how it ended cannot be known: %s%s%s",
							event->text != NULL ? event->text : "the runner lost sight of it",
							event->survivors != NULL ? "; processes of it still live: " : event->looked ? "; no process of it was found" : "",
							event->survivors != NULL ? event->survivors : "");
	}
	elog(ERROR, "unrecognized end of a run: %d", (int) event->kind);
}

static char *
reason_of(const RunFacts *run, const RunEvent *event, Ending ending)
{
	switch (ending)
	{
		case ENDED_WELL:
			return event->kind == RUN_END_DONE ? event->text : NULL;
		case ENDED_ON_PURPOSE:
			return psprintf("stopped by %s", run->stopped_by);
		case ENDED_OUT_OF_TIME:
			return psprintf("timed out: %s", describe(event));
		case ENDED_STOPPED:
			return run->stopped_by == NULL || event->kind == RUN_END_NOT_STARTED ? describe(event) :
				psprintf("stopped by %s: %s", run->stopped_by, describe(event));
		case ENDED_SKIPPED:
		case ENDED_NOT_STARTED:
		case ENDED_BY_CODE:
		case ENDED_BY_SIGNAL:
		case ENDED_BY_ERROR:
		case ENDED_UNSEEN:
			break;
	}
	return describe(event);
}

/* ---- whether it is tried again ---- */

/* NULL when it may be tried again, or why not. */
static char *
objection(const RetryRules *rules, const RunEvent *event, Ending ending)
{
	switch (ending)
	{
		case ENDED_NOT_STARTED:
			return rules->on.start ? NULL : "retry_on has no \"start\"";
		case ENDED_OUT_OF_TIME:
			return rules->on.timeout ? NULL : "retry_on has no \"timeout\"";
		case ENDED_BY_SIGNAL:
			return rules->on.signal ? NULL : "retry_on has no \"signal\"";
		case ENDED_BY_CODE:
			return !rules->on.exit ? "retry_on has no \"exit\"" :
				rules->has_retry_codes && !josch_codes_have(&rules->retry_codes, event->value) ? "retry_codes does not name this code" : NULL;
		case ENDED_BY_ERROR:
			return josch_retry_on_sqlstate(&rules->on, event->sqlstate) ? NULL :
				psprintf("retry_on has no \"sqlstate:%s\"", unpack_sql_state(event->sqlstate));
		case ENDED_UNSEEN:
			return !rules->repeatable ? "it is not repeatable" :
				event->for_people ? "a person has to look first" :
				event->survivors != NULL ? "processes of it still live" : NULL;
		case ENDED_WELL:
		case ENDED_SKIPPED:
		case ENDED_ON_PURPOSE:
		case ENDED_STOPPED:
			break;
	}
	return "";
}

/* The next attempt: the delay of try k, and up to a tenth more, which is the same whenever it is asked. */
static TimestampTz
next_attempt(const RunFacts *run, TimestampTz ended_at)
{
	const RetryRules *rules = run->rules;
	double		delay = (double) rules->delay_us * Min(pow(rules->backoff, rules->retried), LARGEST_FACTOR);
	double		part = (double) hash_bytes_extended((const unsigned char *) &run->run_id, sizeof(run->run_id), 0) / (double) PG_UINT64_MAX;

	delay = Min(delay, (double) rules->max_delay_us);
	return ended_at + (int64) (delay * (1 + SPREAD * part));
}

/* "07:03" in the zone of the node's times of day; with the date where it is another one, and seconds where they count. */
static char *
moment(TimestampTz at, TimestampTz since, pg_tz *zone)
{
	struct pg_tm then;
	struct pg_tm before;
	fsec_t		fsec;
	int			tz;
	char	   *date = "";

	if (timestamp2tm(at, &tz, &then, &fsec, NULL, zone) != 0 || timestamp2tm(since, &tz, &before, &fsec, NULL, zone) != 0)
	{
		return pstrdup("a time beyond all calendars");
	}
	if (then.tm_mday != before.tm_mday || then.tm_mon != before.tm_mon || then.tm_year != before.tm_year)
	{
		date = psprintf("%04d-%02d-%02d ", then.tm_year, then.tm_mon, then.tm_mday);
	}
	return at - since < USECS_PER_MINUTE ? psprintf("%s%02d:%02d:%02d", date, then.tm_hour, then.tm_min, then.tm_sec) :
		psprintf("%s%02d:%02d", date, then.tm_hour, then.tm_min);
}

/* A run that has not ended well, of a node that has retries: tried again, or not, and the node says so. */
static void
consider_retry(Verdict *verdict, const RunFacts *run, const RunEvent *event, TimestampTz ended_at, Ending ending)
{
	const RetryRules *rules = run->rules;
	char	   *no = objection(rules, event, ending);
	int			last = rules->attempt + rules->retries - rules->retried;

	if (no != NULL)
	{
		verdict->message = no[0] == '\0' ? verdict->reason : psprintf("%s; not tried again: %s", verdict->reason, no);
	}
	else if (rules->retried >= rules->retries)
	{
		verdict->message = psprintf("%s (attempt %d of %d)", verdict->reason, rules->attempt, last);
	}
	else
	{
		verdict->state = NODE_STATE_READY;
		verdict->again_at = next_attempt(run, ended_at);
		verdict->message = psprintf("attempt %d of %d at %s; before: %s", rules->attempt + 1, last,
									moment(verdict->again_at, ended_at, rules->zone), verdict->reason);
	}
}

/*
 * A run that has ended well, of a node that is repeated: the next one, on the first start's grid, after it.  And
 * after its own begin, should a clock that was set back say that it has ended before.
 */
static void
consider_repeat(Verdict *verdict, const RunFacts *run, TimestampTz ended_at)
{
	const RetryRules *rules = run->rules;
	int64		done = Max(Max(ended_at, run->requested_at) - rules->from, 0) / rules->every_us;
	TimestampTz next = rules->from + (done + 1) * rules->every_us;

	if (next <= rules->until)
	{
		verdict->message = psprintf("%s; runs again at %s", verdict->state == NODE_STATE_OMITTED ? verdict->reason : "succeeded",
									moment(next, ended_at, rules->zone));
		verdict->state = NODE_STATE_READY;
		verdict->again_at = next;
		verdict->repeated = true;
	}
}

static NodeState
state_after(const RunFacts *run, Ending ending)
{
	switch (ending)
	{
		case ENDED_WELL:
			return run->node_type == 'R' ? NODE_STATE_REVIEW : NODE_STATE_SUCCEEDED;
		case ENDED_SKIPPED:
			return NODE_STATE_OMITTED;
		case ENDED_ON_PURPOSE:
			return NODE_STATE_SUCCEEDED;
		case ENDED_UNSEEN:
			return NODE_STATE_UNKNOWN;
		case ENDED_STOPPED:
		case ENDED_NOT_STARTED:
		case ENDED_OUT_OF_TIME:
		case ENDED_BY_CODE:
		case ENDED_BY_SIGNAL:
		case ENDED_BY_ERROR:
			break;
	}
	return NODE_STATE_FAILED;
}

Verdict
josch_verdict(const RunFacts *run, const RunEvent *event, TimestampTz ended_at)
{
	Ending		ending = ending_of(run, event);
	Verdict		verdict = {.state = state_after(run, ending), .reason = reason_of(run, event, ending)};
	bool		well = ending == ENDED_WELL || ending == ENDED_SKIPPED || ending == ENDED_ON_PURPOSE;

	verdict.message = verdict.reason;
	verdict.status = well ? "succeeded" : ending == ENDED_UNSEEN ? "unknown" : "failed";
	if (!well && run->rules != NULL && run->rules->retries > 0)
	{
		consider_retry(&verdict, run, event, ended_at, ending);
	}
	if ((ending == ENDED_WELL || ending == ENDED_SKIPPED) && run->rules != NULL && run->rules->every_us > 0)
	{
		consider_repeat(&verdict, run, ended_at);
	}
	/* who has stopped it is there, and is asked */
	if (verdict.state == NODE_STATE_FAILED && run->gives_up && run->stopped_by == NULL)
	{
		verdict.state = NODE_STATE_ABANDONED;
	}
	verdict.reason = josch_report_cut(verdict.reason, JOSCH_MESSAGE_MAX);
	verdict.message = josch_report_cut(verdict.message, JOSCH_MESSAGE_MAX);
	return verdict;
}
