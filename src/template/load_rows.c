/*
 * src/template/load_rows.c
 *	  Rows of a load on their way into a table: in order, each with its line.
 */
#include "base/josch.h"

#include "template/load_rows.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"

static Tuplestorestate *
begin_store(void)
{
	return tuplestore_begin_heap(true, false, work_mem);
}

void
josch_load_rows_begin(LoadRows *rows, const TemplateColumn *columns, int ncolumns)
{
	rows->desc = CreateTemplateTupleDesc(ncolumns + LOAD_ROW_EXTRA);
	for (int i = 0; i < ncolumns; i++)
	{
		TupleDescInitEntry(rows->desc, i + 1, columns[i].name, columns[i].type, -1, 0);
	}
	TupleDescInitEntry(rows->desc, ncolumns + 1, LOAD_ROW_NUMBER, INT4OID, -1, 0);
	TupleDescInitEntry(rows->desc, ncolumns + 2, LOAD_ROW_LINE, INT4OID, -1, 0);
#if PG_VERSION_NUM >= 190000
	TupleDescFinalize(rows->desc);
#endif
	rows->store = begin_store();
	rows->n = 0;
}

void
josch_load_rows_add(LoadRows *rows, Datum *values, bool *nulls, int line)
{
	int			natts = rows->desc->natts;

	values[natts - 2] = Int32GetDatum(++rows->n);
	values[natts - 1] = Int32GetDatum(line);
	nulls[natts - 2] = nulls[natts - 1] = false;
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
}

TupleTableSlot *
josch_load_rows_find(const LoadRows *rows, int row)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(rows->desc, &TTSOpsMinimalTuple);

	tuplestore_select_read_pointer(rows->store, 0);
	tuplestore_rescan(rows->store);
	for (int i = 0; i <= row; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!tuplestore_gettupleslot(rows->store, true, false, slot))
		{
			elog(ERROR, "row %d of a load does not exist", row);
		}
	}
	slot_getallattrs(slot);
	return slot;
}

int
josch_load_rows_line(const LoadRows *rows, TupleTableSlot *slot)
{
	return DatumGetInt32(slot->tts_values[rows->desc->natts - 1]);
}

void
josch_load_rows_change(LoadRows *rows, LoadRowsChange change, void *arg)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(rows->desc, &TTSOpsMinimalTuple);
	Tuplestorestate *changed = begin_store();

	tuplestore_select_read_pointer(rows->store, 0);
	tuplestore_rescan(rows->store);
	while (tuplestore_gettupleslot(rows->store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		change(arg, slot->tts_values, slot->tts_isnull);
		tuplestore_putvalues(changed, rows->desc, slot->tts_values, slot->tts_isnull);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows->store);
	rows->store = changed;
}

void
josch_load_rows_end(LoadRows *rows)
{
	tuplestore_end(rows->store);
	rows->store = NULL;
}
