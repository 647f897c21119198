/*
 * src/day/store_environment.h
 *	  The environment of a node's command.
 *
 * Results are palloc'd in the caller's context, and share what they
 * have in common.
 */
#ifndef JOSCH_STORE_ENVIRONMENT_H
#define JOSCH_STORE_ENVIRONMENT_H

#include "base/josch.h"

/* Whose environment is asked for. */
typedef struct EnvironmentRequest
{
	NodeKey		key;
	int64		run_id;			/* 0: the node's latest run */
	int32		attempt;		/* with run_id */
} EnvironmentRequest;

typedef struct EnvironmentVariable
{
	const char *name;
	const char *value;			/* NULL: not set (RUN_ID of a node that has no run) */
	const char *assignment;		/* "name=value", NULL when it is not set */
} EnvironmentVariable;

typedef struct Environment
{
	bool		found;			/* false: there is no such node */
	int			n;
	EnvironmentVariable *variables;
} Environment;

/*
 * The environment of each request: by name, the job's copy of environs, over it the
 * parameters of the day, below it what says where the server is; then results of its
 * parents, where nobody has written a variable of that name; then the built-in variables.  Past the planner: it is on the way of every start.
 */
extern Environment *josch_store_environment_read(const EnvironmentRequest *requests, int n);

/* As for execve: assignments, with a NULL after the last. */
extern char **josch_store_environment_block(const Environment *environment);

#endif							/* JOSCH_STORE_ENVIRONMENT_H */
