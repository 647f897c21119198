/*
 * src/run/verdict.h
 *	  What becomes of a run that has ended, and of its node.
 *
 * Pure: structs in, a verdict out.  Commands and SQL, ends that were seen and runs that
 * were lost are all judged here, and nowhere else.
 */
#ifndef JOSCH_VERDICT_H
#define JOSCH_VERDICT_H

#include "base/josch.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

#include "base/states.h"
#include "node/retry_on.h"
#include "run/run_event.h"

#define JOSCH_EXIT_CODES 256

/* A set of exit codes. */
typedef struct CodeSet
{
	uint64		bits[JOSCH_EXIT_CODES / 64];
} CodeSet;

static inline bool
josch_codes_have(const CodeSet *codes, int code)
{
	return code >= 0 && code < JOSCH_EXIT_CODES && (codes->bits[code / 64] >> (code % 64) & 1) != 0;
}

/* What a node says of its ends: its columns of these names, and what is used up. */
typedef struct RetryRules
{
	CodeSet		success_codes;
	bool		has_retry_codes;
	CodeSet		retry_codes;
	CodeSet		skip_codes;
	int			retries;
	int64		delay_us;
	int64		max_delay_us;
	double		backoff;
	RetryOn		on;
	bool		repeatable;
	int			retried;
	int			attempt;
	pg_tz	   *zone;			/* of its times of day */
	int64		every_us;		/* it is repeated so often; 0: it is not, */
	TimestampTz from;			/* since then, */
	TimestampTz until;			/* and until then */
} RetryRules;

/* What has to be known of the run beside its end. */
typedef struct RunFacts
{
	int64		run_id;
	char		node_type;
	TimestampTz requested_at;	/* 0: not known */
	const char *stopped_by;		/* or NULL */
	const RetryRules *rules;	/* NULL: code 0 is success, and nothing is tried again */
	bool		gives_up;		/* on_failure */
	bool		up;				/* it has been: its children have begun */
} RunFacts;

typedef struct Verdict
{
	NodeState	state;			/* of the node; ready: it is tried again */
	const char *status;			/* of the run */
	char	   *reason;			/* how it ended, in words; NULL when all is well */
	char	   *message;		/* the node's: the same, and what follows */
	TimestampTz again_at;		/* 0, or when the next attempt begins */
	bool		repeated;		/* that is no retry: all has gone well */
} Verdict;

/* How the run ended, and at which moment, from which delays count. */
extern Verdict josch_verdict(const RunFacts *run, const RunEvent *event, TimestampTz ended_at);

#endif							/* JOSCH_VERDICT_H */
