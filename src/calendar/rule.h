/*
 * src/calendar/rule.h
 *	  Which days a rule chooses: a subset of RFC 5545.
 *
 *	FREQ=DAILY|WEEKLY|MONTHLY|YEARLY		the period
 *	INTERVAL=2								every second period, counted from an origin
 *	BYMONTH=3,6,9,12
 *	BYMONTHDAY=15,-1						-1 is the last day of the month
 *	BYDAY=MO,2TU,-1FR						numbers: within the month, or the year without BYMONTH
 *	BYSETPOS=1,-1							of the days of each period that are left; -1 is the last
 *
 * Weeks begin on Monday.  Pure: no table.
 */
#ifndef JOSCH_RULE_H
#define JOSCH_RULE_H

#include "base/josch.h"

/* Of a list in a rule. */
#define RULE_MAX_ITEMS 100

typedef enum RuleFrequency
{
	RULE_DAILY, RULE_WEEKLY, RULE_MONTHLY, RULE_YEARLY
} RuleFrequency;

/* The n-th such day of a month or year, from its end when n is below 0. */
typedef struct RuleNth
{
	int			weekday;		/* ISO: 1 is Monday */
	int			n;
} RuleNth;

typedef struct Rule
{
	RuleFrequency frequency;
	int			interval;
	uint32		months;			/* bit 1 is January; 0: all */
	uint32		month_days;		/* bit 1 is the first */
	uint32		last_month_days;	/* bit 1 is the last, bit 2 the one before */
	uint32		weekdays;		/* each of them; bit 1 is Monday */
	int			nnth;
	RuleNth		nth[RULE_MAX_ITEMS];
	int			npositions;
	int			positions[RULE_MAX_ITEMS];
} Rule;

/* Reads a rule; what it cannot mean is an ERROR with the reason. */
extern void josch_rule_parse(Rule *rule, const char *text);

/* The days among which a rule chooses: those whose bits are set, or all. */
typedef struct RuleCandidates
{
	DateADT		first;			/* that of the first bit */
	int			ndays;
	const uint64 *bits;			/* NULL: all days */
	int64		rank;			/* of the first day: how many candidates there are from the origin to it; below 0 when it is before */
} RuleCandidates;

/*
 * Sets the bits of the days that the rule chooses: bit 0 is "from".  The bits of candidates have to
 * cover a year before and after.
 */
extern void josch_rule_choose(const Rule *rule, DateADT origin, const RuleCandidates *candidates,
							  DateADT from, DateADT to, uint64 *chosen);

#define JOSCH_BIT_SET(bits, i) ((bits)[(i) >> 6] |= UINT64CONST(1) << ((i) & 63))
#define JOSCH_BIT_CLEAR(bits, i) ((bits)[(i) >> 6] &= ~(UINT64CONST(1) << ((i) & 63)))
#define JOSCH_BIT_IS_SET(bits, i) (((bits)[(i) >> 6] >> ((i) & 63)) & 1)

/* ISO: 1 is Monday. */
extern int	josch_rule_weekday(DateADT date);

#endif							/* JOSCH_RULE_H */
