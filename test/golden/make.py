#!/usr/bin/env python3
"""Prints the golden files of this folder: what others say of business calendars.

    python3 -m venv v && v/bin/pip install holidays exchange_calendars pandas_market_calendars QuantLib numpy pandas python-dateutil
    v/bin/python test/golden/make.py

The tests read the files and need none of that. Days are kept where two packages agree, and nothing is written where they do not:

    holidays.csv    the weekdays of 2000 to 2030 that are closed, by the package holidays: NYSE, London, TARGET
    days.csv        the open days of the same, a year a line, by QuantLib; and for NYSE and London the same by exchange_calendars and
                    pandas_market_calendars
    advance.csv     20,000 steps of QuantLib's advance: calendar, date, steps, date
    month_ends.csv  pandas' CustomBusinessMonthEnd and CustomBusinessMonthBegin, 372 months of NYSE
    moves.csv       days of the month moved by numpy's busday_offset, by each of its four conventions, of NYSE
    rules.csv       rules with an origin, and what dateutil's rrule makes of them

A line of days is hexadecimal: bit 0 of the first byte is the first day.
"""

import datetime
import random
import sys
from pathlib import Path

FIRST = datetime.date(2000, 1, 1)
LAST = datetime.date(2030, 12, 31)
DAY = datetime.timedelta(days=1)
HERE = Path(__file__).parent
CALENDARS = ('NYSE', 'London', 'TARGET')


def dates(first, last):
    while first <= last:
        yield first
        first += DAY


