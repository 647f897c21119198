/*
 * src/calendar/calendar.c
 *	  A business calendar, compiled to bitmaps.
 *
 * For a date, the last that speaks wins: first the weekdays, those of another
 * calendar's open days where it is "of" one, and of these what the rule chooses;
 * then the parts, in their order; then the dates that somebody has named.
 *
 * A block is compiled when it is first asked for.  An error on the way leaves it as
 * it was, so that it is compiled the next time.
 */
#include "base/josch.h"

#include "calendar/calendar.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include "calendar/moving.h"

/* Nothing repeats later than the calendar itself does: 400 years have a whole number of weeks. */
#define EMPTY_BLOCKS (400 * 365.2425 / CALENDAR_BLOCK_DAYS + 1)

static CalendarBlock *compiled_block(Calendar *calendar, int number);

static DateADT
first_date(void)
{
	return date2j(JOSCH_FIRST_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE;
}

static DateADT
last_date(void)
{
	return date2j(JOSCH_LAST_YEAR, 12, 31) - POSTGRES_EPOCH_JDATE;
}

bool
josch_calendar_has_date(DateADT date)
{
	return date >= first_date() && date <= last_date();
}

static DateADT
start_of_block(int number)
{
	return first_date() + number * CALENDAR_BLOCK_DAYS;
}

int
josch_calendar_block_of(DateADT date)
{
	return (date - first_date()) / CALENDAR_BLOCK_DAYS;
}

static CalendarBlock *
find_block(Calendar *calendar, int number)
{
	CalendarBlock **page = &calendar->pages[number / CALENDAR_PAGE_BLOCKS];

	if (*page == NULL)
	{
		*page = MemoryContextAllocZero(calendar->context, sizeof(CalendarBlock) * CALENDAR_PAGE_BLOCKS);
	}
	return &(*page)[number % CALENDAR_PAGE_BLOCKS];
}

/* ---- the base: weekdays, of another calendar's open days ---- */

static void
set_base(Calendar *calendar, int number, uint64 *bits)
{
	DateADT		first = start_of_block(number);
	int			weekday = josch_rule_weekday(first);
	int			ndays = Min(CALENDAR_BLOCK_DAYS, last_date() - first + 1);

	memset(bits, 0, sizeof(uint64) * CALENDAR_BLOCK_WORDS);
	if (number < 0 || number >= CALENDAR_BLOCKS)
	{
		return;
	}
	for (int i = 0; i < ndays; i++)
	{
		if (calendar->weekdays & (1 << weekday))
		{
			JOSCH_BIT_SET(bits, i);
		}
		weekday = weekday % 7 + 1;
	}
	if (calendar->of != NULL)
	{
		const uint64 *of = compiled_block(calendar->of, number)->open;

		for (int i = 0; i < CALENDAR_BLOCK_WORDS; i++)
		{
			bits[i] &= of[i];
		}
	}
}

static int
count_bits(const uint64 *bits)
{
	int			n = 0;

	for (int i = 0; i < CALENDAR_BLOCK_WORDS; i++)
	{
		n += pg_popcount64(bits[i]);
	}
	return n;
}

static int
count_base(Calendar *calendar, int number)
{
	uint64		bits[CALENDAR_BLOCK_WORDS];

	set_base(calendar, number, bits);
	return count_bits(bits);
}

/* ---- the rule ---- */

static void
begin_ranks(Calendar *calendar)
{
	int			number = josch_calendar_block_of(calendar->origin);
	int			before = calendar->origin - start_of_block(number);
	uint64		bits[CALENDAR_BLOCK_WORDS];

	set_base(calendar, number, bits);
	for (int i = before; i < CALENDAR_BLOCK_DAYS; i++)
	{
		JOSCH_BIT_CLEAR(bits, i);
	}
	find_block(calendar, number)->rank = -count_bits(bits);
	calendar->first_ranked = calendar->last_ranked = number;
	calendar->ranked = true;
}

/* How many base days there are from the origin to the block, from block to block. */
static int32
rank_of(Calendar *calendar, int number)
{
	number = Max(0, Min(number, CALENDAR_BLOCKS - 1));
	if (!calendar->ranked)
	{
		begin_ranks(calendar);
	}
	while (calendar->last_ranked < number)
	{
		int			last = calendar->last_ranked;

		CHECK_FOR_INTERRUPTS();
		find_block(calendar, last + 1)->rank = find_block(calendar, last)->rank + count_base(calendar, last);
		calendar->last_ranked++;
	}
	while (calendar->first_ranked > number)
	{
		int			first = calendar->first_ranked;

		CHECK_FOR_INTERRUPTS();
		find_block(calendar, first - 1)->rank = find_block(calendar, first)->rank - count_base(calendar, first - 1);
		calendar->first_ranked--;
	}
	return find_block(calendar, number)->rank;
}

/* The base of a block and of its neighbours. */
static void
set_window(Calendar *calendar, int number, uint64 *window)
{
	for (int i = 0; i < MOVING_BLOCKS; i++)
	{
		set_base(calendar, number - 1 + i, window + i * CALENDAR_BLOCK_WORDS);
	}
}

/* The base days that the rule chooses. */
static void
choose(Calendar *calendar, int number, uint64 *bits)
{
	uint64		window[MOVING_WORDS];
	DateADT		first = start_of_block(number);
	RuleCandidates candidates = {.first = start_of_block(number - 1),.ndays = MOVING_DAYS,.bits = window};

	set_window(calendar, number, window);
	if (calendar->rule.frequency == RULE_DAILY && calendar->rule.interval > 1)
	{
		candidates.rank = rank_of(calendar, number - 1);
	}
	memset(bits, 0, sizeof(uint64) * CALENDAR_BLOCK_WORDS);
	josch_rule_choose(&calendar->rule, calendar->origin, &candidates, first, first + CALENDAR_BLOCK_DAYS - 1, bits);
}

/* ---- moving ---- */

void
josch_calendar_set_moving(Calendar *calendar, int number, Moving *moving)
{
	RuleCandidates all = {.bits = NULL};

	*moving = (Moving)
	{
		.move = calendar->move,.first = start_of_block(number - 1)
	};
	set_window(calendar, number, moving->open);
	josch_rule_choose(&calendar->rule, calendar->origin, &all, moving->first, moving->first + MOVING_DAYS - 1, moving->chosen);
}

static void
choose_and_move(Calendar *calendar, int number, uint64 *bits)
{
	Moving		moving;

	josch_calendar_set_moving(calendar, number, &moving);
	memset(bits, 0, sizeof(uint64) * CALENDAR_BLOCK_WORDS);
	for (int i = 0; i < MOVING_DAYS; i++)
	{
		int			goal = JOSCH_BIT_IS_SET(moving.chosen, i) ? josch_moving_goal(&moving, i) - CALENDAR_BLOCK_DAYS : -1;

		if (goal >= 0 && goal < CALENDAR_BLOCK_DAYS)
		{
			JOSCH_BIT_SET(bits, goal);
		}
	}
}

/* ---- a block ---- */

static void
apply_part(const CalendarPart *part, int number, uint64 *bits)
{
	const uint64 *other = compiled_block(part->calendar, number)->open;

	for (int i = 0; i < CALENDAR_BLOCK_WORDS; i++)
	{
		switch (part->operation)
		{
			case CALENDAR_AND:
				bits[i] &= other[i];
				break;
			case CALENDAR_OR:
				bits[i] |= other[i];
				break;
			case CALENDAR_NOT:
				bits[i] &= ~other[i];
				break;
		}
	}
}

int
josch_calendar_holiday(const Calendar *calendar, DateADT date)
{
	int			low = 0;
	int			high = calendar->nholidays;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (calendar->holidays[middle].date < date)
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

static void
apply_holidays(const Calendar *calendar, int number, uint64 *bits)
{
	DateADT		first = start_of_block(number);

	for (int i = josch_calendar_holiday(calendar, first); i < calendar->nholidays; i++)
	{
		int			day = calendar->holidays[i].date - first;

		if (day >= CALENDAR_BLOCK_DAYS)
		{
			return;
		}
		if (calendar->holidays[i].open)
		{
			JOSCH_BIT_SET(bits, day);
		}
		else
		{
			JOSCH_BIT_CLEAR(bits, day);
		}
	}
}

static void
compile(Calendar *calendar, int number, CalendarBlock *block)
{
	uint64		bits[CALENDAR_BLOCK_WORDS];

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (calendar->rule_text == NULL)
	{
		set_base(calendar, number, bits);
	}
	else if (calendar->move == CALENDAR_DROP)
	{
		choose(calendar, number, bits);
	}
	else
	{
		choose_and_move(calendar, number, bits);
	}
	for (int i = 0; i < calendar->nparts; i++)
	{
		apply_part(&calendar->parts[i], number, bits);
	}
	apply_holidays(calendar, number, bits);
	memcpy(block->open, bits, sizeof(bits));
	block->count = count_bits(bits);
	block->compiled = true;
}

static CalendarBlock *
compiled_block(Calendar *calendar, int number)
{
	CalendarBlock *block = find_block(calendar, number);

	if (!block->compiled)
	{
		compile(calendar, number, block);
	}
	return block;
}

/* ---- what is asked ---- */

bool
josch_calendar_is_open(Calendar *calendar, DateADT date)
{
	int			number = josch_calendar_block_of(date);

	return JOSCH_BIT_IS_SET(compiled_block(calendar, number)->open, date - start_of_block(number));
}

/* The place of the k-th bit from the start of the words, or from their end, from 1 on; there are so many. */
static int
place_of(const uint64 *bits, int k, bool from_end)
{
	int			word = from_end ? CALENDAR_BLOCK_WORDS - 1 : 0;
	uint64		rest;

	while (pg_popcount64(bits[word]) < k)
	{
		k -= pg_popcount64(bits[word]);
		word += from_end ? -1 : 1;
	}
	for (rest = bits[word]; k > 1; k--)
	{
		rest &= from_end ? ~(UINT64CONST(1) << pg_leftmost_one_pos64(rest)) : rest - 1;
	}
	return word * 64 + (from_end ? pg_leftmost_one_pos64(rest) : pg_rightmost_one_pos64(rest));
}

/* Leaves of a block what is strictly after that place in it, or before. */
static void
keep_one_side(uint64 *bits, int place, bool before)
{
	for (int i = 0; i < CALENDAR_BLOCK_WORDS; i++)
	{
		int			here = place - i * 64;	/* bits below it are before the place */
		uint64		below = here <= 0 ? 0 : here >= 64 ? ~UINT64CONST(0) : (UINT64CONST(1) << here) - 1;

		bits[i] &= before ? below : ~below & ~(here >= 0 && here < 64 ? UINT64CONST(1) << here : 0);
	}
}

/* The k-th open day strictly after the date, or before it. */
static bool
step(Calendar *calendar, DateADT date, int64 k, bool before, DateADT *result)
{
	int			number = josch_calendar_block_of(date);
	int			empty = 0;
	CalendarBlock block = *compiled_block(calendar, number);

	keep_one_side(block.open, date - start_of_block(number), before);
	block.count = count_bits(block.open);
	while (block.count < k)
	{
		empty = block.count == 0 ? empty + 1 : 0;
		k -= block.count;
		number += before ? -1 : 1;
		if (empty > EMPTY_BLOCKS || number < 0 || number >= CALENDAR_BLOCKS)
		{
			return false;
		}
		block = *compiled_block(calendar, number);
	}
	*result = start_of_block(number) + place_of(block.open, k, before);
	return true;
}

bool
josch_calendar_step(Calendar *calendar, DateADT date, int32 n, DateADT *result)
{
	if (n == 0 && josch_calendar_is_open(calendar, date))
	{
		*result = date;
		return true;
	}
	return step(calendar, date, n == 0 ? 1 : (n < 0 ? -(int64) n : n), n < 0, result);
}
