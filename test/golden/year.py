#!/usr/bin/env python3
"""A year of days that make themselves, as said by Python alone: datetime and zoneinfo, no line of JOSCH's.

Three jobs, three calendars, three zones; a scheduler that looks each half hour, but for the times when it is down.
Prints CSV: job, date, the moment it was due, what became of it.  test/t/028_year.pl runs the same year in the database.
"""
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

UTC = ZoneInfo('UTC')
BEGIN = datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC)
END = datetime(2027, 1, 1, 0, 0, 20, tzinfo=UTC)
# the server is down: over a weekend, on the night that the clocks go back in Europe, on the one that they go forward, for two weeks
DOWN = [(datetime(*a, tzinfo=UTC), datetime(*b, tzinfo=UTC)) for a, b in (
    ((2026, 2, 27, 20), (2026, 3, 2, 7)), ((2026, 3, 28, 12), (2026, 3, 29, 12)),
    ((2026, 7, 3, 0), (2026, 7, 17, 12)), ((2026, 10, 24, 12), (2026, 10, 25, 12)))]
GRACE = timedelta(minutes=10)

HOLIDAYS = {date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25), date(2026, 12, 26)}
MADE_UP = {date(2026, 2, 14), date(2026, 9, 20)}  # Saturdays and Sundays that are open


def bank(day):
    return day not in HOLIDAYS and day.weekday() < 5


def shifted(day):
    return day in MADE_UP or day.weekday() < 4  # Mondays to Thursdays


def month_end(day):
    """The last day of the bank in its month."""
    if not bank(day):
        return False
    following = day + timedelta(days=1)
    while following.month == day.month:
        if bank(following):
            return False
        following += timedelta(days=1)
    return True


# job: zone, calendar, hours and minutes from midnight, what becomes of missed days
JOBS = {
    'Close': ('Europe/Zurich', bank, (26, 30), 'all'),
    'Open': ('America/New_York', shifted, (6, 0), 'latest'),
    'Month': ('Australia/Lord_Howe', month_end, (-2, 0), 'none'),
}


def due(zone, day, hours, minutes):
    """What the clock on the wall shows; an hour that is skipped ends, one that comes twice is the first."""
    wall = datetime(day.year, day.month, day.day) + timedelta(hours=hours, minutes=minutes)
    moment = wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall:
        return moment
    # skipped: the first minute after it that exists
    while True:
        wall += timedelta(minutes=1)
        moment = wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
        if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall:
            return moment


def looks():
    moment = BEGIN
    while moment <= END:
        if not any(a <= moment < b for a, b in DOWN):
            yield moment
        moment += timedelta(minutes=30)


def outcomes(pending, policy, look):
    """Of days that are due at a look, oldest first."""
    result = []
    for number, (day, when) in enumerate(pending):
        latest = number == len(pending) - 1
        made = 'late' if when + timedelta(minutes=1) < look else 'made'
        missed = when + GRACE < look
        if policy == 'latest' and not latest:
            made = 'missed'
        elif policy == 'none' and missed:
            made = 'missed'
        result.append((day, when, made))
    return result


def main():
    for job, (zone, is_open, (hours, minutes), policy) in sorted(JOBS.items()):
        days = [date(2025, 12, 25) + timedelta(days=n) for n in range(380)]
        expected = [(day, due(zone, day, hours, minutes)) for day in days if is_open(day)]
        expected = [(day, when) for day, when in expected if when > BEGIN and day >= BEGIN.astimezone(ZoneInfo(zone)).date()]
        for look in looks():
            pending = [(day, when) for day, when in expected if when <= look]
            expected = expected[len(pending):]
            for day, when, what in outcomes(pending, policy, look):
                print(f'{job},{day},{int(when.timestamp())},{what}')


if __name__ == '__main__':
    main()
