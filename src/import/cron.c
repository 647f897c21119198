/*
 * src/import/cron.c
 *	  Expressions of cron, read as crond reads them.
 */
#include "base/josch.h"

#include "import/cron.h"

#include <ctype.h>

#include "lib/stringinfo.h"

#define BLANKS " \t"

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const struct
{
	const char *name;
	const char *fields;
}			nicknames[] = {
	{"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
	{"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}
};

typedef struct Field
{
	const char *name;
	int			low;
	int			high;
	const char *const *names;	/* NULL: numbers only */
	int			nnames;
	int			first_name;		/* the number of the first */
} Field;

static const Field fields[] = {
	{"minute", 0, 59}, {"hour", 0, 23}, {"day of the month", 1, 31},
	{"month", 1, 12, month_names, 12, 1}, {"day of the week", 0, 7, day_names, 7, 0}
};

/* A number or a name at the place, which is moved behind it; -1: there is none. */
static int
take_number(const Field *field, const char **at)
{
	int			value = 0;

	if (isdigit((unsigned char) **at))
	{
		while (isdigit((unsigned char) **at) && value < 1000)
		{
			value = value * 10 + *(*at)++ - '0';
		}
		return value;
	}
	for (int i = 0; i < field->nnames; i++)
	{
		if (pg_strncasecmp(*at, field->names[i], 3) == 0)
		{
			*at += 3;
			return field->first_name + i;
		}
	}
	return -1;
}

/* "*", "5", "1-5", each but the second with "/2"; false when it is none of them. */
static bool
take_range(const Field *field, const char **at, bool *set)
{
	int			from = field->low;
	int			to = field->high;
	int			step = 1;
	bool		is_range = true;

	if (**at == '*')
	{
		(*at)++;
	}
	else
	{
		from = to = take_number(field, at);
		is_range = **at == '-';
		if (is_range)
		{
			(*at)++;
			to = take_number(field, at);
		}
	}
	if (**at == '/' && is_range)
	{
		(*at)++;
		step = isdigit((unsigned char) **at) ? take_number(field, at) : 0;
	}
	if (from < field->low || to > field->high || to < from || step < 1)
	{
		return false;
	}
	for (int i = from; i <= to; i += step)
	{
		set[i] = true;
	}
	return true;
}

static char *
parse_field(const Field *field, const char *text, bool *set)
{
	const char *at = text;

	for (;;)
	{
		if (!take_range(field, &at, set))
		{
			break;
		}
		if (*at == '\0')
		{
			return NULL;
		}
		if (*at++ != ',')
		{
			break;
		}
	}
	return psprintf("\"%s\" is no %s", text, field->name);
}

/* "5/10" of pg_timetable: from 5 to the last, each tenth; crond would have it refused.  Any other text as it is. */
static const char *
range_written_out(const Field *field, const char *text)
{
	StringInfoData out;
	char	   *rest = pstrdup(text);
	char	   *part;

	initStringInfo(&out);
	while ((part = strsep(&rest, ",")) != NULL)
	{
		int			digits = strspn(part, "0123456789");

		appendStringInfoString(&out, out.len > 0 ? "," : "");
		if (digits > 0 && part[digits] == '/')
		{
			appendStringInfo(&out, "%.*s-%d%s", digits, part, field->high, part + digits);
		}
		else
		{
			appendStringInfoString(&out, part);
		}
	}
	return out.data;
}

/* "30 seconds", from 1 to 59: of pg_cron. */
static bool
parse_seconds(const char *text, Cron *cron)
{
	char	   *end;
	long		value = strtol(text, &end, 10);

	end += strspn(end, BLANKS);
	if (end == text || value < 1 || value > 59 ||
		(pg_strcasecmp(end, "seconds") != 0 && pg_strcasecmp(end, "second") != 0))
	{
		return false;
	}
	cron->seconds = (int) value;
	return true;
}

static int
days_of_month(int month)
{
	return month == 2 ? 29 : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Whether a month has one of the days of the month: February has no 30th. */
bool
josch_cron_has_a_day(const Cron *cron)
{
	for (int month = 1; month <= 12; month++)
	{
		for (int day = 1; cron->months[month] && day <= days_of_month(month); day++)
		{
			if (cron->month_days[day] || cron->last_day)
			{
				return true;
			}
		}
	}
	return false;
}

static char *
parse_days(const char *month_day, const char *month, const char *weekday, CronDialect dialect, Cron *cron)
{
	bool		weekdays[8] = {false};	/* 0 and 7 are Sunday */
	char	   *wrong;

	cron->last_day = dialect == CRON_OF_PG_CRON && strcmp(month_day, "$") == 0;
	wrong = cron->last_day ? NULL : parse_field(&fields[2], month_day, cron->month_days);
	wrong = wrong != NULL ? wrong : parse_field(&fields[3], month, cron->months);
	wrong = wrong != NULL ? wrong : parse_field(&fields[4], weekday, weekdays);
	if (wrong != NULL)
	{
		return wrong;
	}
	memcpy(cron->weekdays, weekdays, sizeof(weekdays));
	cron->weekdays[7] = weekdays[0] || weekdays[7];
	cron->both = *month_day == '*' || *weekday == '*' || dialect == CRON_OF_PG_TIMETABLE;
	cron->whose = dialect == CRON_OF_PG_TIMETABLE ? "pg_timetable" : "cron";
	cron->days = psprintf("%s %s %s", month_day, month, weekday);
	cron->no_month_day = !josch_cron_has_a_day(cron);
	if (cron->both && cron->no_month_day)
	{
		return psprintf("there is no day \"%s\" in month \"%s\"", month_day, month);
	}
	return NULL;
}

char *
josch_cron_parse(const char *text, CronDialect dialect, Cron *cron)
{
	char	   *rest = pstrdup(text);
	char	   *words[5];
	char	   *word;
	char	   *wrong;
	int			n = 0;

	memset(cron, 0, sizeof(Cron));
	if (dialect == CRON_OF_PG_CRON && parse_seconds(text, cron))
	{
		return NULL;
	}
	for (size_t i = 0; i < lengthof(nicknames); i++)
	{
		if (strcmp(text, nicknames[i].name) == 0)
		{
			rest = pstrdup(nicknames[i].fields);
		}
	}
	if (*rest == '@')
	{
		return strcmp(rest, "@reboot") == 0 ? pstrdup("there is no @reboot: what is run belongs to a day") :
			psprintf("\"%s\" is not known", text);
	}
	while ((word = strsep(&rest, BLANKS)) != NULL)
	{
		if (*word != '\0')
		{
			if (n == 5)
			{
				return pstrdup("there are more than five fields");
			}
			words[n] = dialect == CRON_OF_PG_TIMETABLE ? unconstify(char *, range_written_out(&fields[n], word)) : word;
			n++;
		}
	}
	if (n < 5)
	{
		return pstrdup("there are fewer than five fields");
	}
	wrong = parse_field(&fields[0], words[0], cron->minutes);
	wrong = wrong != NULL ? wrong : parse_field(&fields[1], words[1], cron->hours);
	return wrong != NULL ? wrong : parse_days(words[2], words[3], words[4], dialect, cron);
}
