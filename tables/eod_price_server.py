"""End-of-day prices over HTTP, until SIGTERM.

    eod_price_server.py --date 2025-03-14 [--port 18652]

    /healthz                              {"ok": true, ...}
    /tickers                              the names there are
    /prices?date=2025-03-14&days=21       per ticker the newest days up to a date, oldest first

A server of a day knows nothing of later days: it answers 404, as a vendor does before the close.
"""

import os

import marketdata as md

DEFAULT_PORT = 18652  # or $JOSCH_SAMPLE_EOD_PORT


def main():
    parser = md.arguments("Serve end-of-day prices up to a day on loopback.")
    md.add_prices(parser)
    parser.add_argument("--port", type=md.port_of, default=os.environ.get("JOSCH_SAMPLE_EOD_PORT", str(DEFAULT_PORT)))
    options = parser.parse_args()
    prices = md.Prices(options.prices)

    def healthz(query):
        return {"ok": True, "server": "eod", "date": options.date, "session": prices.days[prices.session(options.date)]}

    def tickers(query):
        return {"tickers": prices.tickers}

    def history(query):
        date = md.date_of(query.get("date", str(options.date)))
        text = query.get("days", "1")
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise ValueError(f'"{text}" is not a number of days, 1 or more')
        days = int(text)
        if date > options.date:
            raise md.NotFound(f"no prices of {date} yet: this server has the days up to {options.date}")
        last = prices.session(date)
        if days > last + 1:
            raise md.NotFound(f"only {last + 1} days are known up to {date}")
        bars = {ticker: prices.bars[ticker][last + 1 - days:last + 1] for ticker in prices.tickers}
        return {"date": date, "session": prices.days[last], "prices": bars}

    md.serve(f"end-of-day prices up to {options.date}", options.port,
             {"/healthz": healthz, "/tickers": tickers, "/prices": history})


if __name__ == "__main__":
    md.run(main)
