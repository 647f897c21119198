/*
 * src/run/quarantine.h
 *	  Nodes that cannot be handled, and whose failure cannot even be recorded.
 *
 * Kept by the process, and nearly always empty.  Such a node is left alone for a
 * second, and twice as long each time that it fails again.
 */
#ifndef JOSCH_QUARANTINE_H
#define JOSCH_QUARANTINE_H

#include "base/josch.h"

/* Until when the node is left alone; 0: it is not. */
extern TimestampTz josch_quarantine_until(NodeKey key, TimestampTz now);

/* Leaves it alone from now on; returns until when. */
extern TimestampTz josch_quarantine_put(NodeKey key, TimestampTz now, char *reason);

/* Forgets those that have long been tried again with success. */
extern void josch_quarantine_clear(TimestampTz now);

/* What keeps nodes from being handled now; NULL: nothing. */
extern const char *josch_quarantine_reason(TimestampTz now);

#endif							/* JOSCH_QUARANTINE_H */
