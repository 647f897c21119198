/*
 * src/server/utility.c
 *	  What commands on databases and on the extension mean to JOSCH's processes.
 *
 * DROP DATABASE, a rename, a move and CREATE DATABASE ... TEMPLATE are refused
 * while anyone is connected, and nobody expects a scheduler to count as someone.
 * So it steps aside before the command, and comes back after the transaction,
 * when the database is still there.  A node whose SQL is running does count: it
 * is work, and the server says so as it does for any session.
 *
 * Commands that are going to be refused anyway must not disturb a scheduler:
 * whoever has no right to the command makes nobody step aside.
 */
#include "base/josch.h"

#include "server/utility.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/clock.h"
#include "base/spi_plan.h"
#include "base/wake.h"
#include "run/sql_worker.h"
#include "run/strays.h"
#include "server/table_lock.h"

/* How long a command waits for a scheduler to go; the server then waits 5 s itself. */
#define WAIT_LIMIT_MS 5000
#define WAIT_STEP_MS 2

/* How long the runner may take to say what still runs. */
#define RUNNER_LIMIT_MS 1000

static ProcessUtility_hook_type former_process_utility = NULL;
static object_access_hook_type former_object_access = NULL;

/* ---- who has to step aside for a command ---- */

static bool
owns(Oid database)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
	return pg_database_ownercheck(database, GetUserId());
#endif
}

static bool
may_create_databases(void)
{
	bool		result = superuser();
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));

	if (HeapTupleIsValid(tuple))
	{
		result |= ((Form_pg_authid) GETSTRUCT(tuple))->rolcreatedb;
		ReleaseSysCache(tuple);
	}
	return result;
}

static bool
is_template(Oid database)
{
	bool		result = false;
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
		ReleaseSysCache(tuple);
	}
	return result;
}

static DefElem *
find_option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
		{
			return option;
		}
	}
	return NULL;
}

static Oid
owned_database(const char *name)
{
	Oid			database = get_database_oid(name, true);

	return OidIsValid(database) && owns(database) ? database : InvalidOid;
}

static Oid
source_of(CreatedbStmt *stmt)
{
	DefElem    *option = find_option(stmt->options, "template");
	Oid			source;

	source = get_database_oid(option != NULL && option->arg != NULL ? defGetString(option) : "template1", true);
	if (!OidIsValid(source) || !may_create_databases())
	{
		return InvalidOid;
	}
	return is_template(source) || owns(source) ? source : InvalidOid;
}

/* Whether he may drop the extension; its tables may be in ruins. */
static bool
owns_extension(void)
{
	Oid			extension = get_extension_oid("josch", true);

#if PG_VERSION_NUM >= 160000
	return OidIsValid(extension) && object_ownercheck(ExtensionRelationId, extension, GetUserId());
#else
	return OidIsValid(extension) && pg_extension_ownercheck(extension, GetUserId());
#endif
}

static Oid
owner_of_extension(void)
{
	Relation	catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("josch"));
	scan = systable_beginscan(catalog, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return owner;
}

/* DROP OWNED BY him whose it is. */
static bool
drops_owned_extension(const DropOwnedStmt *stmt)
{
	Oid			owner = owner_of_extension();
	ListCell   *cell;

	foreach(cell, stmt->roles)
	{
		if (OidIsValid(owner) && get_rolespec_oid(lfirst_node(RoleSpec, cell), true) == owner)
		{
			return true;
		}
	}
	return false;
}

/* True for what drops or alters the extension, by its owner. */
static bool
is_about_extension(Node *stmt)
{
	bool		ours = false;

	if (IsA(stmt, DropOwnedStmt))
	{
		ours = drops_owned_extension((DropOwnedStmt *) stmt);
	}
	if (IsA(stmt, AlterExtensionStmt))
	{
		ours = strcmp(((AlterExtensionStmt *) stmt)->extname, "josch") == 0;
	}
	else if (IsA(stmt, DropStmt) && (((DropStmt *) stmt)->removeType == OBJECT_EXTENSION ||
									 ((DropStmt *) stmt)->removeType == OBJECT_SCHEMA))
	{
		ListCell   *cell;

		foreach(cell, ((DropStmt *) stmt)->objects)
		{
			ours |= strcmp(strVal(lfirst(cell)), "josch") == 0;
		}
	}
	return ours && owns_extension();
}

/*
 * The database that the command wants for itself, InvalidOid when there is none.
 * The extension's own tables are locked one by one when it is dropped or
 * changed: a scheduler in the middle of a pass would meet that in the other
 * order.
 */
static Oid
database_wanted_by(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_DropStmt:
		case T_DropOwnedStmt:
		case T_AlterExtensionStmt:
			return is_about_extension(stmt) ? MyDatabaseId : InvalidOid;
		case T_DropdbStmt:
			return owned_database(((DropdbStmt *) stmt)->dbname);
		case T_CreatedbStmt:
			return source_of((CreatedbStmt *) stmt);
		case T_AlterDatabaseStmt:
			if (find_option(((AlterDatabaseStmt *) stmt)->options, "tablespace") == NULL)
			{
				return InvalidOid;
			}
			return owned_database(((AlterDatabaseStmt *) stmt)->dbname);
		case T_RenameStmt:
			if (((RenameStmt *) stmt)->renameType != OBJECT_DATABASE)
			{
				return InvalidOid;
			}
			return owned_database(((RenameStmt *) stmt)->subname);
		default:
			return InvalidOid;
	}
}

