"""What the four sample programs share: the shipped prices, the mapping of dates, the feature file, the HTTP service.

The shipped prices are sixty business days of eight invented companies (prices/TICKER.csv). A program may be asked for
any date: see Prices.session().
"""

import argparse
import csv
import datetime
import http.server
import json
import math
import os
import signal
import sys
import tempfile
import threading
import urllib.parse

HOST = "127.0.0.1"
HISTORY = 20  # days that the longest feature looks back
PRICE_COLUMNS = ("date", "open", "high", "low", "close", "volume")
SHIPPED_PRICES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prices")


class Broken(Exception):
    """Something that the program cannot work with; the text is for a person."""


def run(program):
    """Run a program's main function; what it raises as Broken ends it with one clear line and exit code 1."""
    try:
        sys.exit(program() or 0)
    except Broken as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        sys.exit(1)


def log(text):
    print(f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S} {text}", flush=True)


def date_of(text):
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a date of the form YYYY-MM-DD')


def port_of(text):
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port between 0 and 65535')
    return int(text)


def arguments(description):
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--date", type=date_of, required=True, help="the day to work for, YYYY-MM-DD")
    return parser


def add_prices(parser):
    parser.add_argument("--prices", default=SHIPPED_PRICES, help="folder of price files (default: the shipped one)")


def add_out(parser):
    parser.add_argument("--out", default=os.environ.get("JOSCH_SAMPLE_OUT"), help="folder of the feature file "
                        "(default: $JOSCH_SAMPLE_OUT, else ./out, else a folder for temporary files)")


def feature_file(out, date):
    """The path of a day's feature file; prod_feature and check_status agree on it here."""
    if not out:
        out = "out" if os.access(".", os.W_OK) else os.path.join(tempfile.gettempdir(), f"josch-sample-{os.getuid()}")
    return os.path.join(out, f"features_{date}.csv")


class Prices:
    """All price files of a folder, checked: .days is the list of days, .bars[ticker][i] the bar of .days[i]."""

    def __init__(self, folder):
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".csv"))
        except OSError as error:
            raise Broken(f"cannot read the price folder {folder}: {error.strerror}")
        if not names:
            raise Broken(f"no price files in {folder}")
        self.bars = {name[:-4]: read_bars(os.path.join(folder, name)) for name in names}
        self.tickers = list(self.bars)
        self.days = [bar["date"] for bar in self.bars[self.tickers[0]]]
        for ticker in self.tickers:
            if [bar["date"] for bar in self.bars[ticker]] != self.days:
                raise Broken(f"{ticker}.csv has other days than {self.tickers[0]}.csv")
        if len(self.days) <= HISTORY:
            raise Broken(f"{len(self.days)} days in {folder}; more than {HISTORY} are needed")

    def session(self, date):
        """The index of the shipped day that stands for a date, always one with HISTORY days before it.

        A shipped day stands for itself, and for the days without trade that follow it. Any other date is mapped by its
        day number, so that a date always shows the same prices and a run of dates walks through the shipped days.
        """
        usable = self.days[HISTORY:]
        if usable[0] <= date <= usable[-1]:
            return HISTORY + max(i for i, day in enumerate(usable) if day <= date)
        return HISTORY + date.toordinal() % len(usable)


def read_bars(path):
    bars = []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if tuple(next(rows, ())) != PRICE_COLUMNS:
                raise Broken(f"{path}, line 1: expected the columns {','.join(PRICE_COLUMNS)}")
            for row in rows:
                try:
                    bars.append(bar_of(row))
                    if len(bars) > 1 and bars[-1]["date"] <= bars[-2]["date"]:
                        raise ValueError("the date does not follow the one before it")
                except ValueError as error:
                    raise Broken(f"{path}, line {rows.line_num}: {error}")
    except OSError as error:
        raise Broken(f"cannot read {path}: {error.strerror}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise Broken(f"cannot read {path}: {error}")
    return bars


def bar_of(row):
    if len(row) != len(PRICE_COLUMNS):
        raise ValueError(f"{len(row)} fields instead of {len(PRICE_COLUMNS)}")
    date = datetime.datetime.strptime(row[0], "%Y-%m-%d").date()
    low, high = float(row[3]), float(row[2])
    opened, close, volume = float(row[1]), float(row[4]), int(row[5])
    if not (0 < low <= min(opened, close) and max(opened, close) <= high < math.inf):
        raise ValueError("not 0 < low <= open, close <= high")
    if volume < 0:
        raise ValueError("the volume is negative")
    return {"date": date, "open": opened, "high": high, "low": low, "close": close, "volume": volume}


class NotFound(Exception):
    """A request for something that the server does not have; answered with 404."""


def serve(name, port, answers):
    """Serve JSON on loopback until SIGTERM or SIGINT. answers: path -> function(query) -> object."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            try:
                if url.path not in answers:
                    raise NotFound(f"no such page; there are {' '.join(answers)}")
                self.answer(200, answers[url.path](query))
            except NotFound as error:
                self.answer(404, {"error": str(error)})
            except (ValueError, argparse.ArgumentTypeError) as error:
                self.answer(400, {"error": str(error)})

        def answer(self, code, content):
            body = json.dumps(content, default=str).encode() + b"\n"
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Requests are not logged: the log tells of the start and the stop."""

    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before any thread, so that only sigwait sees them
    try:
        server = http.server.ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise Broken(f"cannot listen on {HOST}:{port}: {error.strerror}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    log(f"{name}: serving on http://{HOST}:{server.server_port}")
    caught = signal.sigwait(signals)
    server.shutdown()
    server.server_close()
    log(f"{name}: stopped by {signal.Signals(caught).name}")
