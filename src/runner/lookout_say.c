/*
 * src/runner/lookout_say.c
 *	  What the lookout tells the runner.
 *
 * All parts of it tell, and none reads: the words are put in line, and go out together.
 */
#include "lookout.h"

#include <unistd.h>

static JoschBuffer out = {.grow = xrealloc};

/* The same is told once. */
void
lookout_tell(Watch *watch, JoschLookedKind kind, const char *path, const char *text)
{
	JoschLooked m = {.number = watch->number, .kind = kind};

	watch->hindered |= kind == JOSCH_LOOKED_HINDERED || kind == JOSCH_LOOKED_SHORT;
	if (watch->told == kind)
	{
		return;
	}
	watch->told = kind == JOSCH_LOOKED_WELL ? 0 : kind;
	m.path = josch_slice(path);
	m.text = josch_slice(text);
	josch_encode_looked(&out, &m);
}

/* False: nobody hears. */
bool
lookout_send(int fd)
{
	bool		sent = write_all(fd, out.data, out.len);

	out.len = 0;
	return sent;
}
