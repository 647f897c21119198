/*
 * src/base/spi_plan.c
 *	  SQL from C: prepared once, run as the owner of the schema.
 *
 * People change a day with rights on a few columns only; what follows from
 * their change (parents counted, audit rows written) needs the owner's rights.
 * One bracket switches user and search_path, and nothing else does.
 *
 * The plan cache revalidates a kept plan when a table changes, also after DROP
 * EXTENSION and CREATE EXTENSION in one session, so plans are never freed.
 */
#include "base/josch.h"

#include "base/spi_plan.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/report.h"
#include "base/table.h"

static Oid
look_up_owner(void)
{
	HeapTuple	tuple;
	Oid			owner;
	Oid			schema = get_namespace_oid(JOSCH_SCHEMA, false);

	/* the schema itself may be older than the extension, and somebody else's */
	tuple = SearchSysCache2(RELNAMENSP, CStringGetDatum("nodes"), ObjectIdGetDatum(schema));
	if (!HeapTupleIsValid(tuple))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table josch.nodes does not exist"),
				 errhint(JOSCH_REPORT_VERSIONS)));
	}
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

Oid
josch_spi_owner(void)
{
	static uint64 generation = 0;
	static Oid	owner;

	if (generation != josch_table_generation())
	{
		uint64		asked_in = josch_table_generation();

		owner = look_up_owner();
		generation = asked_in;
	}
	return owner;
}

