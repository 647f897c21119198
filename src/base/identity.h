/*
 * src/base/identity.h
 *	  Which server this is, and which installation of JOSCH in it.
 */
#ifndef JOSCH_IDENTITY_H
#define JOSCH_IDENTITY_H

#include "base/josch.h"

/* Of the server: its system and its place; the same for as long as the process lives. */
extern const char *josch_identity_server(void);

/* Of one extension in this database, by its OID; palloc'd. */
extern char *josch_identity_installation(Oid extension);

/* Of the files in that place: others when they were put back from a copy; 0 when it cannot be told. */
extern int64 josch_identity_files(void);

/* Whether two installations differ at most by the place: one is a copy of the other's data directory. */
extern bool josch_identity_is_copy(const char *installation, const char *other);

/* Whether this server was a standby when it was started. */
extern bool josch_identity_was_standby(void);

/* Called once from _PG_init. */
extern void josch_identity_init(void);

#endif							/* JOSCH_IDENTITY_H */
