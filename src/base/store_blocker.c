/*
 * src/base/store_blocker.c
 *	  Who blocks whom: the sessions that hold what others wait for.
 *
 * Read as the schema's owner, since whoever waits may know for whom, whatever
 * rights he has on the statistics of others.  A lock of a prepared transaction
 * has no process.
 */
#include "base/josch.h"

#include "base/store_blocker.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/rows.h"
#include "base/spi_plan.h"

#define BLOCKER_COLUMNS(pid) \
	pid ", coalesce(a.usename, x.owner)::text, coalesce(a.xact_start, x.prepared)," \
	" coalesce(a.state LIKE 'idle%', a.pid IS NULL), x.gid"

/* The prepared transaction that has a lock: it has locked its own number, too, under the same name, which a restart changes. */
#define PREPARED_OF(lock) \
	"SELECT p.owner, p.prepared, p.gid FROM pg_locks v JOIN pg_prepared_xacts p ON p.transaction = v.transactionid" \
	" WHERE v.locktype = 'transactionid' AND v.pid IS NULL AND v.granted AND v.virtualtransaction = " lock ".virtualtransaction"

#define BLOCKER_FIELDS(type, of) \
	JOSCH_FIELD(type, of pid, INT32), JOSCH_FIELD(type, of user_name, TEXT), \
	JOSCH_FIELD(type, of since, TIMESTAMPTZ), JOSCH_FIELD(type, of idle, BOOL), JOSCH_FIELD(type, of gid, TEXT)

static const JoschRow blocker_row = JOSCH_ROW(JoschBlocker, BLOCKER_FIELDS(JoschBlocker, ));

/* $1 the kind of lock, $2 what is locked */
static JoschPlan holders = JOSCH_PLAN(
	"SELECT DISTINCT " BLOCKER_COLUMNS("coalesce(l.pid, 0)")
	"  FROM pg_locks l"
	"  LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
	"  LEFT JOIN LATERAL (" PREPARED_OF("l") ") x ON l.pid IS NULL"
	" WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.locktype = $1"
	"   AND (l.database IS NULL OR l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))"
	"   AND concat_ws('/', l.transactionid, l.virtualxid, l.relation, l.page, l.tuple, l.classid, l.objid, l.objsubid) = $2"
	" ORDER BY 1",
	TEXTOID, TEXTOID);

/* $1 the present moment; a prepared transaction is process 0 among those who block */
static JoschPlan waiters = JOSCH_PLAN(
	"SELECT w.pid, l.waitstart, w.usename::text, " BLOCKER_COLUMNS("b.pid")
	"  FROM pg_locks l"
	"  JOIN pg_stat_activity w ON w.pid = l.pid AND w.datname = current_database()"
	" CROSS JOIN LATERAL (SELECT DISTINCT pid FROM unnest(pg_blocking_pids(w.pid)) pid) b"
	"  LEFT JOIN pg_stat_activity a ON a.pid = b.pid AND b.pid <> 0"
	"  LEFT JOIN LATERAL (SELECT x.owner, x.prepared, x.gid FROM pg_locks h, LATERAL (" PREPARED_OF("h") ") x"
	"                      WHERE b.pid = 0 AND h.pid IS NULL AND h.granted AND h.locktype = l.locktype"
	"                        AND (h.database, h.relation, h.page, h.tuple, h.transactionid, h.classid, h.objid, h.objsubid)"
	"                            IS NOT DISTINCT FROM"
	"                            (l.database, l.relation, l.page, l.tuple, l.transactionid, l.classid, l.objid, l.objsubid)"
	"                      LIMIT 1) x ON true"
	" WHERE NOT l.granted AND greatest(w.query_start, w.xact_start) < $1 - interval '1 second'"
	"   AND EXISTS (SELECT FROM pg_locks h JOIN pg_class c ON c.oid IN (h.relation, h.classid)"
	"                WHERE h.pid = l.pid AND c.relnamespace = 'josch'::regnamespace)"
	" ORDER BY 1, 4",
	TIMESTAMPTZOID);

