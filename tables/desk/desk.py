#!/usr/bin/env python3
"""What the desk's two jobs run, each a word: download, reconcile, breaks, positions, prices, values; and broker, the world outside.

    desk.py WORD [--date 2026-04-02] [--folder /srv/desk] [--wrong]

Date and folder are $DATE and $DESK unless they are given. Nothing but Python 3.8 or later is needed; the desk's database is desk.db, a file
of SQLite. Exit codes: 0 done, 1 something is wrong (one line on stderr says what), 2 the command line is wrong, 75 try again later.
"""

import argparse
import csv
import datetime
import os
import sqlite3
import sys
import time

BOOKS = ("Bonds", "Equities", "Futures", "Swaps")
TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h
TABLES = """
CREATE TABLE IF NOT EXISTS positions (day TEXT, book TEXT, quantity INTEGER, PRIMARY KEY (day, book));
CREATE TABLE IF NOT EXISTS prices (day TEXT, book TEXT, price REAL, PRIMARY KEY (day, book));
CREATE TABLE IF NOT EXISTS valued (day TEXT, book TEXT, value REAL, PRIMARY KEY (day, book));
"""


class Wrong(Exception):
    """Something that the desk cannot go on with; the text is for a person."""


class Desk:
    """A day of the desk: its folder, its database, and the numbers that the date gives."""

    def __init__(self, folder, date):
        self.folder, self.date, self.day = folder, str(date), date.toordinal()
        for part in ("in", "out"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)

    def path(self, part, name):
        return os.path.join(self.folder, part, f"{name}_{self.date.replace('-', '')}.csv")

    def database(self):
        # no patience: two writers at once are an error, and the semaphore is there so that there are none
        database = sqlite3.connect(os.path.join(self.folder, "desk.db"), timeout=0, isolation_level=None)
        database.executescript(TABLES)
        database.execute("BEGIN IMMEDIATE")
        return database

    def quantity(self, book):
        return self.day * (7 + BOOKS.index(book)) % 1000

    def price(self, book):
        return 100 + self.day * (3 + BOOKS.index(book)) % 50 / 10


def write(path, rows):
    """The file is there whole or not at all."""
    with open(path + ".part", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    os.replace(path + ".part", path)
    print(f"{len(rows)} rows in {path}")


def read(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.reader(file))
    except OSError as error:
        raise Wrong(f"cannot read {path}: {error.strerror}")


def store(desk, table, rows):
    """Writes the rows of a day into the database, which takes a while."""
    database = desk.database()
    database.execute(f"DELETE FROM {table} WHERE day = ?", (desk.date,))
    database.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", [(desk.date, book, number) for book, number in rows])
    time.sleep(1)
    database.execute("COMMIT")
    print(f"{len(rows)} rows of {desk.date} in table {table}")


def download(desk, _):
    """The exchange's prices of the morning; the exchange is busy at first, as often as the number of the day says."""
    attempt = int(os.environ.get("ATTEMPT", "1"))
    if attempt <= int(desk.date[-2:]) % 3:
        print(f"503 Service Unavailable, attempt {attempt}", file=sys.stderr)
        return TRY_LATER
    return write(desk.path("in", "prices"), [(book, desk.price(book)) for book in BOOKS])


def broker(desk, wrong):
    """Not the desk's: what the broker sends in the morning, the positions as he has them."""
    rows = [(book, desk.quantity(book)) for book in BOOKS]
    if wrong:
        rows[-1] = (BOOKS[-1], desk.quantity(BOOKS[-1]) + 13)
    write(desk.path("in", "broker"), rows)


def differences(desk):
    return [(book, desk.quantity(book), int(theirs)) for book, theirs in read(desk.path("in", "broker")) if int(theirs) != desk.quantity(book)]


def reconcile(desk, _):
    """The broker's positions are the desk's, or somebody has to see to it."""
    found = differences(desk)
    if found:
        raise Wrong("; ".join(f"{book}: {ours} here, {theirs} at the broker" for book, ours, theirs in found))
    store(desk, "positions", [(book, int(number)) for book, number in read(desk.path("in", "broker"))])


def breaks(desk, _):
    """Only when they are not: the list for the broker."""
    write(desk.path("out", "breaks"), differences(desk))


def positions(desk, _):
    store(desk, "positions", [(book, desk.quantity(book)) for book in BOOKS])


def prices(desk, _):
    store(desk, "prices", [(book, float(price)) for book, price in read(desk.path("in", "prices"))])


def values(desk, _):
    """Positions times prices; the night's result, as a table and as a file."""
    database = desk.database()
    rows = database.execute("SELECT book, round(quantity * price, 2) FROM positions JOIN prices USING (day, book) WHERE day = ? ORDER BY 1", (desk.date,)).fetchall()
    database.execute("ROLLBACK")
    if len(rows) != len(BOOKS):
        raise Wrong(f"of {desk.date} {len(rows)} of {len(BOOKS)} books have a position and a price")
    store(desk, "valued", rows)
    write(desk.path("out", "values"), rows)


WORDS = {word.__name__: word for word in (download, reconcile, breaks, positions, prices, values, broker)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("word", choices=WORDS)
    parser.add_argument("--date", type=datetime.date.fromisoformat, default=os.environ.get("DATE"))
    parser.add_argument("--folder", default=os.environ.get("DESK"))
    parser.add_argument("--wrong", action="store_true", help="broker: a position that is not the desk's")
    given = parser.parse_args()
    if given.date is None or given.folder is None:
        parser.error("--date and --folder are needed where DATE and DESK are not set")
    try:
        return WORDS[given.word](Desk(given.folder, given.date), given.wrong)
    except (Wrong, OSError, ValueError, sqlite3.Error) as error:
        print(f"desk.py {given.word}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
