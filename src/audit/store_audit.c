/*
 * src/audit/store_audit.c
 *	  SQL on the audit tables: rows into them, and the past out of them.
 *
 * The audit tables differ in their key columns only, so what is written into them
 * is described from the catalog, once for each table and session.
 */
#include "base/josch.h"

#include "audit/store_audit.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "base/writer.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#define FETCH_ROWS 1000

static AuditTable *tables = NULL;

/* ---- what is known of a table ---- */

static bool
is_derived(const Trigger *trigger, const char *column)
{
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		if (strcmp(trigger->tgargs[i], column) == 0)
		{
			return true;
		}
	}
	return false;
}

static int
compare_columns(const void *a, const void *b)
{
	return josch_value_compare_names(&((const AuditColumn *) a)->value.name,
									 &((const AuditColumn *) b)->value.name);
}

static void
look_up_columns(AuditTable *table, TupleDesc desc, const Trigger *trigger)
{
	table->columns = palloc0(sizeof(AuditColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);
		AuditColumn *column;

		if (attribute->attisdropped || is_derived(trigger, name))
		{
			continue;
		}
		column = &table->columns[table->ncolumns++];
		column->number = attribute->attnum;
		column->length = attribute->attlen;
		column->by_value = attribute->attbyval;
		column->is_act = strcmp(name, "action") == 0 || strcmp(name, "acted_by") == 0 ||
			strcmp(name, "acted_at") == 0 || strcmp(name, "claimed_by") == 0 || strcmp(name, "claimed_at") == 0 ||
			strcmp(name, "armed_at") == 0;
		josch_value_column(&column->value, name, attribute->atttypid);
		if (strcmp(name, "comment") == 0 && attribute->atttypid == TEXTOID)
		{
			table->comment = attribute->attnum;
		}
	}
	qsort(table->columns, table->ncolumns, sizeof(AuditColumn), compare_columns);
}

static void
look_up_key(AuditTable *table, Relation relation)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	int			bit = -1;

	while ((bit = bms_next_member(key, bit)) >= 0)
	{
		AttrNumber	number = bit + FirstLowInvalidHeapAttributeNumber;

		if (table->nkeys == AUDIT_MAX_KEYS)
		{
			elog(ERROR, "primary key of \"%s\" has too many columns", RelationGetRelationName(relation));
		}
		table->keys[table->nkeys] = number;
		table->nkeys++;
	}
	if (table->nkeys == 0)
	{
		elog(ERROR, "table \"%s\" has no primary key", RelationGetRelationName(relation));
	}
}

/* The audit table's columns: those of AuditFixed, the key, those of AuditTrailing. */
static void
describe_target(AuditTable *table, Relation relation)
{
	static const JoschColumn fixed[AUDIT_FIXED] = {
		[AUDIT_ID] = {"audit_id", INT8OID}, [AUDIT_AT] = {"at", TIMESTAMPTZOID}, [AUDIT_XID] = {"xid", XID8OID},
		[AUDIT_SESSION_NAME] = {"session_name", TEXTOID}, [AUDIT_ROLE_NAME] = {"role_name", TEXTOID},
		[AUDIT_CLIENT_ADDR] = {"client_addr", INETOID}, [AUDIT_APPLICATION] = {"application", TEXTOID},
		[AUDIT_OPERATION] = {"operation", TEXTOID}
	};
	static const JoschColumn trailing[AUDIT_TRAILING] = {
		[AUDIT_OLD_VALUES] = {"old_values", JSONBOID}, [AUDIT_NEW_VALUES] = {"new_values", JSONBOID},
		[AUDIT_COMMENT] = {"comment", TEXTOID}
	};
	int			n = AUDIT_FIXED + table->nkeys + AUDIT_TRAILING;
	JoschColumn *columns = palloc(sizeof(JoschColumn) * n);

	memcpy(columns, fixed, sizeof(fixed));
	for (int i = 0; i < table->nkeys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), table->keys[i] - 1);

		columns[AUDIT_FIXED + i] = (JoschColumn) {pstrdup(NameStr(attribute->attname)), attribute->atttypid};
	}
	memcpy(columns + AUDIT_FIXED + table->nkeys, trailing, sizeof(trailing));
	table->target = (JoschTable) {
		.name = psprintf("%s_audit", RelationGetRelationName(relation)),
		.columns = columns, .ncolumns = n, .numbers = palloc(sizeof(AttrNumber) * n)
	};
}

