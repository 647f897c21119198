#!/usr/bin/env python3
"""Prints which instant a time of day is on the days when zones change their offset, by Python's zoneinfo: zone, date, minutes, seconds of the epoch.

test/t/027_zones.pl runs it, since what it says follows the time zones of the machine, as the server's answers do. A time that is skipped is the end of the
gap, one that comes twice the first of the two.
"""

import datetime
import zoneinfo

# odd ones: half an hour, two hours, a lost day, changes for Ramadan, winter as the exception, many changes of mind, and plain ones
ZONES = '''Australia/Lord_Howe Antarctica/Troll Pacific/Apia Africa/Casablanca Asia/Gaza Europe/Dublin America/Asuncion Asia/Beirut Europe/Zurich
    America/New_York America/St_Johns America/Caracas Africa/Windhoek Asia/Tehran Asia/Pyongyang Europe/Istanbul Europe/Volgograd America/Sao_Paulo
    Africa/Cairo Pacific/Chatham Pacific/Fiji Asia/Amman America/Godthab Antarctica/Casey Australia/Eucla'''.split()
FIRST = datetime.date(2000, 1, 1)
DAYS = (datetime.date(2030, 12, 31) - FIRST).days + 1
DAY = datetime.timedelta(days=1)
SECOND = datetime.timedelta(seconds=1)
NONE = datetime.timedelta(0)


def offset_at(zone, instant):
    return instant.replace(tzinfo=datetime.timezone.utc).astimezone(zone).utcoffset()


def end_of_gap(zone, before, after):
    """The instant between the two at which the offset changes, in UTC."""
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle -= datetime.timedelta(microseconds=middle.microsecond)
        if offset_at(zone, middle) == offset_at(zone, before):
            before = middle
        else:
            after = middle
    return after


def instant_of(zone, wall):
    first = wall - wall.replace(tzinfo=zone, fold=0).utcoffset()
    second = wall - wall.replace(tzinfo=zone, fold=1).utcoffset()
    if first > second:
        return end_of_gap(zone, second, first)
    return first


def switch_days(zone):
    """The days on which the offset changes, and their neighbours."""
    days = set()
    offsets = [datetime.datetime.combine(FIRST + i * DAY, datetime.time(), zone).utcoffset() for i in range(DAYS + 1)]
    for i in range(DAYS):
        if offsets[i] != offsets[i + 1]:
            days |= {FIRST + j * DAY for j in (i - 1, i, i + 1)}
    return sorted(days)


def main():
    epoch = datetime.datetime(1970, 1, 1)
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        for day in switch_days(zone):
            for minutes in range(0, 24 * 60, 15):
                wall = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)
                print(name, day, minutes, int((instant_of(zone, wall) - epoch).total_seconds()), sep=',')


if __name__ == '__main__':
    main()
