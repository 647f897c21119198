/*
 * src/alarm/store_delivery.c
 *	  SQL on josch.alarm_deliveries: alarms on their way to hooks.
 */
#include "base/josch.h"

#include "alarm/store_delivery.h"

#include "utils/acl.h"
#include "utils/builtins.h"

#include "base/rows.h"
#include "base/spi_plan.h"

/* What is read of deliveries d, their hooks h (or none) and alarms a. */
#define SQL_DELIVERY \
	"d.delivery_id, d.run_id, d.nonce, d.kind = 'sql', d.attempt, d.hook_name, coalesce(h.exec_command, h.exec_sql)," \
	" h.owner::text, (extract(epoch FROM h.timeout) * 1000)::bigint, d.log, a.alarm_id::text, a.kind, a.message," \
	" to_char(a.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), to_char(a.raised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')," \
	" a.job_name, to_char(a.job_date, 'YYYY-MM-DD'), a.node_id::text," \
	" (SELECT n.node_name FROM josch.nodes n WHERE n.job_date = a.job_date AND n.node_id = a.node_id), a.calendar_name"

static const JoschRow delivery_row = JOSCH_ROW(
	Delivery,
	JOSCH_FIELD(Delivery, delivery_id, INT64),
	JOSCH_FIELD(Delivery, run_id, INT64),
	JOSCH_FIELD(Delivery, nonce, INT64),
	JOSCH_FIELD(Delivery, sql, BOOL),
	JOSCH_FIELD(Delivery, attempt, INT32),
	JOSCH_FIELD(Delivery, hook_name, TEXT),
	JOSCH_FIELD(Delivery, text, TEXT),
	JOSCH_FIELD(Delivery, owner, TEXT),
	JOSCH_FIELD(Delivery, timeout_ms, INT64),
	JOSCH_FIELD(Delivery, log, TEXT),
	JOSCH_FIELD(Delivery, alarm_id, TEXT),
	JOSCH_FIELD(Delivery, kind, TEXT),
	JOSCH_FIELD(Delivery, message, TEXT),
	JOSCH_FIELD(Delivery, due_at, TEXT),
	JOSCH_FIELD(Delivery, raised_at, TEXT),
	JOSCH_FIELD(Delivery, job_name, TEXT),
	JOSCH_FIELD(Delivery, job_date, TEXT),
	JOSCH_FIELD(Delivery, node_id, TEXT),
	JOSCH_FIELD(Delivery, node_name, TEXT),
	JOSCH_FIELD(Delivery, calendar_name, TEXT));

/*
 * $1 now, $2 SQL, $3 of all, $4 of a hook, $5 folder of the logs.  Each hook has its own
 * line, and one whose last attempt failed comes after those whose did not: so one that
 * hangs keeps the others waiting once, and not for each alarm.
 */
static JoschPlan take = JOSCH_PLAN(
	"WITH turn AS MATERIALIZED (SELECT d.delivery_id FROM josch.alarm_hooks h,"
	"   LATERAL (SELECT count(*) AS n FROM josch.alarm_deliveries r WHERE r.hook_name = h.hook_name AND r.state = 'running') r,"
	"   LATERAL (SELECT (SELECT e.message IS NOT NULL FROM josch.alarm_deliveries e WHERE e.hook_name = h.hook_name AND e.ended_at IS NOT NULL"
	"     ORDER BY e.ended_at DESC LIMIT 1) AS failed) l,"
	"   LATERAL (SELECT d.delivery_id, d.not_before, row_number() OVER () AS place FROM (SELECT d.delivery_id, d.not_before FROM josch.alarm_deliveries d"
	"     WHERE d.hook_name = h.hook_name AND d.state = 'waiting' AND d.not_before <= $1 ORDER BY d.not_before, d.delivery_id LIMIT $4) d) d"
	"  WHERE h.enabled AND (h.exec_sql IS NOT NULL) = $2 AND d.place <= $4 - r.n ORDER BY l.failed NULLS FIRST, d.not_before, d.delivery_id LIMIT $3),"
	" d AS (UPDATE josch.alarm_deliveries d SET state = 'running', kind = CASE WHEN $2 THEN 'sql' ELSE 'command' END, attempt = d.attempt + 1,"
	"   started_at = $1, run_id = nextval('josch.run_id_seq'), nonce = josch.new_nonce(),"
	"   log = CASE WHEN NOT $2 THEN format('log/%s/alarms/%s.%s.log', $5, d.delivery_id, d.attempt + 1) END"
	"  FROM turn t WHERE d.delivery_id = t.delivery_id RETURNING d.*)"
	" SELECT " SQL_DELIVERY " FROM d JOIN josch.alarms a ON a.alarm_id = d.alarm_id JOIN josch.alarm_hooks h ON h.hook_name = d.hook_name"
	" ORDER BY d.delivery_id",
	TIMESTAMPTZOID, BOOLOID, INT8OID, INT8OID, TEXTOID);