static const JoschRow waiter_row = JOSCH_ROW(
	JoschWaiter,
	JOSCH_FIELD(JoschWaiter, pid, INT32),
	JOSCH_FIELD(JoschWaiter, since, TIMESTAMPTZ),
	JOSCH_FIELD(JoschWaiter, user_name, TEXT),
	BLOCKER_FIELDS(JoschWaiter, blocker.));

/* $1 the present moment; whoever only reads holds nothing that the scheduler sets aside */
static JoschPlan table_holders = JOSCH_PLAN(
	"SELECT DISTINCT " BLOCKER_COLUMNS("coalesce(l.pid, 0)")
	"  FROM pg_locks l"
	"  JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'josch'::regnamespace"
	"  JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
	"  LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
	"  LEFT JOIN LATERAL (" PREPARED_OF("l") ") x ON l.pid IS NULL"
	" WHERE l.granted AND l.mode <> 'AccessShareLock' AND coalesce(a.backend_type, '') <> 'josch scheduler'"
	"   AND coalesce(a.xact_start, x.prepared) < $1 - interval '1 second'"
	" ORDER BY 1",
	TIMESTAMPTZOID);

/* What pg_locks says of a lock, in the order in which "holders" puts it together. */
static char *
place_of(const LOCKTAG *tag, const char **kind)
{
	*kind = LockTagTypeNames[tag->locktag_type];
	switch ((LockTagType) tag->locktag_type)
	{
		case LOCKTAG_TRANSACTION:
			return psprintf("%u", tag->locktag_field1);
		case LOCKTAG_VIRTUALTRANSACTION:
			return psprintf("%u/%u", tag->locktag_field1, tag->locktag_field2);
		case LOCKTAG_RELATION:
			return psprintf("%u", tag->locktag_field2);
		case LOCKTAG_TUPLE:
			return psprintf("%u/%u/%u", tag->locktag_field2, tag->locktag_field3, tag->locktag_field4);
		default:
			return psprintf("%u/%u/%u", tag->locktag_field2, tag->locktag_field3, tag->locktag_field4);
	}
}

static JoschBlocker *
blockers_of(JoschPlan *plan, const Datum *args, int *n, MemoryContext caller)
{
	*n = (int) josch_spi_run(plan, SPI_OK_SELECT, args, NULL);
	return josch_rows_fetch(&blocker_row, *n, caller);
}

JoschBlocker *
josch_store_blockers(const LOCKTAG *tag, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	const char *kind;
	char	   *place = place_of(tag, &kind);
	Datum		args[2];
	JoschBlocker *blockers;

	josch_spi_begin(&spi);
	args[0] = CStringGetTextDatum(kind);
	args[1] = CStringGetTextDatum(place);
	blockers = blockers_of(&holders, args, n, caller);
	josch_spi_end(&spi);
	return blockers;
}

JoschBlocker *
josch_store_blocker_table_holders(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[1] = {TimestampTzGetDatum(josch_clock_system_now())};
	JoschBlocker *blockers;

	josch_spi_begin(&spi);
	blockers = blockers_of(&table_holders, args, n, caller);
	josch_spi_end(&spi);
	return blockers;
}

JoschWaiter *
josch_store_blocker_waiters(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[1] = {TimestampTzGetDatum(josch_clock_system_now())};
	JoschWaiter *result;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(&waiters, SPI_OK_SELECT, args, NULL);
	result = josch_rows_fetch(&waiter_row, *n, caller);
	josch_spi_end(&spi);
	return result;
}

char *
josch_store_blocker_text(const JoschBlocker *blocker)
{
	const char *user = blocker->user_name != NULL ? blocker->user_name : "?";
	const char *since = blocker->since != 0 ? timestamptz_to_str(blocker->since) : "?";

	if (blocker->gid != NULL)
	{
		return psprintf("the prepared transaction \"%s\" of user \"%s\", prepared at %s", blocker->gid, user, since);
	}
	return psprintf("session %d of user \"%s\", %s in a transaction that began at %s",
					blocker->pid, user, blocker->idle ? "idle" : "at work", since);
}
