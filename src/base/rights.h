/*
 * src/base/rights.h
 *	  Who may decide what the server executes, and as whom.
 *
 * They ask the current user, as a GRANT on the table would; object is what the
 * messages call the row ("node 5").
 */
#ifndef JOSCH_RIGHTS_H
#define JOSCH_RIGHTS_H

#include "base/josch.h"

#include "base/role.h"

#define JOSCH_PROGRAM_ROLE "pg_execute_server_program"

extern bool josch_rights_to_programs(void);

/* The current user's name as it is written in SQL. */
extern const char *josch_rights_user(void);

/* Raises unless the current user may set that column, whose text is a command. */
extern void josch_rights_check_program(const char *column, const char *object);

/* Raises unless the role exists, and the current user can become it. */
extern void josch_rights_check_owner(const JoschRole *role, const char *object);

#endif							/* JOSCH_RIGHTS_H */
