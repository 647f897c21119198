/*
 * src/calendar/moving.c
 *	  Where a day goes that a rule has chosen and that is closed.
 */
#include "base/josch.h"

#include "calendar/moving.h"

#include "utils/datetime.h"

/* The nearest open day on that side; -1 when there is none in the window. */
static int
nearest_open(const Moving *moving, int i, int side)
{
	while (i >= 0 && i < MOVING_DAYS)
	{
		if (JOSCH_BIT_IS_SET(moving->open, i))
		{
			return i;
		}
		i += side;
	}
	return -1;
}

static bool
is_same_month(const Moving *moving, int a, int b)
{
	int			year[2];
	int			month[2];
	int			day;

	j2date(moving->first + a + POSTGRES_EPOCH_JDATE, &year[0], &month[0], &day);
	j2date(moving->first + b + POSTGRES_EPOCH_JDATE, &year[1], &month[1], &day);
	return year[0] == year[1] && month[0] == month[1];
}

int
josch_moving_goal(const Moving *moving, int i)
{
	int			side = moving->move == CALENDAR_FOLLOWING || moving->move == CALENDAR_MODIFIED_FOLLOWING ? 1 : -1;
	int			goal = nearest_open(moving, i, side);

	if (moving->move >= CALENDAR_MODIFIED_FOLLOWING && (goal < 0 || !is_same_month(moving, i, goal)))
	{
		goal = nearest_open(moving, i, -side);
	}
	return goal;
}
