/*
 * src/base/nonce.h
 *	  A random number that no other run, and no other installation, has.
 */
#ifndef JOSCH_NONCE_H
#define JOSCH_NONCE_H

#include "base/josch.h"

/* From the source that makes keys; never 0, never negative: people read it, too. */
extern int64 josch_nonce_new(void);

#endif							/* JOSCH_NONCE_H */
