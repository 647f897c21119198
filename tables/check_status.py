"""Check a day's feature file and print a report that a reviewer can judge.

    check_status.py --date 2025-03-14 [--out DIR]

Exit code 0: the file is whole and its values are possible; what is unusual is listed for the reviewer.
Exit code 1: the file is missing or broken, and each fault is named.
"""

import csv
import math

import marketdata as md
import prod_feature

# lowest and highest possible value, then the highest absolute value (or ratio) that is not worth a look
LIMITS = {
    "close": (0.0001, 1e6, None),
    "return_1d": (-0.5, 0.5, 0.05),
    "return_5d": (-0.8, 0.8, 0.12),
    "sma_5": (0.0001, 1e6, None),
    "sma_20": (0.0001, 1e6, None),
    "volatility_20": (0.0, 3.0, 0.60),
    "zscore_20": (-5.0, 5.0, 2.0),
    "volume_ratio_20": (0.0, 100.0, 2.0),
}


def read(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            table = csv.DictReader(file, strict=True)
            columns, rows = tuple(table.fieldnames or ()), list(table)
    except OSError as error:
        raise md.Broken(f"cannot read {path}: {error.strerror}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise md.Broken(f"cannot read {path}: {error}")
    if columns != prod_feature.COLUMNS:
        raise md.Broken(f"{path}: expected the columns {','.join(prod_feature.COLUMNS)}")
    return rows


def judge(row, date):
    """The faults and the warnings of one row; turns its features into numbers."""
    faults, warnings = [], []
    if row["date"] != str(date):
        faults.append(f"date is {row['date']}")
    for name, (lowest, highest, usual) in LIMITS.items():
        try:
            value = row[name] = float(row[name])
        except (TypeError, ValueError):
            faults.append(f"{name} is not a number: {row[name]!r}")
            continue
        if not math.isfinite(value) or not lowest <= value <= highest:
            faults.append(f"{name} is {value:g}, outside {lowest:g} to {highest:g}")
        elif usual is not None and abs(value) > usual:
            warnings.append(f"{name} is {value:.4f}; beyond {usual:g} is unusual")
    if None in row:
        faults.append("there are more fields than columns")
    return faults, warnings


def report(rows, faults, warnings):
    print(f"{'ticker':8}{'close':>10}{'1d %':>9}{'5d %':>9}{'sma 5':>10}{'sma 20':>10}{'vol %':>8}{'z':>7}{'volume':>8}")
    for row in rows:
        print(f"{row['ticker']:8}{row['close']:10.2f}{row['return_1d'] * 100:9.2f}{row['return_5d'] * 100:9.2f}"
              f"{row['sma_5']:10.2f}{row['sma_20']:10.2f}{row['volatility_20'] * 100:8.1f}{row['zscore_20']:7.2f}"
              f"{row['volume_ratio_20']:7.2f}x"
              f"{'  <-- fault' if row['ticker'] in faults else '  <-- look' if row['ticker'] in warnings else ''}")
    for ticker, texts in sorted(warnings.items()):
        for text in texts:
            print(f"warning: {ticker}: {text}")


def main():
    parser = md.arguments("Check a day's feature file and print a report.")
    md.add_prices(parser)
    md.add_out(parser)
    options = parser.parse_args()
    path = md.feature_file(options.out, options.date)
    rows, faults, warnings = read(path), {}, {}
    expected, found = md.Prices(options.prices).tickers, [row["ticker"] for row in rows]
    for ticker in sorted(set(expected) | set(found), key=str):
        if found.count(ticker) != 1 or ticker not in expected:
            faults[ticker] = [f"{found.count(ticker)} rows instead of {expected.count(ticker)}"]
    for row in rows:
        bad, unusual = judge(row, options.date)
        if bad:
            faults[row["ticker"]] = faults.get(row["ticker"], []) + bad
        if unusual:
            warnings[row["ticker"]] = unusual

    print(f"Features of {options.date}: {path}")
    report([row for row in rows if row["ticker"] not in faults], faults, warnings)
    for ticker, texts in sorted(faults.items(), key=str):
        for text in texts:
            print(f"fault: {ticker}: {text}")
    print(f"{len(rows)} of {len(expected)} tickers, {sum(map(len, faults.values()))} faults, "
          f"{sum(map(len, warnings.values()))} warnings in {len(warnings)} tickers")
    if faults:
        raise md.Broken("verdict: BROKEN, not fit for use")
    print(f"verdict: COMPLETE{', look at the warnings before you approve' if warnings else ', nothing unusual'}")


if __name__ == "__main__":
    md.run(main)