static void
switch_user(JoschSpi *spi, bool as_owner, bool pin_path)
{
	GetUserIdAndSecContext(&spi->user, &spi->sec_context);
	spi->guc_level = NewGUCNestLevel();
	if (as_owner)
	{
		SetUserIdAndSecContext(josch_spi_owner(),
							   spi->sec_context | SECURITY_LOCAL_USERID_CHANGE);
	}
	/* most have it so already: the scheduler for good, functions by their SET clause */
	if (pin_path && strcmp(namespace_search_path, JOSCH_SEARCH_PATH) != 0)
	{
		(void) set_config_option("search_path", JOSCH_SEARCH_PATH,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
}

void
josch_spi_become_owner(JoschSpi *spi)
{
	switch_user(spi, true, true);
}

void
josch_spi_put_back(JoschSpi *spi)
{
	AtEOXact_GUC(true, spi->guc_level);
	SetUserIdAndSecContext(spi->user, spi->sec_context);
}

static void
begin(JoschSpi *spi, bool as_owner, bool pin_path)
{
	switch_user(spi, as_owner, pin_path);
	if (SPI_connect() != SPI_OK_CONNECT)
	{
		elog(ERROR, "SPI_connect failed");
	}
}

void
josch_spi_begin(JoschSpi *spi)
{
	begin(spi, true, true);
}

void
josch_spi_begin_as_caller(JoschSpi *spi)
{
	begin(spi, false, true);
}

void
josch_spi_begin_callers_query(JoschSpi *spi)
{
	begin(spi, false, false);
}

void
josch_spi_end(JoschSpi *spi)
{
	if (SPI_finish() != SPI_OK_FINISH)
	{
		elog(ERROR, "SPI_finish failed");
	}
	josch_spi_put_back(spi);
}

static void
prepare(JoschPlan *plan)
{
	SPIPlanPtr	prepared = SPI_prepare(plan->sql, plan->nargs, plan->argtypes);

	if (prepared == NULL)
	{
		elog(ERROR, "SPI_prepare failed: %s: %s",
			 SPI_result_code_string(SPI_result), plan->sql);
	}
	if (SPI_keepplan(prepared) != 0)
	{
		elog(ERROR, "SPI_keepplan failed");
	}
	plan->plan = prepared;
}

static uint64
checked(int result, int expect, const JoschPlan *plan)
{
	if (result != expect)
	{
		elog(ERROR, "SPI returned %s where %s was expected: %s",
			 SPI_result_code_string(result), SPI_result_code_string(expect), plan->sql);
	}
	return SPI_processed;
}

/*
 * Takes the line of the context away that shows our own statement: whoever acts
 * knows nothing of it, and can do nothing about it.
 */
static void
hide_statement(ErrorData *error, const JoschPlan *plan)
{
	char	   *found = error->context != NULL ? strstr(error->context, plan->sql) : NULL;
	char	   *begin = found;
	char	   *end;

	if (found == NULL)
	{
		return;
	}
	while (begin > error->context && begin[-1] != '\n')
	{
		begin--;
	}
	end = strchr(found, '\n');
	if (end != NULL)
	{
		memmove(begin, end + 1, strlen(end + 1) + 1);
	}
	else
	{
		/* the last line: with the line end before it */
		*(begin > error->context ? begin - 1 : begin) = '\0';
	}
	if (error->context[0] == '\0')
	{
		error->context = NULL;
	}
}

/* Executes it, prepared at first use; as of a snapshot, unless that is NULL. */
static int
execute(JoschPlan *plan, const Datum *args, const char *nulls, Snapshot snapshot, bool read_only)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int result = 0;

	PG_TRY();
	{
		if (plan->plan == NULL)
		{
			prepare(plan);
		}
		result = snapshot == NULL ?
			SPI_execute_plan(plan->plan, (Datum *) args, nulls, read_only, 0) :
			SPI_execute_snapshot(plan->plan, (Datum *) args, nulls, snapshot, InvalidSnapshot,
								 read_only, !read_only, 0);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (MyBgworkerEntry != NULL)
		{
			PG_RE_THROW();		/* the server's log is for those who can do something about it */
		}
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		hide_statement(error, plan);
		ReThrowError(error);
	}
	PG_END_TRY();
	return result;
}

uint64
josch_spi_run(JoschPlan *plan, int expect, const Datum *args, const char *nulls)
{
	return checked(execute(plan, args, nulls, NULL, false), expect, plan);
}

uint64
josch_spi_read(JoschPlan *plan, const Datum *args, const char *nulls)
{
	return checked(execute(plan, args, nulls, NULL, true), SPI_OK_SELECT, plan);
}

static uint64
run_latest(JoschPlan *plan, int expect, const Datum *args, const char *nulls, bool read_only)
{
	Snapshot	latest;
	int			result;

	CommandCounterIncrement();	/* the rows of our own statement count too */
	latest = RegisterSnapshot(GetLatestSnapshot());
	result = execute(plan, args, nulls, latest, read_only);
	UnregisterSnapshot(latest);
	return checked(result, expect, plan);
}

uint64
josch_spi_run_latest(JoschPlan *plan, const Datum *args, const char *nulls)
{
	return run_latest(plan, SPI_OK_SELECT, args, nulls, true);
}

uint64
josch_spi_change_latest(JoschPlan *plan, int expect, const Datum *args, const char *nulls)
{
	return run_latest(plan, expect, args, nulls, false);
}

uint64
josch_spi_run_at(JoschPlan *plan, Snapshot snapshot, int expect, const Datum *args, const char *nulls)
{
	return checked(execute(plan, args, nulls, snapshot, false), expect, plan);
}

Portal
josch_spi_open_at(JoschPlan *plan, Snapshot snapshot, const Datum *args, const char *nulls)
{
	Portal		portal;

	if (plan->plan == NULL)
	{
		prepare(plan);
	}
	CommandCounterIncrement();	/* the rows of this transaction count too */
	PushCopiedSnapshot(snapshot);
	UpdateActiveSnapshotCommandId();
	portal = SPI_cursor_open(NULL, plan->plan, (Datum *) args, nulls, true);
	PopActiveSnapshot();
	return portal;
}

static Datum
column_of(uint64 row, int column, bool *isnull)
{
	if (SPI_tuptable == NULL || row >= SPI_tuptable->numvals)
	{
		elog(ERROR, "SPI row " UINT64_FORMAT " does not exist", row);
	}
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

int64
josch_spi_int64(uint64 row, int column, int64 if_null)
{
	bool		isnull;
	Datum		value = column_of(row, column, &isnull);

	return isnull ? if_null : DatumGetInt64(value);
}

int32
josch_spi_int32(uint64 row, int column, int32 if_null)
{
	bool		isnull;
	Datum		value = column_of(row, column, &isnull);

	return isnull ? if_null : DatumGetInt32(value);
}

bool
josch_spi_bool(uint64 row, int column, bool if_null)
{
	bool		isnull;
	Datum		value = column_of(row, column, &isnull);

	return isnull ? if_null : DatumGetBool(value);
}

DateADT
josch_spi_date(uint64 row, int column, DateADT if_null)
{
	bool		isnull;
	Datum		value = column_of(row, column, &isnull);

	return isnull ? if_null : DatumGetDateADT(value);
}

char *
josch_spi_text(uint64 row, int column)
{
	bool		isnull;
	Datum		value = column_of(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

void
josch_spi_set_text(Datum *args, char *nulls, int i, const char *text)
{
	args[i] = text != NULL ? CStringGetTextDatum(text) : (Datum) 0;
	nulls[i] = text != NULL ? ' ' : 'n';
}

Datum
josch_spi_array(Datum *values, bool *nulls, int n, Oid type)
{
	int			dims[1] = {n};
	int			lower[1] = {1};
	int16		length;
	bool		by_value;
	char		align;

	if (n == 0)
	{
		return PointerGetDatum(construct_empty_array(type));
	}
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lower,
											  type, length, by_value, align));
}

Datum
josch_spi_int64_array(const int64 *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		datums[i] = Int64GetDatum(values[i]);
	}
	return josch_spi_array(datums, NULL, n, INT8OID);
}

Datum
josch_spi_date_array(const DateADT *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		datums[i] = DateADTGetDatum(values[i]);
	}
	return josch_spi_array(datums, NULL, n, DATEOID);
}

Datum
josch_spi_text_array(char *const *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		nulls[i] = values[i] == NULL;
		datums[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(values[i]);
	}
	return josch_spi_array(datums, nulls, n, TEXTOID);
}

void
josch_spi_key_arrays(const NodeKey *keys, int n, Datum *args)
{
	Datum	   *ids = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	Datum	   *dates = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
	{
		ids[i] = Int64GetDatum(keys[i].node_id);
		dates[i] = DateADTGetDatum(keys[i].job_date);
	}
	args[0] = josch_spi_array(ids, NULL, n, INT8OID);
	args[1] = josch_spi_array(dates, NULL, n, DATEOID);
}
