/*
 * src/calendar/circles.h
 *	  No calendar is a part of itself, over however many steps.
 */
#ifndef JOSCH_CIRCLES_H
#define JOSCH_CIRCLES_H

#include "base/josch.h"

/* Raises when one is; keeps others from making one so until the transaction ends. */
extern void josch_circles_refuse(void);

#endif							/* JOSCH_CIRCLES_H */
