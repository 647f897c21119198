/*
 * src/base/version.h
 *	  Of which version this library is, and of which the extension's objects are.
 *
 * A server goes from one version to the next in two steps: the library comes
 * with its restart, the objects with ALTER EXTENSION josch UPDATE.  In between
 * the two do not fit: what acts by itself stands still then.
 */
#ifndef JOSCH_VERSION_H
#define JOSCH_VERSION_H

#include "base/josch.h"

/* Of this library; make knows it from josch.control. */
extern const char *const josch_version;

/* -1, 0, 1 by the numbers between the dots: 1.9 is before 1.10. */
extern int	josch_version_compare(const char *a, const char *b);

/* Both, in words, and what to do about it; NULL where they are the same. */
extern char *josch_version_discord(const char *extension);
extern const char *josch_version_hint(const char *extension);

/* ERROR unless they are the same. */
extern void josch_version_require_same(void);

/* ---- store_version.c ---- */

/* That of the extension's objects; NULL where it is not created.  Inside a transaction. */
extern char *josch_store_version(void);

#endif							/* JOSCH_VERSION_H */
