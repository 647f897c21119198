/*
 * src/node/statement.c
 *	  What a statement of a SQL node may be, as far as its text tells.
 *
 * Asked before a template is loaded, and again by the worker before it runs.
 */
#include "base/josch.h"

#include "node/statement.h"

void
josch_statement_refuse(RawStmt *raw, bool atomic)
{
	if (atomic && IsA(raw->stmt, TransactionStmt))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("transaction control is not allowed in an atomic SQL node"),
				 errdetail("All its statements and its success are one transaction."),
				 errhint("Set exec_sql_atomic to false to let each statement commit on its own.")));
	}
	if (IsA(raw->stmt, CopyStmt))
	{
		CopyStmt   *copy = (CopyStmt *) raw->stmt;

		if (copy->is_from && copy->filename == NULL)
		{
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot copy from stdin in a SQL node"),
					 errdetail("There is no client to read from.")));
		}
	}
}

const char *
josch_statement_alone(const RawStmt *raw)
{
	const Node *statement = raw->stmt;

	switch (nodeTag(statement))
	{
		case T_VacuumStmt:
			return ((const VacuumStmt *) statement)->is_vacuumcmd ? "VACUUM" : NULL;
		case T_IndexStmt:
			return ((const IndexStmt *) statement)->concurrent ? "CREATE INDEX CONCURRENTLY" : NULL;
		case T_DropStmt:
			return ((const DropStmt *) statement)->concurrent ? "DROP INDEX CONCURRENTLY" : NULL;
		case T_CreatedbStmt:
			return "CREATE DATABASE";
		case T_DropdbStmt:
			return "DROP DATABASE";
		case T_AlterSystemStmt:
			return "ALTER SYSTEM";
		case T_CreateTableSpaceStmt:
			return "CREATE TABLESPACE";
		case T_DropTableSpaceStmt:
			return "DROP TABLESPACE";
		default:
			return NULL;
	}
}
