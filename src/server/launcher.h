/*
 * src/server/launcher.h
 *	  Keeps one scheduler alive in each database that has the extension.
 */
#ifndef JOSCH_LAUNCHER_H
#define JOSCH_LAUNCHER_H

#include "base/josch.h"

extern PGDLLEXPORT void josch_launcher_main(Datum unused);

/* Registers the launcher with the postmaster; called once from _PG_init. */
extern void josch_launcher_init(void);

#endif							/* JOSCH_LAUNCHER_H */
