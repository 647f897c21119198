"""Compute a day's features from the end-of-day server's prices into a file.

    prod_feature.py --date 2025-03-14 [--url http://127.0.0.1:18652] [--out DIR] [--wait 10]

The file, features_DATE.csv, has one row per ticker:

    close                 the day's close
    return_1d, return_5d  log returns over one and five days
    sma_5, sma_20         moving averages of the close
    volatility_20         standard deviation of twenty daily log returns, annualised with 252 days
    zscore_20             distance of the close from sma_20, in standard deviations of twenty closes
    volume_ratio_20       the day's volume over the mean of the twenty days before it

It appears whole or not at all (written beside, then renamed), so that a reader never sees half of one.
"""

import csv
import json
import math
import os
import statistics
import time
import urllib.error
import urllib.request

import eod_price_server
import marketdata as md

COLUMNS = ("date", "ticker", "close", "return_1d", "return_5d", "sma_5", "sma_20", "volatility_20", "zscore_20",
           "volume_ratio_20")


def fetch(url, wait):
    """Read JSON from the server; a server that does not listen yet is given some seconds."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is never behind a proxy
    deadline = time.monotonic() + wait
    while True:
        try:
            with direct.open(url, timeout=max(wait, 1)) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise md.Broken(f"{url} answered {error.code}: {error.read().decode(errors='replace').strip()}")
        except urllib.error.URLError as error:
            if time.monotonic() >= deadline:
                raise md.Broken(f"no answer from {url} within {wait:g} s: {error.reason}")
            time.sleep(0.1)
        except (OSError, ValueError) as error:
            raise md.Broken(f"{url} answered something unusable: {error}")


def features_of(date, ticker, bars):
    closes = [float(bar["close"]) for bar in bars]
    volumes = [float(bar["volume"]) for bar in bars]
    if len(closes) != md.HISTORY + 1 or min(closes) <= 0 or not all(map(math.isfinite, closes + volumes)):
        raise md.Broken(f"the server's prices of {ticker} cannot be used: {len(closes)} days, closes {closes}")
    returns = [math.log(b / a) for a, b in zip(closes, closes[1:])]
    window = closes[-20:]
    sma_20, deviation = statistics.fmean(window), statistics.stdev(window)
    usual_volume = statistics.fmean(volumes[:-1])
    return {
        "date": date,
        "ticker": ticker,
        "close": closes[-1],
        "return_1d": returns[-1],
        "return_5d": sum(returns[-5:]),
        "sma_5": statistics.fmean(closes[-5:]),
        "sma_20": sma_20,
        "volatility_20": statistics.stdev(returns[-20:]) * math.sqrt(252),
        "zscore_20": (closes[-1] - sma_20) / deviation if deviation else 0.0,
        "volume_ratio_20": volumes[-1] / usual_volume if usual_volume else 0.0,
    }


def write(path, rows):
    folder, beside = os.path.dirname(path), f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(beside, "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows({k: f"{v:.6f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
            file.flush()
            os.fsync(file.fileno())
        os.rename(beside, path)
    except OSError as error:
        raise md.Broken(f"cannot write {path}: {error.strerror}")


def main():
    parser = md.arguments("Compute a day's features from the end-of-day server's prices.")
    port = os.environ.get("JOSCH_SAMPLE_EOD_PORT", eod_price_server.DEFAULT_PORT)
    parser.add_argument("--url", default=f"http://{md.HOST}:{port}", help="the end-of-day server")
    parser.add_argument("--wait", type=float, default=10, help="seconds to wait for the server (default: 10)")
    md.add_out(parser)
    options = parser.parse_args()
    answer = fetch(f"{options.url}/prices?date={options.date}&days={md.HISTORY + 1}", options.wait)
    try:
        rows = [features_of(options.date, ticker, bars) for ticker, bars in sorted(answer["prices"].items())]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise md.Broken(f"{options.url} answered something unusable: {error!r}")
    if not rows:
        raise md.Broken(f"{options.url} has no tickers")
    path = md.feature_file(options.out, options.date)
    write(path, rows)
    md.log(f"{len(rows)} tickers, {len(COLUMNS) - 2} features each, session {answer.get('session')}: {path}")


if __name__ == "__main__":
    md.run(main)
