/*
 * src/audit/store_audit.h
 *	  SQL on the audit tables: rows into them, and the past out of them.
 */
#ifndef JOSCH_STORE_AUDIT_H
#define JOSCH_STORE_AUDIT_H

#include "base/josch.h"

#include "access/transam.h"
#include "utils/jsonb.h"
#include "utils/reltrigger.h"
#include "utils/relcache.h"

#include "audit/value.h"
#include "base/table.h"

/* ---- writing ---- */

/* Columns of an audit table: what the rows of a statement have in common, but for the number, */
typedef enum AuditFixed
{
	AUDIT_ID, AUDIT_AT, AUDIT_XID, AUDIT_SESSION_NAME, AUDIT_ROLE_NAME, AUDIT_CLIENT_ADDR, AUDIT_APPLICATION,
	AUDIT_OPERATION, AUDIT_FIXED
} AuditFixed;

/* the key, and these. */
typedef enum AuditTrailing
{
	AUDIT_OLD_VALUES, AUDIT_NEW_VALUES, AUDIT_COMMENT, AUDIT_TRAILING
} AuditTrailing;

#define AUDIT_MAX_KEYS 8

/* A column of an audited table. */
typedef struct AuditColumn
{
	AttrNumber	number;
	int16		length;
	bool		by_value;
	bool		is_act;			/* says who acted and when */
	ValueColumn value;
} AuditColumn;

/* What is known of an audited table. */
typedef struct AuditTable
{
	Oid			relation;
	bool		valid;			/* false: to be looked up again */
	int			users;			/* statements that write by it: it is not altered under them */
	MemoryContext context;		/* of all the rest */
	int			ncolumns;
	AuditColumn *columns;		/* those that are recorded, in the order of jsonb's keys */
	int			nkeys;
	AttrNumber	keys[AUDIT_MAX_KEYS];
	AttrNumber	comment;		/* 0: there is no such column */
	JoschTable	target;			/* its audit table */
	struct AuditTable *next;
} AuditTable;

/*
 * What is known of the trigger's table; kept, and looked up again when the
 * table changed.  The trigger's arguments name the columns that are left out.
 */
extern AuditTable *josch_store_audit_table(Relation relation, const Trigger *trigger);

/* What the rows of a statement have in common. */
typedef struct AuditAct
{
	TimestampTz at;
	const char *operation;
	Oid			session_user;
	Oid			role;
	const char *application;	/* NULL or empty for none */
} AuditAct;

/* The first columns of its rows; the number is still to be put in. */
typedef struct AuditLine
{
	Datum		fixed[AUDIT_FIXED];
	bool		null[AUDIT_FIXED];
} AuditLine;

/* Fills it in; what it points to is allocated in the current context. */
extern void josch_store_audit_begin(AuditLine *line, const AuditAct *act);

/* A number of audit_id_seq, and which incarnation of the sequence it is of. */
typedef struct AuditMark
{
	Oid			sequence;
	int64		id;
} AuditMark;

/* Takes a number: rows that are inserted later have greater ones. */
extern AuditMark josch_store_audit_mark(void);

/* False when the extension was dropped since: then the marked rows are gone. */
extern bool josch_store_audit_is_valid(AuditMark mark);

/* The sequence gives so many numbers at a time: those of a statement are taken together. */
#define AUDIT_NUMBERS 4096

/* Numbers that a statement has taken, and not all used. */
typedef struct AuditNumbers
{
	Oid			sequence;
	int64		last;			/* that was used; 0: none */
	int			left;
} AuditNumbers;

/* The first of n numbers that follow each other; n is AUDIT_NUMBERS at most. */
extern int64 josch_store_audit_number(AuditNumbers *numbers, int n);

/*
 * Writes down that this transaction, whose rows follow the mark up to the last number,
 * commits at a moment.  Called when the transaction is about to commit.
 */
extern void josch_store_audit_commit(AuditMark first, int64 last_id, TimestampTz at);

/* Registers the invalidation callback; called once from josch_audit_init. */
extern void josch_store_audit_init(void);

/* ---- reading, as the caller ---- */

typedef enum AuditOperation
{
	AUDIT_INSERT, AUDIT_UPDATE, AUDIT_DELETE
} AuditOperation;

/* One row of nodes_audit, runs_audit or claims_audit. */
typedef struct AuditRow
{
	int64		audit_id;
	uint64		xid;
	TimestampTz at;
	int64		id;				/* node_id or run_id */
	bool		is_run;
	bool		is_claim;
	AuditOperation operation;
	char	   *session_name;
	char	   *client_addr;	/* NULL for none */
	char	   *application;	/* NULL for none */
	Jsonb	   *old_values;		/* NULL of an INSERT */
	Jsonb	   *new_values;		/* NULL of a DELETE */
	char	   *comment;
} AuditRow;

/*
 * Calls "take" for each row of nodes_audit of a date that was committed at a
 * moment, in no order.  Only audit_id, id, operation and new_values are filled
 * in, and live until take returns.
 */
typedef void (*AuditTake) (const AuditRow *row, void *arg);
extern void josch_store_audit_read_date(DateADT job_date, TimestampTz at, AuditTake take, void *arg);

/*
 * All rows of a node, of its runs and of the claims on it, oldest first, allocated in the current
 * context.  *exists: whether the node is or was there.
 */
extern AuditRow *josch_store_audit_read_node(NodeKey key, int *n, bool *exists);

/* The parameters that the day was given which made this row of a node, in words; NULL: none. */
extern char *josch_store_audit_read_params(const AuditRow *made, const char *job_name, DateADT job_date);

#endif							/* JOSCH_STORE_AUDIT_H */