def to_hex(days, first, last):
    bits = bytearray(((last - first).days + 8) // 8)
    for day in days:
        if first <= day <= last:
            i = (day - first).days
            bits[i // 8] |= 1 << (i % 8)
    return bits.hex()


def write(name, header, rows):
    with open(HERE / name, 'w', encoding='ascii', newline='\n') as file:
        print(header, file=file)
        for row in rows:
            print(*row, sep=',', file=file)


def agreed(what, *opinions):
    for other in opinions[1:]:
        if other != opinions[0]:
            sys.exit(f'{what}: no two of one opinion: {sorted(opinions[0] ^ other)[:10]}')
    return opinions[0]


# ---- days ----

def by_holidays():
    import holidays
    made = {'NYSE': holidays.financial_holidays('XNYS', years=range(2000, 2031)),
            'London': holidays.financial_holidays('XLON', years=range(2000, 2031)),
            'TARGET': holidays.financial_holidays('XECB', years=range(2000, 2031))}
    return {name: {day: text for day, text in made[name].items() if FIRST <= day <= LAST and day.weekday() < 5} for name in CALENDARS}


def quantlib(name):
    import QuantLib
    return {'NYSE': lambda: QuantLib.UnitedStates(QuantLib.UnitedStates.NYSE), 'London': lambda: QuantLib.UnitedKingdom(QuantLib.UnitedKingdom.Exchange),
            'TARGET': QuantLib.TARGET}[name]()


def to_quantlib(day):
    import QuantLib
    return QuantLib.Date(day.day, day.month, day.year)


def by_quantlib(name):
    calendar = quantlib(name)
    return {day for day in dates(FIRST, LAST) if calendar.isBusinessDay(to_quantlib(day))}


def by_exchange_calendars(name):
    import exchange_calendars
    calendar = exchange_calendars.get_calendar({'NYSE': 'XNYS', 'London': 'XLON'}[name], start=str(FIRST), end=str(LAST))
    return {session.date() for session in calendar.sessions}


def by_market_calendars(name):
    import pandas_market_calendars
    calendar = pandas_market_calendars.get_calendar({'NYSE': 'NYSE', 'London': 'LSE'}[name])
    return {session.date() for session in calendar.valid_days(str(FIRST), str(LAST))}


def write_days():
    closed = by_holidays()
    days = {}
    for name in CALENDARS:
        opinions = [by_quantlib(name), {day for day in dates(FIRST, LAST) if day.weekday() < 5 and day not in closed[name]}]
        if name != 'TARGET':
            opinions += [by_exchange_calendars(name), by_market_calendars(name)]
        days[name] = agreed(name, *opinions)
    write('holidays.csv', 'calendar_name,holiday,holiday_name',
          ((name, day, '"' + text.encode('ascii', 'replace').decode().replace('"', '""') + '"') for name in CALENDARS for day, text in sorted(closed[name].items())))
    write('days.csv', 'calendar,year,open', ((name, year, to_hex(days[name], datetime.date(year, 1, 1), datetime.date(year, 12, 31)))
                                               for name in CALENDARS for year in range(2000, 2031)))
    return days


# ---- steps ----

def write_steps():
    import QuantLib
    chance = random.Random(20000)
    every_day = list(dates(FIRST, LAST))

    def cases():
        n = 0
        while n < 20000:
            name = chance.choice(CALENDARS)
            day = chance.choice(every_day)
            steps = chance.choice((chance.randint(-3, 3), chance.randint(-30, 30), chance.randint(-1500, 1500)))
            there = quantlib(name).advance(to_quantlib(day), steps, QuantLib.Days)
            there = datetime.date(there.year(), there.month(), there.dayOfMonth())
            if FIRST <= there <= LAST:
                n += 1
                yield name, day, steps, there
    write('advance.csv', 'calendar,day,steps,there', cases())


# ---- months ----

def write_months(days):
    import numpy
    import pandas
    from pandas.tseries.offsets import CustomBusinessMonthBegin, CustomBusinessMonthEnd
    closed = [day for day in dates(FIRST, LAST) if day.weekday() < 5 and day not in days['NYSE']]
    # a month beyond either end, which is not known: its days are not written
    ends = pandas.date_range(FIRST, LAST, freq=CustomBusinessMonthEnd(holidays=closed))
    begins = pandas.date_range(FIRST, LAST, freq=CustomBusinessMonthBegin(holidays=closed))
    write('month_ends.csv', 'first_day,last_day', ((begin.date(), end.date()) for begin, end in zip(begins, ends, strict=True)))

    calendar = numpy.busdaycalendar(holidays=closed)

    def moves():
        for rule in ('1', '15', '-1', '31', '24,25,26'):
            chosen = [day for day in dates(FIRST, LAST)
                      if any(day.day == int(d) if int(d) > 0 else (day - int(d) * DAY).day == 1 for d in rule.split(','))]
            for move in ('following', 'preceding', 'modified_following', 'modified_preceding'):
                there = numpy.busday_offset(chosen, 0, roll=move.replace('_', ''), busdaycal=calendar)
                yield '"' + rule + '"', move, to_hex((day.item() for day in there), FIRST, LAST)
    write('moves.csv', 'month_days,move_rule,open', moves())


# ---- rules ----

RULES_FIRST = datetime.date(2000, 1, 1)
RULES_LAST = datetime.date(2004, 12, 31)
WEEKDAYS = ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')


def some_rule(chance):
    """A rule that both understand, and that means the same to both."""
    def some(of, most):
        return ','.join(map(str, sorted(chance.sample(of, chance.randint(1, most)))))
    frequency = chance.choice(('DAILY', 'WEEKLY', 'MONTHLY', 'MONTHLY', 'YEARLY', 'YEARLY'))
    parts = ['FREQ=' + frequency]
    if chance.random() < 0.5:
        parts.append(f'INTERVAL={chance.randint(1, {"DAILY": 40, "WEEKLY": 9, "MONTHLY": 14, "YEARLY": 3}[frequency])}')
    by_month = chance.random() < 0.3
    if by_month:
        parts.append('BYMONTH=' + some(range(1, 13), 6))
    by_monthday = frequency != 'WEEKLY' and chance.random() < 0.4
    if by_monthday:
        # within a list no day may be named twice: dateutil takes it twice then, and BYSETPOS counts it so
        parts.append('BYMONTHDAY=' + some([*range(1, 16), *range(-13, 0)], 5))
    by_day = frequency == 'WEEKLY' or (frequency != 'DAILY' and not by_monthday) or chance.random() < 0.4
    if by_day:
        numbered = frequency in ('MONTHLY', 'YEARLY') and not by_monthday and chance.random() < 0.5
        if numbered:
            most = 5 if frequency == 'MONTHLY' or by_month else 53
            parts.append('BYDAY=' + ','.join(f'{chance.choice((-1, 1)) * chance.randint(1, most)}{day}' for day in chance.sample(WEEKDAYS, chance.randint(1, 3))))
        else:
            parts.append('BYDAY=' + ','.join(chance.sample(WEEKDAYS, chance.randint(1, 7))))
    if frequency != 'DAILY' and chance.random() < 0.4:
        parts.append('BYSETPOS=' + some([*range(1, 6), *range(-5, 0)], 3))
    return ';'.join(parts)


def write_rules():
    from dateutil.rrule import rrulestr
    chance = random.Random(5545)

    def rules():
        for _ in range(400):
            rule = some_rule(chance)
            origin = datetime.date(1990, 1, 1) + chance.randint(0, 3600) * DAY
            start = datetime.datetime.combine(origin, datetime.time())
            there = rrulestr(rule, dtstart=start).between(datetime.datetime.combine(RULES_FIRST, datetime.time()),
                                                          datetime.datetime.combine(RULES_LAST, datetime.time()), inc=True)
            yield '"' + rule + '"', origin, to_hex((when.date() for when in there), RULES_FIRST, RULES_LAST)
    write('rules.csv', 'rule,origin,open', rules())


if __name__ == '__main__':
    known = write_days()
    write_steps()
    write_months(known)
    write_rules()
