/*
 * test/unit/seen_test.c
 *	  The ids of forgotten runs: none is lost, none is invented.
 */
#include "unit.h"

#define SPACE 3000
#define MAX_RANGES 4096			/* of seen.c */

/* Whether the ranges are as they must be: ascending, apart, above the floor. */
static bool
is_tidy(const Seen *seen)
{
	for (int i = 0; i < seen->count; i++)
	{
		int64_t		before = i > 0 ? seen->ranges[i - 1].last + 1 : seen->floor;

		if (seen->ranges[i].first <= before || seen->ranges[i].last < seen->ranges[i].first)
		{
			return false;
		}
	}
	return true;
}

static void
test_neighbours(void)
{
	Seen		seen = {0};

	OK(!seen_has(&seen, 1) && seen_has(&seen, 0) && seen_has(&seen, -5), "nothing is seen at first, and no id is below 1");
	seen_add(&seen, 10, 10);
	OK(seen_has(&seen, 10) && !seen_has(&seen, 9) && !seen_has(&seen, 11), "one id, and not its neighbours");
	seen_add(&seen, 12, 12);
	IS(seen.count, 2, "a hole between two");
	seen_add(&seen, 11, 11);
	IS(seen.count, 1, "what fills the hole joins both sides");
	seen_add(&seen, 9, 9);
	seen_add(&seen, 13, 13);
	OK(seen.count == 1 && seen.ranges[0].first == 9 && seen.ranges[0].last == 13, "and both ends grow");
	seen_add(&seen, 10, 12);
	seen_add(&seen, 12, 11);
	OK(seen.count == 1 && seen.ranges[0].first == 9 && seen.ranges[0].last == 13, "what is inside changes nothing, nor does an empty range");
	seen_add(&seen, 20, 30);
	seen_add(&seen, 40, 50);
	seen_add(&seen, 25, 45);
	OK(seen.count == 2 && seen.ranges[1].first == 20 && seen.ranges[1].last == 50, "a range that overlaps two swallows both");
	seen_add(&seen, 1, 100);
	OK(seen.count == 1 && seen.ranges[0].first == 1 && seen.ranges[0].last == 100, "and one that covers all, all");
}

static void
test_limits(void)
{
	Seen		seen = {0};

	seen_add(&seen, INT64_MAX, INT64_MAX);
	seen_add(&seen, INT64_MAX - 2, INT64_MAX - 2);
	OK(seen_has(&seen, INT64_MAX) && !seen_has(&seen, INT64_MAX - 1) && seen_has(&seen, INT64_MAX - 2), "the largest ids");
	seen_add(&seen, INT64_MAX - 1, INT64_MAX);
	OK(seen.count == 1 && seen_has(&seen, INT64_MAX - 1), "join as others do");
	seen.floor = 7;
	seen_add(&seen, 3, 7);
	IS(seen.count, 1, "what is at or below the floor takes no place");
	seen_add(&seen, INT64_MIN, 9);
	OK(seen_has(&seen, 9) && !seen_has(&seen, 10) && is_tidy(&seen), "a range from below the floor counts for what is above");
}

/* All orders are the same to it: compared with a table of all ids. */
static void
test_any_order(void)
{
	static bool model[SPACE + 1];
	Seen		seen = {0};
	int			wrong = 0;

	for (int i = 0; i < 4000; i++)
	{
		int64_t		first = 1 + unit_random(SPACE);
		int64_t		last = first + unit_random(i % 10 == 0 ? 20 : 1);

		last = last < SPACE ? last : SPACE;
		seen_add(&seen, first, last);
		for (int64_t id = first; id <= last; id++)
		{
			model[id] = true;
		}
		if (i % 50 == 0)
		{
			for (int64_t id = 1; id <= SPACE; id++)
			{
				wrong += seen_has(&seen, id) != model[id];
			}
			wrong += !is_tidy(&seen);
		}
	}
	IS(wrong, 0, "4000 ids and ranges in any order: each is seen, no other is");
}

static void
test_thousands_of_holes(void)
{
	Seen		seen = {0};
	int			wrong = 0;

	for (int64_t i = 1; i <= MAX_RANGES; i++)
	{
		seen_add(&seen, 2 * i, 2 * i);
	}
	IS(seen.count, MAX_RANGES, "as many holes as there may be are kept");
	OK(!seen_has(&seen, 1) && !seen_has(&seen, 2 * MAX_RANGES - 1) && seen.floor == 0, "each of them open");
	seen_add(&seen, 2 * (MAX_RANGES + 1), 2 * (MAX_RANGES + 1));
	IS(seen.count, MAX_RANGES - MAX_RANGES / 4 + 1, "one more closes the oldest quarter");
	IS(seen.floor, 2 * (MAX_RANGES / 4), "up to the last id of that quarter");
	OK(seen_has(&seen, 1) && seen_has(&seen, MAX_RANGES / 2 - 1), "what was a hole there counts as seen");
	OK(!seen_has(&seen, seen.floor + 1) && !seen_has(&seen, 2 * MAX_RANGES + 1), "what is above stays open");
	for (int64_t i = 1; i <= MAX_RANGES + 1; i++)
	{
		wrong += !seen_has(&seen, 2 * i);
	}
	IS(wrong, 0, "and no id is lost");
	OK(is_tidy(&seen), "the ranges are in order");
}

int
main(void)
{
	unit_test("neighbours", test_neighbours);
	unit_test("limits", test_limits);
	unit_test("any order", test_any_order);
	unit_test("thousands of holes", test_thousands_of_holes);
	return unit_result();
}
