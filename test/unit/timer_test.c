/*
 * test/unit/timer_test.c
 *	  The next deadline of all runs: the earliest, whatever was changed before.
 */
#include "unit.h"

#define RUNS 300

static Run	runs[RUNS];

static int64_t
earliest_of(const Run *run)
{
	const int64_t deadlines[] = {run->timeout_boot, run->kill_boot, run->ready_boot, run->probe_kill_boot, run->watch_boot};
	int64_t		earliest = 0;

	for (int i = 0; i < 5; i++)
	{
		if (deadlines[i] != 0 && (earliest == 0 || deadlines[i] < earliest))
		{
			earliest = deadlines[i];
		}
	}
	return earliest;
}

static int64_t
earliest_of_all(void)
{
	int64_t		earliest = 0;

	for (int i = 0; i < RUNS; i++)
	{
		int64_t		its = earliest_of(&runs[i]);

		earliest = its != 0 && (earliest == 0 || its < earliest) ? its : earliest;
	}
	return earliest;
}

static void
set_some(Run *run)
{
	int64_t    *deadlines[] = {&run->timeout_boot, &run->kill_boot, &run->ready_boot, &run->probe_kill_boot, &run->watch_boot};

	for (int i = 0; i < 5; i++)
	{
		*deadlines[i] = unit_random(3) == 0 ? 1 + (int64_t) unit_random(10000) : 0;
	}
	timer_update(run);
}

static void
test_any_order(void)
{
	int			wrong = 0;
	int			left = 0;
	int64_t		before = 0;
	Run		   *run;

	for (int i = 0; i < RUNS; i++)
	{
		runs[i].heap_index = -1;
	}
	IS(timer_next(), 0, "nobody has a deadline: nothing to wait for");
	OK(timer_due(INT64_MAX) == NULL, "and nothing is due");
	for (int i = 0; i < 20000; i++)
	{
		set_some(&runs[unit_random(RUNS)]);
		wrong += timer_next() != earliest_of_all();
	}
	IS(wrong, 0, "20000 changes: the next deadline is always the earliest of all");
	for (int i = 0; i < RUNS; i++)
	{
		left += earliest_of(&runs[i]) != 0;
	}
	OK(timer_due(timer_next() - 1) == NULL, "before it nothing is due");
	while ((run = timer_due(10000)) != NULL)
	{
		wrong += run->wake_boot < before || run->wake_boot != earliest_of(run);
		before = run->wake_boot;
		run->timeout_boot = run->kill_boot = run->ready_boot = run->probe_kill_boot = run->watch_boot = 0;
		timer_update(run);
		left--;
		wrong += run->heap_index != -1;
	}
	IS(wrong, 0, "they come due in their order");
	IS(left, 0, "each of them once");
	IS(timer_next(), 0, "then there is nothing to wait for again");
}

static void
test_each_deadline(void)
{
	Run			run = {.heap_index = -1};
	int64_t    *deadlines[] = {&run.timeout_boot, &run.kill_boot, &run.ready_boot, &run.probe_kill_boot, &run.watch_boot};

	for (int i = 0; i < 5; i++)
	{
		*deadlines[i] = 1000 - i;
		timer_update(&run);
		IS(timer_next(), 1000 - i, "deadline %d counts", i);
	}
	OK(timer_due(996) == &run && timer_due(995) == NULL, "due at its moment, not before");
	for (int i = 0; i < 5; i++)
	{
		*deadlines[i] = 0;
	}
	timer_update(&run);
	OK(timer_next() == 0 && run.heap_index == -1, "without any it leaves");
	timer_update(&run);
	IS(timer_next(), 0, "and may be said to have none again");
}

int
main(void)
{
	unit_test("any order", test_any_order);
	unit_test("each deadline", test_each_deadline);
	return unit_result();
}
