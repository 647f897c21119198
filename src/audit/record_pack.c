/*
 * src/audit/record_pack.c
 *	  A statement on its way into the record: its rows, many as one.
 *
 * The rows of a pack have their date in common, the columns that an UPDATE changed, and
 * what was written beside them.  Some packs are filled at a time, for statements whose
 * rows alternate.
 */
#include "base/josch.h"

#include "audit/record.h"

#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"

#include "audit/pack.h"
#include "audit/packed_table.h"
#include "base/writer.h"

StaticAssertDecl(JOSCH_PACK_ROWS <= AUDIT_NUMBERS, "the numbers of a pack follow each other");

/* Packs that are filled at a time. */
#define OPEN_PACKS 8

/* A pack of fewer rows costs more than they would, and so many of them are too many. */
#define SMALL_PACK 8
#define MANY_SMALL 16

/* A pack that is being filled. */
typedef struct OpenPack
{
	MemoryContext context;		/* of all that follows */
	int			n;				/* rows; 0: nothing else is said */
	uint64		touched;		/* when, in rows of the statement */
	Datum		job_date;
	AuditColumn **changed;		/* by an UPDATE */
	int			nchanged;
	Datum		comment;
	bool		no_comment;
	int64		first_id;
	int64		last_id;
	AuditPack	before;			/* the changed columns of an UPDATE */
	AuditPack	after;			/* they and the key; of other operations, whole rows */
} OpenPack;

typedef struct Packing
{
	Record	   *record;
	NameData	name;			/* of the audit table */
	AttrNumber	date;			/* columns of the audited table; 0: there is none */
	AttrNumber	id;
	MemoryContext context;		/* of the packs' own */
	OpenPack	packs[OPEN_PACKS];
	uint64		nrows;
	uint64		nsmall;			/* packs that had to go for others with few rows */
} Packing;

/* ---- one pack into the table ---- */

typedef struct PackLine
{
	Packing    *packing;
	OpenPack   *pack;			/* NULL: the writer has it */
	Datum		parts[4];		/* from PACK_SAME on */
} PackLine;

/* Columns of josch.audit_packs that are those of an audit table's row. */
static void
set_line(const AuditLine *line, Datum *values, bool *nulls)
{
	static const int places[AUDIT_FIXED] = {
		[AUDIT_ID] = PACK_FIRST_AUDIT_ID, [AUDIT_AT] = PACK_AT, [AUDIT_XID] = PACK_XID, [AUDIT_SESSION_NAME] = PACK_SESSION_NAME,
		[AUDIT_ROLE_NAME] = PACK_ROLE_NAME, [AUDIT_CLIENT_ADDR] = PACK_CLIENT_ADDR, [AUDIT_APPLICATION] = PACK_APPLICATION,
		[AUDIT_OPERATION] = PACK_OPERATION
	};

	for (int i = 0; i < AUDIT_FIXED; i++)
	{
		values[places[i]] = line->fixed[i];
		nulls[places[i]] = line->null[i];
	}
}

/* The row that is the pack (JoschNextRow). */
static bool
next_pack(void *arg, Datum *values, bool *nulls)
{
	PackLine   *line = arg;
	OpenPack   *pack = line->pack;
	Record	   *record = line->packing->record;

	if (pack == NULL)
	{
		return false;
	}
	line->pack = NULL;
	set_line(&record->line, values, nulls);
	values[PACK_TABLE] = NameGetDatum(&line->packing->name);
	values[PACK_DATE] = pack->job_date;
	values[PACK_FIRST_ID] = Int64GetDatum(pack->first_id);
	values[PACK_LAST_ID] = Int64GetDatum(pack->last_id);
	values[PACK_FIRST_AUDIT_ID] = Int64GetDatum(josch_store_audit_number(&record->numbers, pack->n));
	values[PACK_ROW_COUNT] = Int32GetDatum(pack->n);
	for (int i = 0; i < (int) lengthof(line->parts); i++)
	{
		values[PACK_SAME + i] = line->parts[i];
	}
	nulls[PACK_OLD_SAME] = nulls[PACK_OLD_EACH] = pack->nchanged == 0;
	values[PACK_COMMENT] = pack->comment;
	nulls[PACK_COMMENT] = pack->no_comment;
	return true;
}