static void
look_up(AuditTable *table, Relation relation, const Trigger *trigger)
{
	MemoryContext former;

	if (table->context == NULL)
	{
		table->context = AllocSetContextCreate(TopMemoryContext, "josch audited table",
											   ALLOCSET_SMALL_SIZES);
	}
	MemoryContextReset(table->context);
	table->ncolumns = 0;
	table->nkeys = 0;
	table->comment = 0;
	former = MemoryContextSwitchTo(table->context);
	look_up_columns(table, RelationGetDescr(relation), trigger);
	look_up_key(table, relation);
	describe_target(table, relation);
	MemoryContextSwitchTo(former);
	table->valid = true;
}

AuditTable *
josch_store_audit_table(Relation relation, const Trigger *trigger)
{
	AuditTable *table = tables;

	while (table != NULL && table->relation != RelationGetRelid(relation))
	{
		table = table->next;
	}
	if (table == NULL)
	{
		table = MemoryContextAllocZero(TopMemoryContext, sizeof(AuditTable));
		table->relation = RelationGetRelid(relation);
		table->next = tables;
		tables = table;
	}
	if (!table->valid && table->users == 0)
	{
		look_up(table, relation, trigger);
	}
	return table;
}

/* A table was altered or dropped, or its triggers were: it is looked up again. */
static void
forget_table(Datum arg, Oid relation)
{
	for (AuditTable *table = tables; table != NULL; table = table->next)
	{
		if (relation == InvalidOid || table->relation == relation)
		{
			table->valid = false;
		}
	}
}

void
josch_store_audit_init(void)
{
	CacheRegisterRelcacheCallback(forget_table, (Datum) 0);
}

/* ---- writing ---- */

static void
set_client_addr(AuditLine *line)
{
	LOCAL_FCINFO(call, 0);

	InitFunctionCallInfoData(*call, NULL, 0, InvalidOid, NULL, NULL);
	line->fixed[AUDIT_CLIENT_ADDR] = inet_client_addr(call);
	line->null[AUDIT_CLIENT_ADDR] = call->isnull;
}

