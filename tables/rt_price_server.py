"""Real-time prices over HTTP: a random walk around the closes of a day, until SIGTERM.

    rt_price_server.py --date 2025-03-14 [--port 18651] [--interval 1.0]

    /healthz            {"ok": true, ...}
    /prices             the newest tick of every ticker
    /prices?ticker=X    of one

The walk depends on the day and the ticker only: two servers of one day show the same price at the same tick.
"""

import math
import os
import random
import threading
import time

import marketdata as md

DEFAULT_PORT = 18651  # or $JOSCH_SAMPLE_RT_PORT
PULL = 0.05  # how strongly a price is drawn back to its close, per tick
STEP = 0.0008  # the size of a step, as a part of the price


class Walk:
    """The price of one ticker, tick by tick."""

    def __init__(self, session, ticker, close):
        self.random = random.Random(f"{session}/{ticker}")
        self.close = close
        self.tick = 0
        self.offset = 0.0

    def price_at(self, tick):
        while self.tick < tick:
            self.offset += self.random.gauss(0, STEP) - PULL * self.offset
            self.tick += 1
        return round(self.close * math.exp(self.offset), 4)


class Feed:
    """All walks of a day and the clock that drives them; nothing runs between two requests."""

    def __init__(self, prices, date, interval):
        index = prices.session(date)
        self.session = prices.days[index]
        self.walks = {t: Walk(self.session, t, prices.bars[t][index]["close"]) for t in prices.tickers}
        self.interval = interval
        self.started = time.monotonic()
        self.lock = threading.Lock()

    def quotes(self, tickers):
        with self.lock:
            tick = int((time.monotonic() - self.started) / self.interval)
            return tick, {ticker: self.walks[ticker].price_at(tick) for ticker in tickers}


def main():
    parser = md.arguments("Serve real-time prices of a day on loopback.")
    md.add_prices(parser)
    parser.add_argument("--port", type=md.port_of, default=os.environ.get("JOSCH_SAMPLE_RT_PORT", str(DEFAULT_PORT)))
    parser.add_argument("--interval", type=float, default=1.0, help="seconds from tick to tick (default: 1)")
    options = parser.parse_args()
    if not 0.001 <= options.interval <= 3600:
        parser.error("--interval must be between 0.001 and 3600 seconds")
    prices = md.Prices(options.prices)
    feed = Feed(prices, options.date, options.interval)

    def healthz(query):
        return {"ok": True, "server": "rt", "date": options.date, "session": feed.session}

    def newest(query):
        if query.get("date", str(options.date)) != str(options.date):
            raise md.NotFound(f"this server has the prices of {options.date} only")
        if query.get("ticker", prices.tickers[0]) not in prices.tickers:
            raise md.NotFound(f"no such ticker; there are {' '.join(prices.tickers)}")
        tick, quotes = feed.quotes([query["ticker"]] if "ticker" in query else prices.tickers)
        return {"date": options.date, "session": feed.session, "tick": tick, "prices": quotes}

    md.serve(f"real-time prices of {options.date}", options.port, {"/healthz": healthz, "/prices": newest})


if __name__ == "__main__":
    md.run(main)
