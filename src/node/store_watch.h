/*
 * src/node/store_watch.h
 *	  The trigger that josch.watch() puts on a table.
 */
#ifndef JOSCH_STORE_WATCH_H
#define JOSCH_STORE_WATCH_H

#include "base/josch.h"

#define JOSCH_WATCH_TRIGGER "josch_watch"

/* Its trigger; InvalidOid: it has none. */
extern Oid	josch_store_watch_find(Oid table);

/* Puts it there, with the rights of the current user. */
extern void josch_store_watch_put(Oid table);

/* Takes it away, whoever may put it there. */
extern void josch_store_watch_take(Oid table, Oid trigger);

#endif							/* JOSCH_STORE_WATCH_H */
