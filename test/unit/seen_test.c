/*
 * test/unit/seen_test.c
 *	  The runs that were forgotten: none is lost, none is invented, and a number is none.
 */
#include "unit.h"

#define SPACE 300
#define NONCES 4
#define MAX_SEEN 16384			/* of seen.c */

static JoschRunKey
key(int64_t run_id, int64_t nonce)
{
	return (JoschRunKey) {run_id, nonce};
}

/* Whether the runs are as they must be: ascending, each once, above the floor. */
static bool
is_tidy(const Seen *seen)
{
	for (int i = 0; i < seen->count; i++)
	{
		const JoschRunKey *run = &seen->keys[i];

		if (run->run_id <= seen->floor || (i > 0 && (run[-1].run_id > run->run_id ||
													 (run[-1].run_id == run->run_id && run[-1].nonce >= run->nonce))))
		{
			return false;
		}
	}
	return true;
}

static void
test_number_and_nonce(void)
{
	Seen		seen = {0};

	OK(!seen_has(&seen, key(1, 1)) && seen_has(&seen, key(0, 1)) && seen_has(&seen, key(-5, 1)), "nothing is seen at first, and no number is below 1");
	seen_add(&seen, key(10, 77));
	OK(seen_has(&seen, key(10, 77)), "a run");
	OK(!seen_has(&seen, key(9, 77)) && !seen_has(&seen, key(11, 77)), "and not its neighbours");
	OK(!seen_has(&seen, key(10, 76)) && !seen_has(&seen, key(10, -77)), "nor another one of its number");
	seen_add(&seen, key(10, 77));
	IS(seen.count, 1, "once is enough");
	seen_add(&seen, key(10, 76));
	seen_add(&seen, key(10, INT64_MIN));
	seen_add(&seen, key(10, INT64_MAX));
	OK(seen.count == 4 && is_tidy(&seen) && seen_has(&seen, key(10, INT64_MIN)) && seen_has(&seen, key(10, 77)), "several of one number");
	seen_add(&seen, key(INT64_MAX, 1));
	OK(seen_has(&seen, key(INT64_MAX, 1)) && !seen_has(&seen, key(INT64_MAX, 2)), "the largest number");
	seen.floor = 7;
	seen_add(&seen, key(7, 1));
	OK(seen.count == 5 && seen_has(&seen, key(7, 1)) && seen_has(&seen, key(7, 2)), "what is at or below the floor takes no place");
}

/* All orders are the same to it: compared with a table of all that there can be. */
static void
test_any_order(void)
{
	static bool model[SPACE + 1][NONCES];
	Seen		seen = {0};
	int			wrong = 0;

	for (int i = 0; i < 2000; i++)
	{
		int64_t		run_id = 1 + unit_random(SPACE);
		int64_t		nonce = unit_random(NONCES);

		seen_add(&seen, key(run_id, nonce - 2));
		model[run_id][nonce] = true;
		for (int64_t there = 1; i % 50 == 0 && there <= SPACE; there++)
		{
			for (int n = 0; n < NONCES; n++)
			{
				wrong += seen_has(&seen, key(there, n - 2)) != model[there][n];
			}
		}
		wrong += !is_tidy(&seen);
	}
	IS(wrong, 0, "2000 runs in any order: each is seen, no other is");
}

static void
test_thousands(void)
{
	Seen		seen = {0};
	int			wrong = 0;

	for (int64_t i = 1; i <= MAX_SEEN; i++)
	{
		seen_add(&seen, key(2 * i, i));
	}
	OK(seen.count == MAX_SEEN && seen.floor == 0 && !seen_has(&seen, key(1, 1)), "so many are kept, each by itself");
	seen_add(&seen, key(2 * (MAX_SEEN + 1), MAX_SEEN + 1));
	IS(seen.count, MAX_SEEN - MAX_SEEN / 4 + 1, "one more takes the place of the oldest quarter");
	IS(seen.floor, 2 * (MAX_SEEN / 4), "up to its last number");
	OK(seen_has(&seen, key(1, 1)) && seen_has(&seen, key(2, 99)), "what is as old as that counts as seen");
	OK(!seen_has(&seen, key(seen.floor + 1, 1)) && !seen_has(&seen, key(seen.floor + 2, 1)), "what is newer stays open");
	for (int64_t i = 1; i <= MAX_SEEN + 1; i++)
	{
		wrong += !seen_has(&seen, key(2 * i, i));
	}
	IS(wrong, 0, "and no run is lost");
	OK(is_tidy(&seen), "all in order");
}

/* All of one number are on the same side of the floor. */
static void
test_floor_between(void)
{
	Seen		seen = {0};

	for (int64_t i = 1; i <= MAX_SEEN + 1; i++)
	{
		seen_add(&seen, key(i / 10 + 1, i));
	}
	OK(seen.keys[0].run_id == seen.floor + 1 && is_tidy(&seen), "no number is cut in two");
}

int
main(void)
{
	unit_test("number and nonce", test_number_and_nonce);
	unit_test("any order", test_any_order);
	unit_test("thousands", test_thousands);
	unit_test("a floor between", test_floor_between);
	return unit_result();
}
