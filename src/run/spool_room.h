/*
 * src/run/spool_room.h
 *	  How much room there is where the runner and its commands write.
 */
#ifndef JOSCH_SPOOL_ROOM_H
#define JOSCH_SPOOL_ROOM_H

#include "base/josch.h"

#define JOSCH_MB (UINT64CONST(1024) * 1024)

typedef struct SpoolRoom
{
	bool		known;			/* false: nobody can tell */
	uint64		left;			/* bytes that an ordinary user may still write */
	uint64		all;
	uint64		to_start;		/* what must be left for a command to be started */
	bool		low;			/* it is time to make room */
	bool		full;			/* no command is started */
} SpoolRoom;

extern SpoolRoom josch_spool_room(void);

#endif							/* JOSCH_SPOOL_ROOM_H */
