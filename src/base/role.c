/*
 * src/base/role.c
 *	  josch.role: a role of the cluster, known by its OID and shown by its name.
 *
 * The name alone would leave a node without its owner when the role is renamed,
 * and hand it to whoever makes a new role of the former name.  The OID alone
 * (regrole) would show a number once the role is gone, and a dump would take
 * that number to another cluster, where it may be anybody's; nor could a dump be
 * restored before its roles are there.  So both are kept: what is read in is
 * looked up by its name then and there, and from then on is that very role.
 */
#include "base/josch.h"

#include "base/role.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

Oid
josch_role_type(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("role"),
						   ObjectIdGetDatum(get_namespace_oid(JOSCH_SCHEMA, false)));
}

const char *
josch_role_name(const JoschRole *role)
{
	const char *name = OidIsValid(role->oid) ? GetUserNameFromId(role->oid, true) : NULL;

	return name != NULL ? name : NameStr(role->name);
}

Oid
josch_role_oid(const JoschRole *role)
{
	if (!OidIsValid(role->oid))
	{
		return get_role_oid(NameStr(role->name), true);
	}
	return GetUserNameFromId(role->oid, true) != NULL ? role->oid : InvalidOid;
}

bool
josch_role_is_same(const JoschRole *a, const JoschRole *b)
{
	return a->oid == b->oid && (OidIsValid(a->oid) || strcmp(NameStr(a->name), NameStr(b->name)) == 0);
}
