/*
 * src/audit/packed_table.h
 *	  The table of packs, and whose rows it holds.
 *
 * Where thousands of rows are made, changed, or go, at once, one row of josch.audit_packs stands
 * for a thousand of an audit table.  To whoever reads that table they are rows of it: it
 * has a child, a foreign table whose rows are what the packs hold.
 */
#ifndef JOSCH_PACKED_TABLE_H
#define JOSCH_PACKED_TABLE_H

#include "base/josch.h"

#include "base/table.h"

/* An audit table that has packs. */
typedef struct PackedTable
{
	const char *name;			/* of the audit table */
	const char *child;			/* the foreign table */
	const char *date;			/* column of the key that all rows of a pack have in common; NULL: none */
	const char *id;				/* column of the key of which the pack's range is known; NULL: none */
} PackedTable;

/* By the name of the audit table or of its child; NULL: it has no packs. */
extern const PackedTable *josch_packed_table(const char *name);

/*
 * Whether rows of an audit table may go into packs: not where people have put columns,
 * constraints or triggers of their own on it or on the packs, which hold for rows alone;
 * nor where they have taken away what shows them.
 */
extern bool josch_packed_table_takes(JoschTable *table);

/* In place of the date, where the key has none: one that every driver can read. */
#define PACKED_NO_DATE (-730119)	/* 0001-01-01 */

/* Columns of josch.audit_packs, its key first. */
enum
{
	PACK_TABLE, PACK_DATE, PACK_LAST_ID, PACK_FIRST_AUDIT_ID, PACK_FIRST_ID, PACK_ROW_COUNT, PACK_AT, PACK_XID,
	PACK_SESSION_NAME, PACK_ROLE_NAME, PACK_CLIENT_ADDR, PACK_APPLICATION, PACK_OPERATION, PACK_SAME, PACK_EACH,
	PACK_OLD_SAME, PACK_OLD_EACH, PACK_COMMENT, PACK_COLUMNS
};

extern JoschTable josch_packed_table_packs;

#endif							/* JOSCH_PACKED_TABLE_H */
