#!/usr/bin/env python3
"""Prints cron.csv: when expressions of cron are due, by the package cronsim.

    python3 -m venv v && v/bin/pip install cronsim
    v/bin/python test/golden/cron.py >test/golden/cron.csv

A line for each expression and zone: the first instant looked at, the thousandth that is due after it, and the MD5 of all thousand, in seconds since
1970, joined by spaces. Zones with summer time are there for what the clocks do to none of the times, and to all hours alike.
"""

import datetime
import hashlib
import random
from zoneinfo import ZoneInfo

from cronsim import CronSim

FIXED = ['* * * * *', '*/15 * * * *', '7 * * * *', '0 0 * * *', '30 6 * * 1-5', '0 2 * * 2-6', '0 0 1 * *', '0 0 1,15 * 5', '0 0 */2 * 1', '0 12 * * sun', '0 12 * * 7', '15,45 8-18 * * 1-5',
         '*/20 9-17 1-7 * *', '0 0 31 * *', '0 0 29 2 *', '5 4 * jan,jul mon', '0 8,12,16 * * *', '10-50/10 */6 * * *', '1,2,58 3,4,5,23 * * *', '0 22 * * 0,6', '23 0-20/2 * * *', '0 0 1 1 *',
         '0 4 8-14 * *', '0 0 13 * 5', '59 23 31 12 *', '*/7 * * * *', '*/59 5 * * 3']
SUMMER = ['* * * * *', '*/15 * * * *', '7 * * * *', '30 6 * * 1-5', '*/15 8-18 * * *', '0 8,12,16 * * *', '0 22 * * 0,6', '30 4 1 * *']


def random_field(generator, low, high):
    kind = generator.randrange(6)
    if kind == 0:
        return '*'
    if kind == 1:
        return f'*/{generator.randrange(2, high)}'
    if kind == 2:
        first = generator.randrange(low, high)
        return f'{first}-{generator.randrange(first, high + 1)}'
    return ','.join(str(value) for value in sorted(generator.sample(range(low, high + 1), generator.randrange(1, 4))))


def random_expressions(n):
    generator = random.Random(7)
    for _ in range(n):
        yield ' '.join([random_field(generator, 0, 59), random_field(generator, 0, 23), generator.choice(['*', '*', random_field(generator, 1, 28)]),
                        generator.choice(['*', '*', random_field(generator, 1, 12)]), generator.choice(['*', '*', random_field(generator, 0, 7)])])


def main():
    print('expression,zone,start,last,digest')
    lines = [(expression, 'UTC') for expression in [*FIXED, *random_expressions(120)]]
    lines += [(expression, zone) for zone in ('Europe/Zurich', 'America/New_York', 'Asia/Tokyo') for expression in SUMMER]
    for expression, zone in lines:
        start = datetime.datetime(2026, 3, 1, tzinfo=ZoneInfo(zone))
        due = CronSim(expression, start - datetime.timedelta(seconds=1))
        instants = [int(next(due).timestamp()) for _ in range(1000)]
        digest = hashlib.md5(' '.join(map(str, instants)).encode()).hexdigest()
        print(f'"{expression}",{zone},{int(start.timestamp())},{instants[-1]},{digest}')


if __name__ == '__main__':
    main()
