/*
 * src/runner/timer.c
 *	  The next deadline of all runs, in a binary heap.
 *
 * There is one timer for everything: an idle runner has none armed and is
 * never woken.
 */
#include "runner.h"

static Run **heap;
static int	heap_size;
static int	heap_capacity;

static void
put(int i, Run *run)
{
	heap[i] = run;
	run->heap_index = i;
}

static void
sift_up(int i, Run *run)
{
	while (i > 0 && heap[(i - 1) / 2]->wake_boot > run->wake_boot)
	{
		put(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(i, run);
}

static void
sift_down(int i, Run *run)
{
	for (;;)
	{
		int			child = 2 * i + 1;

		if (child + 1 < heap_size && heap[child + 1]->wake_boot < heap[child]->wake_boot)
		{
			child++;
		}
		if (child >= heap_size || heap[child]->wake_boot >= run->wake_boot)
		{
			break;
		}
		put(i, heap[child]);
		i = child;
	}
	put(i, run);
}

static void
leave_heap(Run *run)
{
	int			i = run->heap_index;
	Run		   *last = heap[--heap_size];

	run->heap_index = -1;
	if (last != run)
	{
		sift_up(i, last);
		sift_down(last->heap_index, last);
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

/* Puts the run where its deadlines say.  To be called after each change of one. */
void
timer_update(Run *run)
{
	int64_t		wake = earlier(earlier(run->timeout_boot, run->kill_boot),
							   earlier(run->ready_boot, run->probe_kill_boot));

	wake = earlier(wake, earlier(earlier(run->watch_boot, run->attach_boot), earlier(run->trim_boot, run->report_boot)));
	wake = earlier(wake, run->tell_boot);
	if (run->heap_index >= 0)
	{
		leave_heap(run);
	}
	run->wake_boot = wake;
	if (wake == 0)
	{
		return;
	}
	if (heap_size == heap_capacity)
	{
		heap_capacity = heap_capacity ? heap_capacity * 2 : 64;
		heap = xrealloc(heap, (size_t) heap_capacity * sizeof(Run *));
	}
	sift_up(heap_size++, run);
}

/* The run whose deadline is the next, if it is not after `now`. */
Run *
timer_due(int64_t now)
{
	return heap_size > 0 && heap[0]->wake_boot <= now ? heap[0] : NULL;
}

/* 0: nothing to wait for. */
int64_t
timer_next(void)
{
	return heap_size > 0 ? heap[0]->wake_boot : 0;
}
