/*
 * src/runner/seen.c
 *	  The ids of forgotten runs, so that none of them is ever started again.
 *
 * Ids come from a sequence and are forgotten in nearly their order, so ranges
 * describe them.  Where too many holes stay open (ids that never came here),
 * the oldest are closed: by then their chance to be started has passed.
 */
#include "runner.h"

#include <stdlib.h>

#define MAX_RANGES 4096

/* Index of the first range that ends at or after `id`. */
static int
find_range(const Seen *seen, int64_t id)
{
	int			low = 0;
	int			high = seen->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (seen->ranges[middle].last < id)
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

bool
seen_has(const Seen *seen, int64_t id)
{
	int			i;

	if (id <= seen->floor)
	{
		return true;
	}
	i = find_range(seen, id);
	return i < seen->count && seen->ranges[i].first <= id;
}

/* Closes the oldest quarter of the holes. */
static void
raise_floor(Seen *seen)
{
	int			drop = MAX_RANGES / 4;

	seen->floor = seen->ranges[drop - 1].last;
	seen->count -= drop;
	memmove(seen->ranges, seen->ranges + drop, (size_t) seen->count * sizeof(SeenRange));
}

/* Adds first..last, joining it with all ranges that it touches. */
void
seen_add(Seen *seen, int64_t first, int64_t last)
{
	int			from;
	int			to;

	if (last <= seen->floor || last < first)
	{
		return;
	}
	first = first > seen->floor ? first : seen->floor + 1;
	from = find_range(seen, first - 1);
	to = from;
	while (to < seen->count && seen->ranges[to].first - 1 <= last)
	{
		first = seen->ranges[to].first < first ? seen->ranges[to].first : first;
		last = seen->ranges[to].last > last ? seen->ranges[to].last : last;
		to++;
	}
	if (from == to && seen->count == seen->capacity)
	{
		seen->capacity = seen->capacity ? seen->capacity * 2 : 16;
		seen->ranges = xrealloc(seen->ranges, (size_t) seen->capacity * sizeof(SeenRange));
	}
	memmove(seen->ranges + from + 1, seen->ranges + to,
			(size_t) (seen->count - to) * sizeof(SeenRange));
	seen->count += 1 - (to - from);
	seen->ranges[from].first = first;
	seen->ranges[from].last = last;
	if (seen->count > MAX_RANGES)
	{
		raise_floor(seen);
	}
}