static JoschPlan find = JOSCH_PLAN(
	"SELECT " SQL_DELIVERY " FROM josch.alarm_deliveries d JOIN josch.alarms a ON a.alarm_id = d.alarm_id"
	" LEFT JOIN josch.alarm_hooks h ON h.hook_name = d.hook_name WHERE d.delivery_id = $1 AND d.nonce = $2 AND d.state = 'running'",
	INT8OID, INT8OID);

static JoschPlan running = JOSCH_PLAN0(
	"SELECT d.delivery_id, d.run_id, d.nonce, d.kind = 'sql' FROM josch.alarm_deliveries d WHERE d.state = 'running'");

static const JoschRow running_row = JOSCH_ROW(
	Delivery,
	JOSCH_FIELD(Delivery, delivery_id, INT64),
	JOSCH_FIELD(Delivery, run_id, INT64),
	JOSCH_FIELD(Delivery, nonce, INT64),
	JOSCH_FIELD(Delivery, sql, BOOL));

static JoschPlan next = JOSCH_PLAN0(
	"SELECT min(d.not_before) FROM josch.alarm_hooks h, LATERAL (SELECT d.not_before FROM josch.alarm_deliveries d"
	"  WHERE d.hook_name = h.hook_name AND d.state = 'waiting' ORDER BY d.not_before, d.delivery_id LIMIT 1) d WHERE h.enabled");

typedef struct Next
{
	TimestampTz at;
} Next;

static const JoschRow next_row = JOSCH_ROW(
	Next,
	JOSCH_NULLABLE(Next, at, TIMESTAMPTZ, DT_NOEND));

/* $1 delivery, $2 nonce, $3 now, $4 exit code, $5 message, $6 output.  Whose hook is gone is not tried again. */
static JoschPlan end = JOSCH_PLAN(
	"UPDATE josch.alarm_deliveries d SET ended_at = $3, exit_code = $4, message = $5, output_tail = $6,"
	"  state = CASE WHEN $5 IS NULL THEN 'delivered' WHEN d.attempt > coalesce(h.retries, 0) THEN 'failed' ELSE 'waiting' END,"
	"  not_before = CASE WHEN $5 IS NULL THEN d.not_before ELSE $3 + least(coalesce(h.retry_delay, '0') * power(2, least(d.attempt - 1, 20)),"
	"   greatest(h.retry_delay, '1 hour')) END"
	" FROM (SELECT $1 AS delivery_id) o LEFT JOIN LATERAL (SELECT h.retries, h.retry_delay FROM josch.alarm_deliveries e"
	"   JOIN josch.alarm_hooks h ON h.hook_name = e.hook_name WHERE e.delivery_id = o.delivery_id) h ON true"
	" WHERE d.delivery_id = o.delivery_id AND d.nonce = $2 AND d.state = 'running'",
	INT8OID, INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID);

static JoschPlan environ_rows = JOSCH_PLAN0("SELECT var || '=' || value FROM josch.environs ORDER BY var COLLATE \"C\"");

