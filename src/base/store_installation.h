/*
 * src/base/store_installation.h
 *	  SQL of josch.installation, of which there is one row.
 */
#ifndef JOSCH_STORE_INSTALLATION_H
#define JOSCH_STORE_INSTALLATION_H

#include "base/josch.h"

#include "base/installation.h"

/* The row as it is committed now; texts are palloc'd. */
extern JoschInstallation josch_store_installation_read(void);

/* The same; nobody else changes it until the end of the transaction. */
extern JoschInstallation josch_store_installation_lock(void);

/* Arms this installation, under a new token, in the name of the session's user. */
extern void josch_store_installation_arm(const char *comment);

/*
 * Keeps the token: only writes down why nodes are held back, or, with NULL, that none
 * is any more; and up to which number runs had been started, 0 when that is as it was.
 */
extern void josch_store_installation_hold_back(const char *reason, int64 last_run, const char *comment);

/* What somebody did that concerns no run on record: its audit keeps who, when and from where. */
extern void josch_store_installation_note(const char *comment);

/* A dump is being restored into it: from now on it is a copy, whatever row the dump brings, and when. */
extern void josch_store_installation_doubt(Oid extension);

/* Makes room for the row of a dump. */
extern void josch_store_installation_clear(void);

#endif							/* JOSCH_STORE_INSTALLATION_H */
