/*
 * src/calendar/rule.c
 *	  Reads the rule of a calendar.
 *
 * A rule that is understood differently from what its writer meant closes a day
 * or opens one, and nobody notices for months.  So what is not known is refused,
 * each with its reason, and so is what could be read in two ways.
 */
#include "base/josch.h"

#include "calendar/rule.h"

#include "base/report.h"

#define MAX_INTERVAL 1000
#define MAX_RULE 1000

static const char *const frequency_names[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
static const char *const weekday_names[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

/* Days that each month has at most. */
static const int longest[13] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

typedef struct Parsing
{
	Rule	   *rule;
	const char *text;			/* the whole of it */
	char	   *name;			/* of the part at hand */
	uint32		seen;			/* the parts that were there, by their place in the list */
} Parsing;

pg_noreturn static void refuse(const Parsing *parsing, const char *reason);

static void
refuse(const Parsing *parsing, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid rule \"%s\"", josch_report_words(parsing->text)),
			 errdetail_internal("%s", josch_report_words(reason)),
			 errhint("A rule is written as FREQ=MONTHLY;BYDAY=2TU,-1FR or FREQ=MONTHLY;BYSETPOS=-1."),
			 err_generic_string(PG_DIAG_COLUMN_NAME, "rule")));
}

/* ---- values ---- */

/* A number of a list, not 0, at most "limit" in either direction. */
static int
take_number(const Parsing *parsing, char **p, int limit, bool may_be_negative)
{
	bool		negative = **p == '-';
	char	   *start = *p + (negative || **p == '+');
	int			n = 0;

	for (*p = start; **p >= '0' && **p <= '9' && n <= limit; (*p)++)
	{
		n = n * 10 + **p - '0';
	}
	if (*p == start || n == 0 || n > limit || (negative && !may_be_negative))
	{
		refuse(parsing, psprintf(may_be_negative ? "%s takes numbers from -%d to %d, without 0." : "%s takes numbers from %d to %d.", parsing->name,
								 may_be_negative ? limit : 1, limit));
	}
	return negative ? -n : n;
}

/* The list's next item begins; false when it is at its end. */
static bool
next_item(const Parsing *parsing, char **p)
{
	if (**p == '\0')
	{
		return false;
	}
	if (*(*p)++ != ',')
	{
		refuse(parsing, psprintf("The value of %s is not understood.", parsing->name));
	}
	return true;
}

static void
check_room(const Parsing *parsing, int n)
{
	if (n >= RULE_MAX_ITEMS)
	{
		refuse(parsing, psprintf("%s has more than %d items.", parsing->name, RULE_MAX_ITEMS));
	}
}

static void
read_frequency(Parsing *parsing, char *value)
{
	for (size_t i = 0; i < lengthof(frequency_names); i++)
	{
		if (pg_strcasecmp(value, frequency_names[i]) == 0)
		{
			parsing->rule->frequency = (RuleFrequency) i;
			return;
		}
	}
	refuse(parsing, "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY: a calendar is made of days.");
}

static void
read_interval(Parsing *parsing, char *value)
{
	parsing->rule->interval = take_number(parsing, &value, MAX_INTERVAL, false);
	if (*value != '\0')
	{
		refuse(parsing, "INTERVAL is one number.");
	}
}

static void
read_months(Parsing *parsing, char *value)
{
	do
	{
		parsing->rule->months |= 1U << take_number(parsing, &value, 12, false);
	} while (next_item(parsing, &value));
}

static void
read_month_days(Parsing *parsing, char *value)
{
	do
	{
		int			day = take_number(parsing, &value, 31, true);

		if (day > 0)
		{
			parsing->rule->month_days |= 1U << day;
		}
		else
		{
			parsing->rule->last_month_days |= 1U << -day;
		}
	} while (next_item(parsing, &value));
}

static void
read_weekday(Parsing *parsing, char **value)
{
	Rule	   *rule = parsing->rule;
	int			n = strchr("+-0123456789", **value) != NULL && **value != '\0' ? take_number(parsing, value, 53, true) : 0;

	for (size_t i = 0; i < lengthof(weekday_names); i++)
	{
		if (pg_strncasecmp(*value, weekday_names[i], 2) == 0)
		{
			*value += 2;
			if (n == 0)
			{
				rule->weekdays |= 1U << (i + 1);
				return;
			}
			check_room(parsing, rule->nnth);
			rule->nth[rule->nnth++] = (RuleNth) {.weekday = (int) i + 1,.n = n};
			return;
		}
	}
	refuse(parsing, "BYDAY takes MO, TU, WE, TH, FR, SA and SU, also with a number before it: 2TU, -1FR.");
}

static void
read_weekdays(Parsing *parsing, char *value)
{
	do
	{
		read_weekday(parsing, &value);
	} while (next_item(parsing, &value));
}

static void
read_positions(Parsing *parsing, char *value)
{
	Rule	   *rule = parsing->rule;

	do
	{
		check_room(parsing, rule->npositions);
		rule->positions[rule->npositions++] = take_number(parsing, &value, 366, true);
	} while (next_item(parsing, &value));
}

static void
read_week_start(Parsing *parsing, char *value)
{
	if (pg_strcasecmp(value, "MO") != 0)
	{
		refuse(parsing, "Weeks begin on Monday.");
	}
}

