/*
 * src/node/statement.h
 *	  What a statement of a SQL node may be, as far as its text tells.
 */
#ifndef JOSCH_STATEMENT_H
#define JOSCH_STATEMENT_H

#include "base/josch.h"

#include "nodes/parsenodes.h"

/* Raises what no SQL node may do, or no atomic one. */
extern void josch_statement_refuse(RawStmt *raw, bool atomic);

/* What it is called, when it cannot run in a transaction with others (VACUUM and the like); NULL when it can. */
extern const char *josch_statement_alone(const RawStmt *raw);

#endif							/* JOSCH_STATEMENT_H */
