/*
 * src/api_board_at.c
 *	  josch.board_at(): the board of a date as it stood at a moment.
 *
 * The record holds what changed, so a node's row at a moment is all that was
 * written about it until then, one over the other.  Rows come node by node in
 * the order of their writing; only one node is in memory at a time.
 */
#include "josch.h"

#include "funcapi.h"
#include "store_audit.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"
#include "value.h"

PG_FUNCTION_INFO_V1(josch_api_board_at);

/* A column of the result. */
typedef struct BoardColumn
{
	JsonbValue	name;
	int			index;			/* in the result's row */
	FmgrInfo	input;
	Oid			io_parameter;
	int32		type_modifier;
	JsonbValue	value;			/* the last that was written; jbvNull when none was */
} BoardColumn;

typedef struct Board
{
	TupleDesc	desc;
	Tuplestorestate *rows;
	BoardColumn *columns;		/* in the order of jsonb's keys */
	int64		node_id;		/* the node at hand */
	bool		is_there;		/* made, and not deleted since */
	MemoryContext node;			/* of its values */
} Board;

static int
compare_columns(const void *a, const void *b)
{
	return josch_value_compare_names(&((const BoardColumn *) a)->name, &((const BoardColumn *) b)->name);
}

static BoardColumn *
look_up_columns(TupleDesc desc)
{
	BoardColumn *columns = palloc0(sizeof(BoardColumn) * desc->natts);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Oid			function;

		columns[i].name.type = jbvString;
		columns[i].name.val.string.val = NameStr(attribute->attname);
		columns[i].name.val.string.len = strlen(NameStr(attribute->attname));
		columns[i].index = i;
		columns[i].type_modifier = attribute->atttypmod;
		getTypeInputInfo(attribute->atttypid, &function, &columns[i].io_parameter);
		fmgr_info(function, &columns[i].input);
	}
	qsort(columns, desc->natts, sizeof(BoardColumn), compare_columns);
	return columns;
}

static void
forget_node(Board *board)
{
	for (int i = 0; i < board->desc->natts; i++)
	{
		board->columns[i].value.type = jbvNull;
	}
	board->is_there = false;
	MemoryContextReset(board->node);
}

static char *
text_of(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvBinary:
			return JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
		default:
			elog(ERROR, "unexpected kind of JSON value: %d", (int) value->type);
	}
	return NULL;				/* not reached */
}

/* Puts the node at hand into the result, when it was there. */
static void
put_node(Board *board)
{
	Datum		values[MaxTupleAttributeNumber];
	bool		nulls[MaxTupleAttributeNumber];
	MemoryContext former;

	if (!board->is_there)
	{
		return;
	}
	former = MemoryContextSwitchTo(board->node);
	for (int i = 0; i < board->desc->natts; i++)
	{
		BoardColumn *column = &board->columns[i];

		nulls[column->index] = column->value.type == jbvNull;
		values[column->index] = (Datum) 0;
		if (!nulls[column->index])
		{
			values[column->index] = InputFunctionCall(&column->input, text_of(&column->value),
													  column->io_parameter, column->type_modifier);
		}
	}
	tuplestore_putvalues(board->rows, board->desc, values, nulls);
	MemoryContextSwitchTo(former);
}

/* Writes what a row says over what is known of the node. */
static void
write_over(Board *board, Jsonb *new_values)
{
	Jsonb	   *copy = DatumGetJsonbPCopy(JsonbPGetDatum(new_values));
	JsonbIterator *iterator = JsonbIteratorInit(&copy->root);
	BoardColumn *column = NULL;
	BoardColumn key;
	JsonbValue	item;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			key.name = item;
			column = bsearch(&key, board->columns, board->desc->natts, sizeof(BoardColumn), compare_columns);
		}
		else if (token == WJB_VALUE && column != NULL)
		{
			column->value = item;
		}
	}
}

static void
take_row(const AuditRow *row, void *arg)
{
	Board	   *board = arg;
	MemoryContext former;

	if (row->id != board->node_id)
	{
		put_node(board);
		forget_node(board);
		board->node_id = row->id;
	}
	if (row->operation != AUDIT_UPDATE)
	{
		forget_node(board);
	}
	if (row->operation == AUDIT_DELETE)
	{
		return;
	}
	board->is_there = true;
	former = MemoryContextSwitchTo(board->node);
	write_over(board, row->new_values);
	MemoryContextSwitchTo(former);
}

/* josch.board_at(job_date date, at timestamptz) */
Datum
josch_api_board_at(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Board		board = {0};

	InitMaterializedSRF(fcinfo, 0);
	board.desc = result->setDesc;
	board.rows = result->setResult;
	board.columns = look_up_columns(board.desc);
	board.node = AllocSetContextCreate(CurrentMemoryContext, "josch board of the past", ALLOCSET_DEFAULT_SIZES);
	forget_node(&board);
	josch_store_audit_read_date(PG_GETARG_DATEADT(0), PG_GETARG_TIMESTAMPTZ(1), take_row, &board);
	put_node(&board);
	return (Datum) 0;
}
