/*
 * src/run/limits.c
 *	  Which of the nodes that have limits starts next, and why another does not.
 */
#include "base/josch.h"

#include "run/limits.h"

/* What a later complaint would hide: the one that time alone does not heal is told first. */
static LimitAnswer
answer_of(const LimitNeed *need)
{
	const LimitPool *pool = need->pool;
	int64		free = need->capacity - pool->used;

	if (!pool->there)
	{
		return LIMIT_NEVER_FITS;
	}
	if (need->units > need->capacity)
	{
		return need->capacity == 0 ? LIMIT_CLOSED : LIMIT_NEVER_FITS;
	}
	if (pool->paused)
	{
		return LIMIT_PAUSED;
	}
	if (need->units > free)
	{
		return LIMIT_TAKEN;
	}
	return need->units > free - pool->kept ? LIMIT_KEPT : LIMIT_FITS;
}

LimitVerdict
josch_limits_judge(const LimitNeed *needs, int n)
{
	LimitVerdict verdict = {LIMIT_FITS, NULL};

	for (int i = 0; i < n; i++)
	{
		LimitAnswer answer = answer_of(&needs[i]);

		if (answer != LIMIT_FITS && (verdict.answer == LIMIT_FITS || answer < verdict.answer))
		{
			verdict = (LimitVerdict) {answer, &needs[i]};
		}
	}
	return verdict;
}

void
josch_limits_take(const LimitNeed *needs, int n)
{
	for (int i = 0; i < n; i++)
	{
		needs[i].pool->used += needs[i].units;
	}
}

int64
josch_limits_rank(TimestampTz since, int priority, int aging_seconds)
{
	return since - priority * (aging_seconds * USECS_PER_SEC);
}

static bool
is_before(const LimitHead *a, const LimitHead *b)
{
	return a->rank != b->rank ? a->rank < b->rank : josch_node_key_compare(a->key, b->key) < 0;
}

/* So many are looked for one by one; where none of them can start, the others are put in order first. */
#define FEW 32

static int
compare_heads(const void *a, const void *b, void *argument)
{
	const LimitHead *heads = argument;
	const LimitHead *x = &heads[*(const int *) a];
	const LimitHead *y = &heads[*(const int *) b];

	return is_before(x, y) ? -1 : is_before(y, x) ? 1 : 0;
}

/* Those whose groups are not over, in their order. */
static int *
line_up(LimitHead *heads, int n, int *left)
{
	int		   *order = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);

	*left = 0;
	for (int i = 0; i < n; i++)
	{
		if (!heads[i].over)
		{
			order[(*left)++] = i;
		}
	}
	qsort_arg(order, *left, sizeof(int), compare_heads, heads);
	return order;
}

static int
first_of(const LimitHead *heads, int n)
{
	int			first = -1;

	for (int i = 0; i < n; i++)
	{
		if (!heads[i].over && (first < 0 || is_before(&heads[i], &heads[first])))
		{
			first = i;
		}
	}
	return first;
}

/*
 * All that it needs, not only what it lacks: else each could be taken by others while it
 * waits for the other.  Of a semaphore for one at a time.
 */
static void
keep(const LimitHead *head)
{
	for (int i = 0; i < head->nneeds; i++)
	{
		if (head->needs[i].pool->kept > 0)
		{
			return;
		}
	}
	for (int i = 0; i < head->nneeds; i++)
	{
		head->needs[i].pool->kept = head->needs[i].units;
		head->needs[i].pool->keeper = head->key;
	}
}

/* Whether it starts; if not, it is over, and may have what it needs kept. */
static bool
can_start(LimitHead *head, TimestampTz now, int reserve_seconds, bool (*has_place) (void *argument, const LimitHead *head), void *argument)
{
	head->verdict = josch_limits_judge(head->needs, head->nneeds);
	head->placeless = head->verdict.answer == LIMIT_FITS && has_place != NULL && !has_place(argument, head);
	if (head->verdict.answer == LIMIT_FITS && !head->placeless)
	{
		return true;
	}
	head->over = true;
	if ((head->verdict.answer == LIMIT_TAKEN || head->verdict.answer == LIMIT_KEPT) &&
		now - head->since > reserve_seconds * USECS_PER_SEC)
	{
		keep(head);
	}
	return false;
}

int
josch_limits_next(LimitHead *heads, int n, TimestampTz now, int reserve_seconds,
				  bool (*has_place) (void *argument, const LimitHead *head), void *argument)
{
	int		   *order;
	int			left;
	int			next = -1;
	int			i = 0;

	for (int few = 0; few < FEW && (i = first_of(heads, n)) >= 0; few++)
	{
		if (can_start(&heads[i], now, reserve_seconds, has_place, argument))
		{
			return i;
		}
	}
	if (i < 0)
	{
		return -1;
	}
	order = line_up(heads, n, &left);
	for (int at = 0; at < left && next < 0; at++)
	{
		next = can_start(&heads[order[at]], now, reserve_seconds, has_place, argument) ? order[at] : -1;
	}
	pfree(order);
	return next;
}