/* Settings are pinned no longer than values are put into words: the writer has its own. */
static void
write_pack(Packing *packing, OpenPack *pack)
{
	MemoryContext former = MemoryContextSwitchTo(pack->context);
	PackLine	line = {packing, pack};

	josch_pack_end(&pack->after, &line.parts[0], &line.parts[1]);
	if (pack->nchanged > 0)
	{
		josch_pack_end(&pack->before, &line.parts[2], &line.parts[3]);
	}
	josch_value_end_format(&packing->record->format);
	MemoryContextSwitchTo(former);
	josch_writer_insert(&josch_packed_table_packs, NULL, next_pack, &line);
	MemoryContextReset(pack->context);
	pack->n = 0;
}

/* ---- the packs that are filled ---- */

static bool
has_in_common(const OpenPack *pack, const Record *record, Datum job_date, Datum comment, bool no_comment)
{
	return pack->job_date == job_date && pack->nchanged == record->nchanged &&
		memcmp(pack->changed, record->changed, sizeof(AuditColumn *) * record->nchanged) == 0 &&
		pack->no_comment == no_comment &&
		(no_comment || DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, pack->comment, comment)));
}

static bool
is_key(const AuditTable *table, const AuditColumn *column)
{
	for (int i = 0; i < table->nkeys; i++)
	{
		if (table->keys[i] == column->number)
		{
			return true;
		}
	}
	return false;
}

/* What is kept of each row as it is now: all of it, or what was changed, with its key. */
static void
begin_after(OpenPack *pack, Record *record)
{
	AuditTable *table = record->table;
	AuditColumn **columns = palloc(sizeof(AuditColumn *) * Max(table->ncolumns, 1));
	int			n = 0;
	int			next = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		AuditColumn *column = &table->columns[i];
		bool		is_changed = next < pack->nchanged && pack->changed[next] == column;

		next += is_changed ? 1 : 0;
		if (pack->nchanged == 0 || is_changed || is_key(table, column))
		{
			columns[n++] = column;
		}
	}
	josch_pack_begin(&pack->after, columns, n, pack->nchanged > 0, &record->format);
}

static void
begin_pack(Packing *packing, OpenPack *pack, Datum job_date, Datum comment, bool no_comment)
{
	Record	   *record = packing->record;
	MemoryContext former;

	if (pack->context == NULL)
	{
		pack->context = AllocSetContextCreate(packing->context, "josch pack of the record", ALLOCSET_DEFAULT_SIZES);
	}
	former = MemoryContextSwitchTo(pack->context);
	pack->job_date = job_date;
	pack->nchanged = record->nchanged;
	pack->changed = palloc(sizeof(AuditColumn *) * Max(record->nchanged, 1));
	memcpy(pack->changed, record->changed, sizeof(AuditColumn *) * record->nchanged);
	pack->no_comment = no_comment;
	pack->comment = no_comment ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(comment));
	pack->first_id = PG_INT64_MAX;
	pack->last_id = PG_INT64_MIN;
	begin_after(pack, record);
	josch_pack_begin(&pack->before, pack->changed, pack->nchanged, true, &record->format);
	MemoryContextSwitchTo(former);
}