Delivery *
josch_store_delivery_take(TimestampTz now, bool sql, int limit, int of_a_hook, const char *log_folder, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[5] = {TimestampTzGetDatum(now), BoolGetDatum(sql), Int64GetDatum(limit), Int64GetDatum(of_a_hook), CStringGetTextDatum(log_folder)};
	JoschSpi	spi;
	Delivery   *deliveries;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(&take, SPI_OK_SELECT, args, NULL);
	deliveries = josch_rows_fetch(&delivery_row, *n, caller);
	for (int i = 0; i < *n; i++)
	{
		deliveries[i].owner_oid = get_role_oid(deliveries[i].owner, true);
	}
	josch_spi_end(&spi);
	return deliveries;
}

bool
josch_store_delivery_read(int64 delivery_id, int64 nonce, Delivery *delivery)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[2] = {Int64GetDatum(delivery_id), Int64GetDatum(nonce)};
	JoschSpi	spi;
	bool		found;

	josch_spi_begin(&spi);
	found = josch_spi_run(&find, SPI_OK_SELECT, args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&delivery_row, delivery, caller);
	}
	josch_spi_end(&spi);
	return found;
}

Delivery *
josch_store_delivery_running(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Delivery   *deliveries;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(&running, SPI_OK_SELECT, NULL, NULL);
	deliveries = josch_rows_fetch(&running_row, *n, caller);
	josch_spi_end(&spi);
	return deliveries;
}

TimestampTz
josch_store_delivery_next(void)
{
	JoschSpi	spi;
	Next		found;

	josch_spi_begin(&spi);
	josch_spi_run(&next, SPI_OK_SELECT, NULL, NULL);
	josch_rows_fetch_one(&next_row, &found, CurrentMemoryContext);
	josch_spi_end(&spi);
	return found.at;
}

bool
josch_store_delivery_end(const DeliveryEnd *ending, TimestampTz now)
{
	Datum		args[6] = {Int64GetDatum(ending->delivery_id), Int64GetDatum(ending->nonce), TimestampTzGetDatum(now), Int32GetDatum(ending->exit_code)};
	char		nulls[6] = {' ', ' ', ' ', ending->exit_code >= 0 ? ' ' : 'n', ' ', ' '};
	JoschSpi	spi;
	bool		ended;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 4, ending->message);
	josch_spi_set_text(args, nulls, 5, ending->output_tail);
	ended = josch_spi_run(&end, SPI_OK_UPDATE, args, nulls) > 0;
	josch_spi_end(&spi);
	return ended;
}

/* ---- what a hook knows ---- */

static void
add(char **variables, int *n, const char *name, const char *value)
{
	if (value != NULL)
	{
		variables[(*n)++] = psprintf("%s=%s", name, value);
	}
}

/* The caller's array has room for those of the alarm. */
static char **
begin_with_environs(bool environs, int room, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	char	  **variables;

	*n = 0;
	if (!environs)
	{
		return palloc(sizeof(char *) * room);
	}
	josch_spi_begin(&spi);
	josch_spi_run(&environ_rows, SPI_OK_SELECT, NULL, NULL);
	variables = MemoryContextAlloc(caller, sizeof(char *) * (SPI_processed + room));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		variables[(*n)++] = MemoryContextStrdup(caller, josch_spi_text(i, 1));
	}
	josch_spi_end(&spi);
	return variables;
}

char **
josch_store_delivery_variables(const Delivery *delivery, bool environs)
{
	const struct
	{
		const char *name;
		const char *value;
	}			known[] = {
		{"ALARM_ID", delivery->alarm_id}, {"ALARM_KIND", delivery->kind}, {"ALARM_MESSAGE", delivery->message},
		{"ALARM_DUE_AT", delivery->due_at}, {"ALARM_RAISED_AT", delivery->raised_at}, {"JOB_NAME", delivery->job_name},
		{"DATE", delivery->job_date}, {"NODE_ID", delivery->node_id}, {"NODE_NAME", delivery->node_name},
		{"CALENDAR_NAME", delivery->calendar_name}, {"HOOK_NAME", delivery->hook_name},
		{"ATTEMPT", psprintf("%d", delivery->attempt)}
	};
	int			n;
	char	  **variables = begin_with_environs(environs, lengthof(known) + 1, &n);

	for (int i = 0; i < (int) lengthof(known); i++)
	{
		add(variables, &n, known[i].name, known[i].value);
	}
	variables[n] = NULL;
	return variables;
}