/* Commands on databases, but for a rename, are refused in a larger transaction anyway. */
static bool
can_run_here(Node *stmt, ProcessUtilityContext context)
{
	return IsA(stmt, RenameStmt) || IsA(stmt, DropStmt) || IsA(stmt, DropOwnedStmt) || IsA(stmt, AlterExtensionStmt) ||
		(context == PROCESS_UTILITY_TOPLEVEL && !IsTransactionBlock());
}

/*
 * Makes the scheduler and the idle SQL workers of a database go, and waits until
 * they are gone.  After the limit the command takes its chance: it is the server
 * that refuses, not JOSCH.
 */
static void
make_step_aside(Oid database)
{
	pid_t		scheduler;

	if (!josch_wake_hold(database, &scheduler))
	{
		return;
	}
	if (scheduler != 0)
	{
		(void) kill(scheduler, SIGTERM);
	}
	for (int waited = 0; waited < WAIT_LIMIT_MS; waited += WAIT_STEP_MS)
	{
		int			leaving = josch_sql_worker_dismiss(database);

		if (leaving == 0 && (scheduler == 0 || BackendPidGetProc(scheduler) == NULL))
		{
			break;
		}
		josch_clock_wait_latch(WAIT_STEP_MS, PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
	}
}

/* SQL goes on, too, and what it does is undone when its end cannot be recorded; a database is not dropped meanwhile. */
static void
warn_of_sql(void)
{
	int			n;
	char	   *names = josch_sql_worker_names(MyDatabaseId, &n);

	if (n > 0)
	{
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("SQL of extension \"josch\" still runs, and nobody will know how it ends: %d", n),
				 errdetail("%s.", names),
				 errhint("What is atomic is undone at its end. pg_terminate_backend() ends a process.")));
	}
}

/*
 * Commands outlive what is dropped, and then nobody hears how they end: so they are
 * named.  A runner that does not answer soon has none to name.
 */
static void
warn_of_commands(Node *stmt, Oid database)
{
	char	   *reason = NULL;

	if (IsA(stmt, DropdbStmt))
	{
		josch_strays_warn(josch_strays_of(database, RUNNER_LIMIT_MS, &reason), psprintf("database \"%s\"", ((DropdbStmt *) stmt)->dbname));
	}
	else if (IsA(stmt, DropStmt) || IsA(stmt, DropOwnedStmt))
	{
		josch_strays_warn(josch_strays_of(database, RUNNER_LIMIT_MS, &reason), "extension \"josch\"");
		warn_of_sql();
	}
}

/* ---- hooks ---- */

/* Decided before the command, which may free its own parse tree. */
typedef struct Consequences
{
	bool		launcher;		/* at commit: other databases, other names */
	bool		scheduler;		/* at commit: another version of the extension */
	bool		scheduler_now;	/* a prepared transaction has ended */
} Consequences;

static Consequences
consequences_of(Node *stmt)
{
	Consequences result = {0};

	switch (nodeTag(stmt))
	{
		case T_CreatedbStmt:
		case T_DropdbStmt:
		case T_AlterDatabaseStmt:
			result.launcher = true;
			break;
		case T_RenameStmt:
			result.launcher = ((RenameStmt *) stmt)->renameType == OBJECT_DATABASE;
			break;
		case T_AlterExtensionStmt:
			result.scheduler = strcmp(((AlterExtensionStmt *) stmt)->extname, "josch") == 0;
			break;
		case T_TransactionStmt:
			result.scheduler_now = ((TransactionStmt *) stmt)->kind == TRANS_STMT_COMMIT_PREPARED ||
				((TransactionStmt *) stmt)->kind == TRANS_STMT_ROLLBACK_PREPARED;
			break;
		default:
			break;
	}
	return result;
}

static void
process_utility(PlannedStmt *planned, const char *query, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	Node	   *stmt = planned->utilityStmt;
	Consequences consequences = consequences_of(stmt);
	Oid			wanted = can_run_here(stmt, context) ? database_wanted_by(stmt) : InvalidOid;

	if (IsA(stmt, LockStmt))
	{
		josch_table_lock_check((LockStmt *) stmt);
	}
	if (OidIsValid(wanted))
	{
		warn_of_commands(stmt, wanted);
		make_step_aside(wanted);
	}
	if (former_process_utility != NULL)
	{
		former_process_utility(planned, query, read_only_tree, context, params, environment, dest, completion);
	}
	else
	{
		standard_ProcessUtility(planned, query, read_only_tree, context, params, environment, dest, completion);
	}
	if (consequences.launcher)
	{
		josch_wake_launcher_at_commit();
	}
	if (consequences.scheduler)
	{
		josch_wake_scheduler_at_commit();
	}
	if (consequences.scheduler_now)
	{
		josch_wake_scheduler_now(MyDatabaseId);
	}
}

/* However the extension is dropped (DROP EXTENSION, DROP SCHEMA ... CASCADE, DROP OWNED), the scheduler hears of it. */
static void
object_access(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	if (former_object_access != NULL)
	{
		former_object_access(access, class, object, sub, arg);
	}
	if (access == OAT_DROP && class == ExtensionRelationId && object == get_extension_oid("josch", true))
	{
		josch_wake_scheduler_at_commit();
	}
}

void
josch_utility_init(void)
{
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
	{
		return;
	}
	former_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	former_object_access = object_access_hook;
	object_access_hook = object_access;
}
