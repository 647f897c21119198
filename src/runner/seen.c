/*
 * src/runner/seen.c
 *	  The runs that were forgotten, so that none of them is ever started again.
 *
 * A number alone says nothing: it is given again when a database is put back to an
 * earlier moment, and then it is another run.  So number and nonce are kept, of the
 * latest runs, in order.  Of what is older only the greatest number is known; up to
 * there all is taken as seen, since by then its chance to be started has passed.
 */
#include "runner.h"

#include <stdlib.h>

#define MAX_SEEN 16384

/* Index of the first run that is not before this one. */
static int
find_seen(const Seen *seen, JoschRunKey key)
{
	int			low = 0;
	int			high = seen->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		const JoschRunKey *there = &seen->keys[middle];

		if (there->run_id < key.run_id || (there->run_id == key.run_id && there->nonce < key.nonce))
		{
			low = middle + 1;
		}
		else
		{
			high = middle;
		}
	}
	return low;
}

static bool
is_at(const Seen *seen, int i, JoschRunKey key)
{
	return i < seen->count && seen->keys[i].run_id == key.run_id && seen->keys[i].nonce == key.nonce;
}

bool
seen_has(const Seen *seen, JoschRunKey key)
{
	return key.run_id <= seen->floor || is_at(seen, find_seen(seen, key), key);
}

/* Drops the oldest quarter. */
static void
raise_floor(Seen *seen)
{
	int			drop = MAX_SEEN / 4;

	seen->floor = seen->keys[drop - 1].run_id;
	while (drop < seen->count && seen->keys[drop].run_id == seen->floor)
	{
		drop++;
	}
	seen->count -= drop;
	memmove(seen->keys, seen->keys + drop, (size_t) seen->count * sizeof(JoschRunKey));
}

void
seen_add(Seen *seen, JoschRunKey key)
{
	int			i = find_seen(seen, key);

	if (key.run_id <= seen->floor || is_at(seen, i, key))
	{
		return;
	}
	if (seen->count == seen->capacity)
	{
		seen->capacity = seen->capacity ? seen->capacity * 2 : 16;
		seen->keys = xrealloc(seen->keys, (size_t) seen->capacity * sizeof(JoschRunKey));
	}
	memmove(seen->keys + i + 1, seen->keys + i, (size_t) (seen->count - i) * sizeof(JoschRunKey));
	seen->keys[i] = key;
	seen->count++;
	if (seen->count > MAX_SEEN)
	{
		raise_floor(seen);
	}
}
