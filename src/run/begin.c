/*
 * src/run/begin.c
 *	  Nodes that begin to run, in a pass.
 */
#include "base/josch.h"

#include "run/begin.h"

#include "run/store_pass.h"

int
josch_begin_launch(EnginePass *pass, Piece *items, int n, MemoryContext context, char turn)
{
	MemoryContext former = MemoryContextSwitchTo(context);
	int			launched;
	int			held = 0;
	StoreLaunch *launches;

	launches = josch_store_pass_launch(josch_step_keys(items, n), n, turn, &pass->runner, &launched, &held);
	pass->launches = pass->launches == NULL ?
		palloc(sizeof(StoreLaunch) * Max(launched, 1)) :
		repalloc(pass->launches, sizeof(StoreLaunch) * (pass->nlaunches + Max(launched, 1)));
	memcpy(pass->launches + pass->nlaunches, launches, sizeof(StoreLaunch) * launched);
	pass->nlaunches += launched;
	pass->set_aside += held;
	MemoryContextSwitchTo(former);
	return launched;
}
