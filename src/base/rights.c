/*
 * src/base/rights.c
 *	  Who may decide what the server executes, and as whom.
 */
#include "base/josch.h"

#include "base/rights.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

bool
josch_rights_to_programs(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM);
}

const char *
josch_rights_user(void)
{
	return quote_identifier(GetUserNameFromId(GetUserId(), false));
}

void
josch_rights_check_program(const char *column, const char *object)
{
	if (josch_rights_to_programs())
	{
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to set \"%s\" of %s", column, object),
			 errdetail("Only roles with the privileges of \"%s\" may decide what the server executes.",
					   JOSCH_PROGRAM_ROLE),
			 errhint("GRANT %s TO %s, or let a role that has it make the change.",
					 JOSCH_PROGRAM_ROLE, josch_rights_user()),
			 err_generic_string(PG_DIAG_COLUMN_NAME, column)));
}

void
josch_rights_check_owner(const JoschRole *role, const char *object)
{
	const char *owner = josch_role_name(role);
	Oid			oid = josch_role_oid(role);

	if (!OidIsValid(oid))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", owner),
				 errdetail("The owner of %s is the role as which its SQL runs.", object),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "owner")));
	}
	if (!josch_can_become(GetUserId(), oid))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to write %s with the owner \"%s\"", object, owner),
				 errdetail("SQL runs as its owner, so its writer must be a member of that role."),
				 errhint("GRANT %s TO %s, or name another owner.",
						 quote_identifier(owner), josch_rights_user()),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "owner")));
	}
}
