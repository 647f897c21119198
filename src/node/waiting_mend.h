/*
 * src/node/waiting_mend.h
 *	  josch.waiting made true where it is not: nodes were loaded with all triggers off.
 */
#ifndef JOSCH_WAITING_MEND_H
#define JOSCH_WAITING_MEND_H

#include "base/josch.h"

/* Reads all nodes, and waits for none.  Returns how many rows were mended. */
extern int64 josch_waiting_mend(void);

#endif							/* JOSCH_WAITING_MEND_H */
