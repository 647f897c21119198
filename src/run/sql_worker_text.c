/*
 * src/run/sql_worker_text.c
 *	  Executes the text of a SQL node as the user who owns the node.
 *
 * The statements go the way of a client's simple query: parsed as a whole, each
 * analysed when the one before is done.  Atomic: all are in one transaction
 * block, and so is what the caller writes at its end; a crash leaves both or
 * nothing.  Else each commits on its own at top level.
 *
 * Before the caller writes, all that the user's SQL has put off (deferred triggers,
 * open cursors) has come to its end, as the user.  The limits that the user, the
 * text or the database has set are in force as in any session.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "node/statement.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "storage/proc.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

static void
print_tag(const QueryCompletion *completion)
{
	const char *name = GetCommandTagName(completion->commandTag);
	char	   *line;

	if (completion->commandTag == CMDTAG_UNKNOWN)
	{
		return;
	}
	if (!command_tag_display_rowcount(completion->commandTag))
	{
		line = pstrdup(name);
	}
	else if (completion->commandTag == CMDTAG_INSERT)
	{
		line = psprintf("%s 0 " UINT64_FORMAT, name, completion->nprocessed);
	}
	else
	{
		line = psprintf("%s " UINT64_FORMAT, name, completion->nprocessed);
	}
	josch_sql_worker_output_line(line);
	pfree(line);
}

static void
run_portal(Portal portal, DestReceiver *receiver, QueryCompletion *completion)
{
#if PG_VERSION_NUM >= 180000
	(void) PortalRun(portal, FETCH_ALL, true, receiver, receiver, completion);
#else
	(void) PortalRun(portal, FETCH_ALL, true, true, receiver, receiver, completion);
#endif
}

/* The limit of one statement; the server itself arms it for clients only. */
static void
begin_statement(void)
{
	SetCurrentStatementStartTimestamp();
	if (StatementTimeout > 0)
	{
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	}
}

static void
end_statement(void)
{
	if (get_timeout_active(STATEMENT_TIMEOUT))
	{
		disable_timeout(STATEMENT_TIMEOUT, false);
	}
}

/* One statement, within a transaction command; its trees live in the given context. */
static void
execute_statement(RawStmt *raw, const char *sql, MemoryContext context)
{
	MemoryContext transaction = MemoryContextSwitchTo(context);
	bool		snapshot = analyze_requires_snapshot(raw);
	QueryCompletion completion;
	DestReceiver *receiver;
	List	   *plans;
	Portal		portal;

	InitializeQueryCompletion(&completion);
	if (snapshot)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	plans = pg_plan_queries(pg_analyze_and_rewrite_fixedparams(raw, sql, NULL, 0, NULL),
							sql, CURSOR_OPT_PARALLEL_OK, NULL);
	if (snapshot)
	{
		PopActiveSnapshot();
	}
	CHECK_FOR_INTERRUPTS();

	portal = CreatePortal("", true, true);
	portal->visible = false;
	PortalDefineQuery(portal, NULL, sql, CreateCommandTag(raw->stmt), plans, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);
	receiver = josch_sql_worker_output_receiver();
	MemoryContextSwitchTo(transaction);
	run_portal(portal, receiver, &completion);
	receiver->rDestroy(receiver);
	PortalDrop(portal, false);
	print_tag(&completion);
}

/* Turns the transaction that has begun into a block, so that nothing can commit a part of it. */
static void
begin_block(void)
{
	StartTransactionCommand();
	BeginTransactionBlock();
	CommitTransactionCommand();
}

/*
 * The end of an atomic text: all that was put off is done now, as the user; then
 * the caller writes, and one commit makes both true.
 */
static void
end_block(void (*write) (void *argument), void *argument)
{
	ConstraintsSetStmt immediate = {.type = T_ConstraintsSetStmt, .constraints = NIL, .deferred = false};

	begin_statement();
	StartTransactionCommand();
	PortalHashTableDeleteAll();
	AfterTriggerSetState(&immediate);
	CHECK_FOR_INTERRUPTS();
	end_statement();
	PushActiveSnapshot(GetTransactionSnapshot());
	write(argument);
	PopActiveSnapshot();
	if (!EndTransactionBlock(false))
	{
		elog(ERROR, "the transaction is aborted");
	}
	CommitTransactionCommand();
}

/* Their trees live in the given context, one after the other. */
static void
execute_each(List *statements, const char *sql, MemoryContext context)
{
	ListCell   *cell;

	foreach(cell, statements)
	{
		begin_statement();
		StartTransactionCommand();
		execute_statement(lfirst_node(RawStmt, cell), sql, context);
		end_statement();
		CommitTransactionCommand();
		MemoryContextReset(context);
	}
}

void
josch_sql_worker_execute_text(const char *sql, bool atomic, void (*write) (void *argument), void *argument)
{
	List	   *statements = pg_parse_query(sql);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "josch statement", ALLOCSET_DEFAULT_SIZES);
	ListCell   *cell;

	foreach(cell, statements)
	{
		josch_statement_refuse(lfirst_node(RawStmt, cell), atomic);
	}
	if (atomic)
	{
		begin_block();
		execute_each(statements, sql, context);
		end_block(write, argument);
		return;
	}
	execute_each(statements, sql, context);
	if (IsTransactionBlock())
	{
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("the SQL ended within a transaction block"),
				 errhint("Add COMMIT.")));
	}
}