/* The pack for the row at hand: one that has in common what the row has, or a new one, for which the one must go that waited longest. */
static OpenPack *
find_pack(Packing *packing, Datum job_date)
{
	bool		no_comment;
	Datum		comment = josch_record_comment(packing->record, &no_comment);
	OpenPack   *oldest = &packing->packs[0];

	for (int i = 0; i < OPEN_PACKS; i++)
	{
		OpenPack   *pack = &packing->packs[i];

		if (pack->n > 0 && has_in_common(pack, packing->record, job_date, comment, no_comment))
		{
			return pack;
		}
		oldest = oldest->n > 0 && (pack->n == 0 || pack->touched < oldest->touched) ? pack : oldest;
	}
	if (oldest->n > 0)
	{
		packing->nsmall += oldest->n < SMALL_PACK ? 1 : 0;
		write_pack(packing, oldest);
	}
	begin_pack(packing, oldest, job_date, comment, no_comment);
	return oldest;
}

static void
add_row(Packing *packing)
{
	Record	   *record = packing->record;
	TupleTableSlot *former = josch_record_former(record);
	TupleTableSlot *row = josch_record_row(record) != NULL ? josch_record_row(record) : former;
	int64		id = packing->id != InvalidAttrNumber ? DatumGetInt64(row->tts_values[packing->id - 1]) : 0;
	OpenPack   *pack = find_pack(packing, packing->date != InvalidAttrNumber ? row->tts_values[packing->date - 1] :
								 DateADTGetDatum(PACKED_NO_DATE));
	MemoryContext caller = MemoryContextSwitchTo(pack->context);

	pack->n++;
	pack->touched = packing->nrows++;
	pack->first_id = Min(pack->first_id, id);
	pack->last_id = Max(pack->last_id, id);
	josch_pack_add(&pack->after, row);
	if (pack->nchanged > 0)
	{
		josch_pack_add(&pack->before, former);
	}
	MemoryContextSwitchTo(caller);
	if (josch_pack_is_full(&pack->after) || josch_pack_is_full(&pack->before))
	{
		write_pack(packing, pack);
	}
}

/* A column of the audited table's key; 0 for no name. */
static AttrNumber
find_key(const AuditTable *table, const char *name)
{
	if (name == NULL)
	{
		return InvalidAttrNumber;
	}
	for (int i = 0; i < table->nkeys; i++)
	{
		if (strcmp(table->target.columns[AUDIT_FIXED + i].name, name) == 0)
		{
			return table->keys[i];
		}
	}
	elog(ERROR, "the key of \"%s\" has no column \"%s\"", table->target.name, name);
}

/* Whether the rows alternate between more kinds than there are packs to fill, most of them. */
static bool
is_scattered(const Packing *packing)
{
	return packing->nsmall >= MANY_SMALL && packing->nsmall * SMALL_PACK > packing->nrows / 2;
}

/* Fills packs with the rows, until there are no more, or the one at hand had better be a row. */
static void
fill_packs(Packing *packing)
{
	MemoryContext row = AllocSetContextCreate(packing->context, "josch row of the record", ALLOCSET_SMALL_SIZES);

	while (josch_record_next(packing->record))
	{
		MemoryContext former;

		if (is_scattered(packing))
		{
			packing->record->ahead = true;
			break;
		}
		former = MemoryContextSwitchTo(row);
		add_row(packing);
		MemoryContextSwitchTo(former);
		MemoryContextReset(row);
	}
}

void
josch_record_write_packs(Record *record)
{
	const PackedTable *packed = josch_packed_table(record->table->target.name);
	Packing		packing = {.record = record};

	packing.context = AllocSetContextCreate(CurrentMemoryContext, "josch packs of the record", ALLOCSET_SMALL_SIZES);
	namestrcpy(&packing.name, packed->name);
	packing.date = find_key(record->table, packed->date);
	packing.id = find_key(record->table, packed->id);
	fill_packs(&packing);
	for (int i = 0; i < OPEN_PACKS; i++)
	{
		if (packing.packs[i].n > 0)
		{
			write_pack(&packing, &packing.packs[i]);
		}
	}
	MemoryContextDelete(packing.context);
	if (record->ahead)
	{
		josch_record_write_rows(record);
	}
}