void
josch_store_audit_begin(AuditLine *line, const AuditAct *act)
{
	memset(line, 0, sizeof(AuditLine));
	line->fixed[AUDIT_AT] = TimestampTzGetDatum(act->at);
	line->fixed[AUDIT_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	line->fixed[AUDIT_SESSION_NAME] = CStringGetTextDatum(GetUserNameFromId(act->session_user, false));
	line->fixed[AUDIT_ROLE_NAME] = CStringGetTextDatum(GetUserNameFromId(act->role, false));
	set_client_addr(line);
	line->null[AUDIT_APPLICATION] = act->application == NULL || act->application[0] == '\0';
	if (!line->null[AUDIT_APPLICATION])
	{
		line->fixed[AUDIT_APPLICATION] = CStringGetTextDatum(act->application);
	}
	line->fixed[AUDIT_OPERATION] = CStringGetTextDatum(act->operation);
}

/* InvalidOid when it does not exist (any more) */
static Oid
sequence_oid(void)
{
	Oid			schema = get_namespace_oid(JOSCH_SCHEMA, true);

	return OidIsValid(schema) ? get_relname_relid("audit_id_seq", schema) : InvalidOid;
}

AuditMark
josch_store_audit_mark(void)
{
	AuditMark	mark;

	mark.sequence = sequence_oid();
	mark.id = nextval_internal(mark.sequence, false);
	return mark;
}

bool
josch_store_audit_is_valid(AuditMark mark)
{
	return mark.sequence == sequence_oid();
}

int64
josch_store_audit_number(AuditNumbers *numbers, int n)
{
	if (numbers->left < n)
	{
		numbers->last = nextval_internal(numbers->sequence, false) - 1;
		numbers->left = AUDIT_NUMBERS;
	}
	numbers->last += n;
	numbers->left -= n;
	return numbers->last - n + 1;
}

/* The one row of audit_commits */
typedef struct Commit
{
	int64		first_id;
	int64		last_id;
	TimestampTz at;
	bool		given;
} Commit;

enum
{
	COMMIT_XID, COMMIT_FIRST, COMMIT_LAST, COMMIT_AT, COMMIT_COLUMNS
};

static bool
next_commit(void *arg, Datum *values, bool *nulls)
{
	Commit	   *commit = arg;

	if (commit->given)
	{
		return false;
	}
	commit->given = true;
	values[COMMIT_XID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	values[COMMIT_FIRST] = Int64GetDatum(commit->first_id);
	values[COMMIT_LAST] = Int64GetDatum(commit->last_id);
	values[COMMIT_AT] = TimestampTzGetDatum(commit->at);
	return true;
}

void
josch_store_audit_commit(AuditMark first, int64 last_id, TimestampTz at)
{
	static const JoschColumn columns[COMMIT_COLUMNS] = {
		[COMMIT_XID] = {"xid", XID8OID}, [COMMIT_FIRST] = {"first_audit_id", INT8OID},
		[COMMIT_LAST] = {"last_audit_id", INT8OID}, [COMMIT_AT] = {"committed_at", TIMESTAMPTZOID}
	};
	static AttrNumber numbers[COMMIT_COLUMNS];
	static JoschTable audit_commits = JOSCH_TABLE("audit_commits", columns, numbers);
	Commit		commit = {first.id, last_id, at, false};

	PushActiveSnapshot(GetTransactionSnapshot());
	josch_writer_insert(&audit_commits, NULL, next_commit, &commit);
	PopActiveSnapshot();
}

/* ---- reading ---- */

/* In the order of AuditOperation. */
static const char *const operations[] = {"INSERT", "UPDATE", "DELETE", NULL};

/* Of the record of a node, its runs and the claims on it. */
static const JoschRow record_row = JOSCH_ROW(
	AuditRow,
	JOSCH_FIELD(AuditRow, audit_id, INT64),
	JOSCH_FIELD(AuditRow, at, TIMESTAMPTZ),
	JOSCH_FIELD(AuditRow, id, INT64),
	JOSCH_FIELD(AuditRow, is_run, BOOL),
	JOSCH_FIELD(AuditRow, is_claim, BOOL),
	JOSCH_FIELD_WORDS(AuditRow, operation, operations),
	JOSCH_FIELD(AuditRow, session_name, TEXT),
	JOSCH_FIELD(AuditRow, client_addr, TEXT),
	JOSCH_FIELD(AuditRow, application, TEXT),
	JOSCH_FIELD(AuditRow, old_values, JSONB),
	JOSCH_FIELD(AuditRow, new_values, JSONB),
	JOSCH_FIELD(AuditRow, comment, TEXT),
	JOSCH_FIELD(AuditRow, xid, INT64));

/* What the board at a moment is made of. */
static const JoschRow board_row = JOSCH_ROW(
	AuditRow,
	JOSCH_FIELD(AuditRow, id, INT64),
	JOSCH_FIELD_WORDS(AuditRow, operation, operations),
	JOSCH_FIELD(AuditRow, new_values, JSONB),
	JOSCH_FIELD(AuditRow, audit_id, INT64));

void
josch_store_audit_read_date(DateADT job_date, TimestampTz at, AuditTake take, void *arg)
{
	Oid			types[] = {DATEOID, TIMESTAMPTZOID};
	Datum		args[] = {DateADTGetDatum(job_date), TimestampTzGetDatum(at)};
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "josch audit rows", ALLOCSET_DEFAULT_SIZES);
	AuditRow   *rows;
	Portal		portal;
	JoschSpi	spi;

	josch_spi_begin_as_caller(&spi);
	/* planned for its date: how many rows a date has differs widely */
	portal = SPI_cursor_open_with_args(NULL,
									   "SELECT a.node_id, a.operation, a.new_values, a.audit_id"
									   " FROM josch.nodes_audit a"
									   " LEFT JOIN josch.audit_commits c ON c.xid = a.xid"
									   " AND c.first_audit_id < a.audit_id AND c.last_audit_id >= a.audit_id"
									   " WHERE a.job_date = $1 AND COALESCE(c.committed_at, a.at) <= $2",
									   2, types, args, NULL, true, 0);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
		{
			break;
		}
		rows = josch_rows_fetch(&board_row, SPI_processed, batch);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			take(&rows[i], arg);
		}
		MemoryContextReset(batch);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	josch_spi_end(&spi);
	MemoryContextDelete(batch);
}

