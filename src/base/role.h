/*
 * src/base/role.h
 *	  josch.role: a role of the cluster, known by its OID and shown by its name.
 */
#ifndef JOSCH_ROLE_H
#define JOSCH_ROLE_H

#include "base/josch.h"

typedef struct JoschRole
{
	Oid			oid;			/* InvalidOid: there was no such role when it was written */
	NameData	name;			/* as it was when it was written */
} JoschRole;

/* In the place of a type's OID, which differs from database to database: josch.role. */
#define JOSCH_ROLE_TYPE InvalidOid

extern Oid	josch_role_type(void);

/* Its name now; that of a role which is gone is the one that was written. */
extern const char *josch_role_name(const JoschRole *role);

/* InvalidOid when there is no such role, or no longer. */
extern Oid	josch_role_oid(const JoschRole *role);

/* Whether both mean the same role, whatever it is called. */
extern bool josch_role_is_same(const JoschRole *a, const JoschRole *b);

#endif							/* JOSCH_ROLE_H */
