/*
 * src/run/runner_start.h
 *	  Finds the socket of a spool's runner; starts one where none answers.
 */
#ifndef JOSCH_RUNNER_START_H
#define JOSCH_RUNNER_START_H

#include "base/josch.h"

#include "port.h"

/* Where the program is installed; room for MAXPGPATH. */
extern void josch_runner_program(char *path);

/*
 * A socket that is connected to the runner; with may_start one is started when
 * none answers, which takes some milliseconds.  PGINVALID_SOCKET, and *reason
 * (palloc'd), when there is none.
 */
extern pgsocket josch_runner_open(const char *spool, bool may_start, char **reason);

#endif							/* JOSCH_RUNNER_START_H */
