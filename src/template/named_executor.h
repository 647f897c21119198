/*
 * src/template/named_executor.h
 *	  The executor that a template, or a node of a day, names.
 */
#ifndef JOSCH_NAMED_EXECUTOR_H
#define JOSCH_NAMED_EXECUTOR_H

#include "base/josch.h"

/* What means that commands run where the runner is. */
#define JOSCH_EXECUTOR_LOCAL "local"

/* Raises undefined_object where there is no such executor. */
extern void josch_executor_check(const char *name, const char *object);

#endif							/* JOSCH_NAMED_EXECUTOR_H */
