/*
 * src/template/load_diff.h
 *	  What a load would change, in words.
 */
#ifndef JOSCH_LOAD_DIFF_H
#define JOSCH_LOAD_DIFF_H

#include "base/josch.h"

#include "template/load.h"

/* Of a row: the table, what it is called, added, changed or removed, and how (NULL: there is nothing more to say). */
#define LOAD_DIFF_COLUMNS 4
typedef void (*TakeLoadDiff) (char *const *texts, void *arg);

/* Calls "take" for each row that the load would change, table by table; nothing is written. */
extern void josch_load_diff(Load *load, TakeLoadDiff take, void *arg);

#endif							/* JOSCH_LOAD_DIFF_H */