static bool
node_exists(const Datum *key)
{
	static JoschPlan find = JOSCH_PLAN(
		"SELECT FROM josch.nodes WHERE node_id = $1 AND job_date = $2",
		INT8OID, DATEOID);

	return josch_spi_run(&find, SPI_OK_SELECT, key, NULL) > 0;
}

AuditRow *
josch_store_audit_read_node(NodeKey key, int *n, bool *exists)
{
	/* runs are found by what the node said of them, so that also those are there that were deleted */
	static JoschPlan read = JOSCH_PLAN(
		"SELECT a.audit_id, a.at, a.node_id, false, false, a.operation, a.session_name, pg_catalog.host(a.client_addr),"
		" a.application, a.old_values, a.new_values, a.comment, a.xid"
		" FROM josch.nodes_audit a WHERE a.job_date = $2 AND a.node_id = $1"
		" UNION ALL"
		" SELECT c.audit_id, c.at, c.node_id, false, true, c.operation, c.session_name, pg_catalog.host(c.client_addr),"
		" c.application, c.old_values, c.new_values, c.comment, c.xid"
		" FROM josch.claims_audit c WHERE c.job_date = $2 AND c.node_id = $1"
		" UNION ALL"
		" SELECT r.audit_id, r.at, r.run_id, true, false, r.operation, r.session_name, pg_catalog.host(r.client_addr),"
		" r.application, r.old_values, r.new_values, r.comment, r.xid"
		" FROM josch.runs_audit r WHERE r.run_id IN ("
		"  SELECT (a.new_values ->> 'run_id')::bigint FROM josch.nodes_audit a"
		"  WHERE a.job_date = $2 AND a.node_id = $1 AND a.new_values ? 'run_id'"
		"  UNION SELECT u.run_id FROM josch.runs u WHERE u.node_id = $1 AND u.job_date = $2)"
		" ORDER BY 1",
		INT8OID, DATEOID);
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	AuditRow   *rows;
	JoschSpi	spi;

	josch_spi_begin_as_caller(&spi);
	*n = (int) josch_spi_run(&read, SPI_OK_SELECT, args, NULL);
	rows = josch_rows_fetch(&record_row, *n, caller);
	*exists = *n > 0 || node_exists(args);
	josch_spi_end(&spi);
	return rows;
}

char *
josch_store_audit_read_params(const AuditRow *made, const char *job_name, DateADT job_date)
{
	static JoschPlan read = JOSCH_PLAN(
		"SELECT string_agg(p.key || '=' || p.value, ', ' ORDER BY p.key COLLATE \"C\")"
		" FROM josch.jobs_audit a, jsonb_each_text(a.new_values -> 'params') p"
		" WHERE a.job_name = $1 AND a.job_date = $2 AND a.xid = $3 AND a.operation = 'INSERT'",
		TEXTOID, DATEOID, XID8OID);
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[] = {CStringGetTextDatum(job_name), DateADTGetDatum(job_date), Int64GetDatum((int64) made->xid)};
	JoschSpi	spi;
	char	   *params;

	josch_spi_begin_as_caller(&spi);
	(void) josch_spi_run(&read, SPI_OK_SELECT, args, NULL);
	params = josch_spi_text(0, 1);
	params = params != NULL ? MemoryContextStrdup(caller, params) : NULL;
	josch_spi_end(&spi);
	return params;
}
