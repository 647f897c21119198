/*
 * src/run/store_rules.c
 *	  What a node says of its ends, read from its row.
 *
 * It is read with the lock of the node, as it is when a run ends: who mends it meanwhile
 * means the run that goes on, too.
 */
#include "base/josch.h"

#include "run/store_rules.h"

#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "day/zone.h"
#include "node/node_table.h"

/* Of nodes.success_codes, as tables have it. */
#define DEFAULT_CODES "{[0,1)}"

enum
{
	JOB_NAME, JOB_DATE, TIME_ZONE, JOB_COLUMNS
};

static const JoschColumn job_columns[JOB_COLUMNS] = {
	[JOB_NAME] = {"job_name", TEXTOID}, [JOB_DATE] = {"job_date", DATEOID}, [TIME_ZONE] = {"time_zone", TEXTOID}
};
static AttrNumber job_numbers[JOB_COLUMNS];
static JoschTable jobs_table = JOSCH_TABLE("jobs", job_columns, job_numbers);

/* ---- sets of codes ---- */

static bool
is_default(Datum codes)
{
	static MultirangeType *born = NULL;	/* in TopMemoryContext */
	struct varlena *stored = (struct varlena *) DatumGetPointer(codes);

	if (born == NULL)
	{
		MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);

		born = DatumGetMultirangeTypeP(OidInputFunctionCall(F_MULTIRANGE_IN, DEFAULT_CODES, INT4MULTIRANGEOID, -1));
		MemoryContextSwitchTo(former);
	}
	return !VARATT_IS_EXTENDED(stored) ? VARSIZE(stored) == VARSIZE(born) && memcmp(stored, born, VARSIZE(born)) == 0 :
		VARATT_IS_SHORT(stored) && VARSIZE_SHORT(stored) - VARHDRSZ_SHORT == VARSIZE(born) - VARHDRSZ &&
		memcmp(VARDATA_SHORT(stored), VARDATA(born), VARSIZE(born) - VARHDRSZ) == 0;
}

static CodeSet
codes_of(Datum value)
{
	MultirangeType *codes = DatumGetMultirangeTypeP(value);
	TypeCacheEntry *type = lookup_type_cache(INT4MULTIRANGEOID, TYPECACHE_MULTIRANGE_INFO);
	CodeSet		set = {{0}};

	for (int code = 0; code < JOSCH_EXIT_CODES; code++)
	{
		if (multirange_contains_elem_internal(type->rngtype, codes, Int32GetDatum(code)))
		{
			set.bits[code / 64] |= UINT64CONST(1) << (code % 64);
		}
	}
	return set;
}

/* ---- the rest ---- */

/* An interval in microseconds: a month has 30 days. */
static int64
microseconds_of(Datum value)
{
	const Interval *interval = DatumGetIntervalP(value);

	return (interval->month * (int64) DAYS_PER_MONTH + interval->day) * USECS_PER_DAY + interval->time;
}

static pg_tz *
zone_of(Datum job_name, Datum job_date)
{
	Datum		key[] = {job_name, job_date};
	JoschFinder jobs;
	char	   *name = NULL;

	josch_finder_open(&jobs, &jobs_table, 2, AccessShareLock);
	if (josch_finder_find(&jobs, key))
	{
		name = josch_finder_get_text(&jobs, TIME_ZONE);
	}
	josch_finder_close(&jobs);
	return josch_zone_find(name);
}

static Datum
get(JoschFinder *nodes, NodesColumn column)
{
	bool		isnull;

	return josch_finder_get(nodes, column, &isnull);
}

static void
read_repeats(RetryRules *rules, JoschFinder *nodes, Datum every)
{
	bool		none;
	Datum		until = josch_finder_get(nodes, NODES_REPEAT_UNTIL, &none);

	rules->every_us = none ? 0 : microseconds_of(every);
	if (rules->every_us > 0)
	{
		rules->until = josch_zone_instant(DatumGetDateADT(get(nodes, NODES_JOB_DATE)), DatumGetIntervalP(until), rules->zone);
	}
	rules->from = DatumGetTimestampTz(josch_finder_get(nodes, NODES_REPEATS_FROM, &none));
	rules->every_us = none ? 0 : rules->every_us;
}

RetryRules *
josch_store_rules_read(JoschFinder *nodes)
{
	bool		no_codes;
	Datum		retry_codes;
	RetryRules *rules;

	Datum		every;
	bool		once;
	Datum		skip_codes;
	bool		skips_none;

	every = josch_finder_get(nodes, NODES_REPEAT_EVERY, &once);
	skip_codes = josch_finder_get(nodes, NODES_SKIP_CODES, &skips_none);
	if (once && skips_none && DatumGetInt32(get(nodes, NODES_RETRIES)) == 0 && is_default(get(nodes, NODES_SUCCESS_CODES)))
	{
		return NULL;			/* without retries the others have no say */
	}
	rules = palloc0(sizeof(RetryRules));
	rules->success_codes = codes_of(get(nodes, NODES_SUCCESS_CODES));
	retry_codes = josch_finder_get(nodes, NODES_RETRY_CODES, &no_codes);
	rules->has_retry_codes = !no_codes;
	if (!no_codes)
	{
		rules->retry_codes = codes_of(retry_codes);
	}
	if (!skips_none)
	{
		rules->skip_codes = codes_of(skip_codes);
	}
	rules->retries = DatumGetInt32(get(nodes, NODES_RETRIES));
	rules->delay_us = microseconds_of(get(nodes, NODES_RETRY_DELAY));
	rules->max_delay_us = microseconds_of(get(nodes, NODES_RETRY_MAX_DELAY));
	rules->backoff = DatumGetFloat8(DirectFunctionCall1(numeric_float8, get(nodes, NODES_RETRY_BACKOFF)));
	if (!josch_retry_on_parse(DatumGetArrayTypeP(get(nodes, NODES_RETRY_ON)), &rules->on))
	{
		memset(&rules->on, 0, sizeof(RetryOn));	/* somebody has taken the CHECK away: never guess */
	}
	rules->repeatable = DatumGetBool(get(nodes, NODES_REPEATABLE));
	rules->retried = DatumGetInt32(get(nodes, NODES_RETRIED));
	rules->attempt = DatumGetInt32(get(nodes, NODES_ATTEMPT));
	rules->zone = zone_of(get(nodes, NODES_JOB_NAME), get(nodes, NODES_JOB_DATE));
	if (!once)
	{
		read_repeats(rules, nodes, every);
	}
	return rules;
}
