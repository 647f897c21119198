/*
 * src/audit/api_board_at.c
 *	  josch.board_at(): the board of a date as it stood at a moment.
 *
 * The record holds what changed, so a node's row at a moment is what was written
 * last into each of its columns.  Rows are taken in whatever order they come,
 * which spares a sort of the whole date: for each column of each node it is
 * noted which row wrote it last, and values are read at the end only.
 */
#include "base/josch.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "audit/store_audit.h"
#include "audit/value.h"

PG_FUNCTION_INFO_V1(josch_api_board_at);

/* A column of the result. */
typedef struct BoardColumn
{
	JsonbValue	name;
	int			index;			/* in the result's row */
	FmgrInfo	input;
	Oid			io_parameter;
	int32		type_modifier;
} BoardColumn;

/* Which row wrote a column of a node last. */
typedef struct BoardCell
{
	int64		written;		/* its audit_id */
	Jsonb	   *values;			/* NULL: none has */
} BoardCell;

typedef struct BoardNode
{
	int64		node_id;		/* hash key */
	int64		made;			/* audit_id of its last INSERT or DELETE: older values are void */
	bool		is_deleted;
	BoardCell  *cells;			/* as BoardRebuilt.columns */
} BoardNode;

typedef struct BoardRebuilt
{
	TupleDesc	desc;
	BoardColumn *columns;		/* in the order of jsonb's keys */
	HTAB	   *nodes;
	MemoryContext rows;			/* of the nodes, and what was written of them */
} BoardRebuilt;

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

/* Notes the row in the cells of its node, unless there is a later one. */
static void
write_cells(BoardRebuilt *board, BoardNode *node, const AuditRow *row)
{
	Jsonb	   *copy = DatumGetJsonbPCopy(JsonbPGetDatum(row->new_values));
	JsonbIterator *iterator = JsonbIteratorInit(&row->new_values->root);
	BoardColumn key;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &key.name, true)) != WJB_DONE)
	{
		BoardColumn *column;
		BoardCell  *cell;

		if (token != WJB_KEY)
		{
			continue;
		}
		column = bsearch(&key, board->columns, board->desc->natts, sizeof(BoardColumn), compare_columns);
		if (column == NULL)
		{
			continue;
		}
		cell = &node->cells[column - board->columns];
		if (cell->values == NULL || cell->written < row->audit_id)
		{
			cell->written = row->audit_id;
			cell->values = copy;
		}
	}
}

static void
take_row(const AuditRow *row, void *arg)
{
	BoardRebuilt *board = arg;
	MemoryContext former = MemoryContextSwitchTo(board->rows);
	BoardNode  *node;
	bool		found;

	node = hash_search(board->nodes, &row->id, HASH_ENTER, &found);
	if (!found)
	{
		node->made = PG_INT64_MIN;
		node->is_deleted = false;
		node->cells = palloc0(sizeof(BoardCell) * board->desc->natts);
	}
	if (row->operation != AUDIT_UPDATE && row->audit_id > node->made)
	{
		node->made = row->audit_id;
		node->is_deleted = row->operation == AUDIT_DELETE;
	}
	if (row->operation != AUDIT_DELETE)
	{
		write_cells(board, node, row);
	}
	MemoryContextSwitchTo(former);
}

/* The value that a node has in a column, as text; NULL for SQL NULL. */
static char *
text_in(BoardNode *node, BoardCell *cell, BoardColumn *column)
{
	JsonbValue	value;

	/* what was written before the node was made again is void */
	if (cell->values == NULL || cell->written < node->made ||
		getKeyJsonValueFromContainer(&cell->values->root, column->name.val.string.val,
									 column->name.val.string.len, &value) == NULL ||
		value.type == jbvNull)
	{
		return NULL;
	}
	return josch_value_to_text(&value);
}

static void
put_node(BoardRebuilt *board, BoardNode *node, Tuplestorestate *result)
{
	Datum		values[MaxTupleAttributeNumber];
	bool		nulls[MaxTupleAttributeNumber];

	for (int i = 0; i < board->desc->natts; i++)
	{
		BoardColumn *column = &board->columns[i];
		char	   *text = text_in(node, &node->cells[i], column);

		nulls[column->index] = text == NULL;
		values[column->index] = text == NULL ? (Datum) 0 :
			InputFunctionCall(&column->input, text, column->io_parameter, column->type_modifier);
	}
	tuplestore_putvalues(result, board->desc, values, nulls);
}

static void
put_nodes(BoardRebuilt *board, Tuplestorestate *result)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "josch board row", ALLOCSET_SMALL_SIZES);
	MemoryContext former = MemoryContextSwitchTo(row);
	HASH_SEQ_STATUS scan;
	BoardNode  *node;

	hash_seq_init(&scan, board->nodes);
	while ((node = hash_seq_search(&scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!node->is_deleted)
		{
			put_node(board, node, result);
			MemoryContextReset(row);
		}
	}
	MemoryContextSwitchTo(former);
	MemoryContextDelete(row);
}

/* josch.board_at(job_date date, at timestamptz) */
Datum
josch_api_board_at(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BoardRebuilt board = {0};
	HASHCTL		nodes = {.keysize = sizeof(int64), .entrysize = sizeof(BoardNode)};

	InitMaterializedSRF(fcinfo, 0);
	board.desc = result->setDesc;
	board.columns = look_up_columns(board.desc);
	board.rows = AllocSetContextCreate(CurrentMemoryContext, "josch board of the past", ALLOCSET_DEFAULT_SIZES);
	nodes.hcxt = board.rows;
	board.nodes = hash_create("josch board of the past", 1024, &nodes, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	josch_store_audit_read_date(PG_GETARG_DATEADT(0), PG_GETARG_TIMESTAMPTZ(1), take_row, &board);
	put_nodes(&board, result->setResult);
	MemoryContextDelete(board.rows);
	return (Datum) 0;
}
