/*
 * src/run/world.h
 *	  What the world has said: a file is there, a query is true, or neither can be told.
 */
#ifndef JOSCH_WORLD_H
#define JOSCH_WORLD_H

#include "base/josch.h"

#include "base/node_key.h"
#include "run/engine.h"

typedef enum WorldFactKind
{
	WORLD_FILE,					/* text: the path that was found */
	WORLD_SQL,					/* true since at */
	WORLD_TROUBLE				/* text: why it cannot be told, for the node's message; NULL: that is over */
} WorldFactKind;

/* Of the node's wait_file or wait_sql as it was, whoever has mended it meanwhile. */
struct WorldFact
{
	NodeKey		key;
	WorldFactKind kind;
	uint64		asked;			/* hash of what was asked; 0: whatever it was (TROUBLE) */
	char	   *text;
	bool		utf8;			/* the text is not in the database's encoding yet */
	TimestampTz at;
	bool		done;			/* by the pass, if it commits */
};

/* The pass's facts are put into the nodes, of which some may then start. */
extern void josch_world_apply(EnginePass *pass);

#endif							/* JOSCH_WORLD_H */