static void
refuse_end(Parsing *parsing, char *value)
{
	refuse(parsing, psprintf("A calendar does not end, so there is no %s; its known_until says how far it is vouched for.", parsing->name));
}

static void
refuse_time(Parsing *parsing, char *value)
{
	refuse(parsing, psprintf("A calendar is made of days, so there is no %s.", parsing->name));
}

static void
refuse_numbering(Parsing *parsing, char *value)
{
	refuse(parsing, psprintf("%s is not taken: days are counted within weeks, months and years by BYDAY, BYMONTHDAY and BYSETPOS.", parsing->name));
}

/* ---- parts ---- */

typedef struct PartReader
{
	const char *name;
	void		(*read) (Parsing *parsing, char *value);
} PartReader;

enum
{
	FREQ, INTERVAL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS
};

static const PartReader parts[] = {
	[FREQ] = {"FREQ", read_frequency}, [INTERVAL] = {"INTERVAL", read_interval}, [BYMONTH] = {"BYMONTH", read_months},
	[BYMONTHDAY] = {"BYMONTHDAY", read_month_days}, [BYDAY] = {"BYDAY", read_weekdays}, [BYSETPOS] = {"BYSETPOS", read_positions},
	{"WKST", read_week_start}, {"COUNT", refuse_end}, {"UNTIL", refuse_end}, {"BYHOUR", refuse_time}, {"BYMINUTE", refuse_time},
	{"BYSECOND", refuse_time}, {"BYWEEKNO", refuse_numbering}, {"BYYEARDAY", refuse_numbering}
};

static bool
has(const Parsing *parsing, int part)
{
	return (parsing->seen & (1U << part)) != 0;
}

static void
read_part(Parsing *parsing, char *part)
{
	char	   *value = strchr(part, '=');

	if (value == NULL)
	{
		refuse(parsing, psprintf("\"%s\" is not of the form NAME=VALUE.", part));
	}
	*value++ = '\0';
	for (size_t i = 0; i < lengthof(parts); i++)
	{
		if (pg_strcasecmp(part, parts[i].name) == 0)
		{
			parsing->name = part;
			if (has(parsing, i))
			{
				refuse(parsing, psprintf("%s comes twice.", part));
			}
			parsing->seen |= 1U << i;
			parts[i].read(parsing, value);
			return;
		}
	}
	refuse(parsing, psprintf("\"%s\" is not known; there are FREQ, INTERVAL, BYMONTH, BYMONTHDAY, BYDAY and BYSETPOS.", part));
}

/* ---- the whole ---- */

/* Whether some month that the rule lets pass has one of its days. */
static bool
has_some_day(const Rule *rule)
{
	for (int month = 1; month <= 12; month++)
	{
		uint32		days = (UINT64CONST(2) << longest[month]) - 1;	/* bits 0 to the last day */

		if ((rule->months == 0 || (rule->months & (1U << month))) &&
			((rule->month_days | rule->last_month_days) & days) != 0)
		{
			return true;
		}
	}
	return false;
}

static void
check_numbers(const Parsing *parsing)
{
	const Rule *rule = parsing->rule;
	int			most = rule->frequency == RULE_YEARLY && !has(parsing, BYMONTH) ? 53 : 5;

	if (rule->nnth > 0 && rule->frequency < RULE_MONTHLY)
	{
		refuse(parsing, "BYDAY with numbers is for FREQ=MONTHLY and FREQ=YEARLY.");
	}
	for (int i = 0; i < rule->nnth; i++)
	{
		if (abs(rule->nth[i].n) > most)
		{
			refuse(parsing, psprintf("No month has a %d%s.", rule->nth[i].n, weekday_names[rule->nth[i].weekday - 1]));
		}
	}
}

static void
check_whole(const Parsing *parsing)
{
	const Rule *rule = parsing->rule;

	if (!has(parsing, FREQ))
	{
		refuse(parsing, "FREQ is missing.");
	}
	if (rule->frequency == RULE_WEEKLY && has(parsing, BYMONTHDAY))
	{
		refuse(parsing, "BYMONTHDAY is not for FREQ=WEEKLY.");
	}
	if (rule->frequency == RULE_DAILY && has(parsing, BYSETPOS))
	{
		refuse(parsing, "BYSETPOS is not for FREQ=DAILY.");
	}
	if (rule->frequency != RULE_DAILY && !has(parsing, BYDAY) && !has(parsing, BYMONTHDAY) && !has(parsing, BYSETPOS))
	{
		refuse(parsing, "Which day of the period is meant, BYDAY, BYMONTHDAY or BYSETPOS has to say; every day is FREQ=DAILY.");
	}
	check_numbers(parsing);
	if (has(parsing, BYMONTHDAY) && !has_some_day(rule))
	{
		refuse(parsing, "No month has such a day.");
	}
}

void
josch_rule_parse(Rule *rule, const char *text)
{
	Parsing		parsing = {.rule = rule,.text = text};
	char	   *copy;
	char	   *next;

	*rule = (Rule) {.interval = 1};
	if (strlen(text) > MAX_RULE)
	{
		parsing.text = "...";
		refuse(&parsing, psprintf("It is longer than %d bytes.", MAX_RULE));
	}
	copy = pstrdup(text);
	for (char *part = copy; part != NULL; part = next)
	{
		next = strchr(part, ';');
		if (next != NULL)
		{
			*next++ = '\0';
		}
		read_part(&parsing, part);
	}
	check_whole(&parsing);
	pfree(copy);
}
