/*
 * src/template/store_executor.h
 *	  SQL of executors that templates name.
 */
#ifndef JOSCH_STORE_EXECUTOR_H
#define JOSCH_STORE_EXECUTOR_H

#include "base/josch.h"

extern bool josch_store_executor_exists(const char *name);

/* Whether template jobs or nodes name it. */
extern bool josch_store_executor_is_named(const char *name);

#endif							/* JOSCH_STORE_EXECUTOR_H */
