/*
 * src/node/wait_path.h
 *	  The file that a node waits for: its wait_file, with the values of its variables.
 *
 * Pure.
 */
#ifndef JOSCH_WAIT_PATH_H
#define JOSCH_WAIT_PATH_H

#include "base/josch.h"

/* All palloc'd. */
typedef struct WaitPath
{
	char	   *fault;			/* why it is no path; NULL: it is one, and the rest is set */
	char	   *path;			/* for people */
	char	   *folder;			/* "/" or a path without a / at its end */
	char	   *name;			/* in that folder, */
	bool		pattern;		/* as fnmatch takes it, with what comes from a value escaped; else as it is */
} WaitPath;

/*
 * Puts the values into $NAME, ${NAME} and ${NAME//from/to}.  A value is never read as a
 * pattern, nor looked through for variables.  "environment": NAME=value each, ended by NULL.
 */
extern WaitPath josch_wait_path(const char *text, char *const *environment);

#endif							/* JOSCH_WAIT_PATH_H */
