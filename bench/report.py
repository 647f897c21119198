#!/usr/bin/env python3
"""bench/report.py ROWS SAMPLES FOLDER MEASURED ABOUT

What the rounds printed, as a table (FOLDER/speed.tsv for programs, speed.md for people) and as pictures (speed.svg, memory.svg).
A row that was not measured this time keeps what FOLDER/speed.tsv says of it, with the date on which it was.
"""
import csv, os, statistics, sys

import picture

ROW = ["row", "unit", "base", "wanted", "title"]
COLUMNS = ROW + ["who", "n", "median", "least", "most", "why", "measured"]
ORDER = ["chain", "wide", "due", "hop", "create", "milestones", "day", "load", "audit", "sql", "signoff", "people", "sort", "memory"]


def read(name, columns):
    if not os.path.exists(name):
        return []
    with open(name, newline="", encoding="utf-8") as file:
        return [dict(zip(columns, line)) for line in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def summary(row, who, answers, measured):
    """The line of one who was measured in a row: numbers, or why there are none."""
    numbers = [n for n in map(number, answers) if n is not None]
    line = {**row, "who": who, "n": len(numbers), "median": "", "least": "", "most": "", "why": "", "measured": measured}
    if numbers:
        line.update(median=f"{statistics.median(numbers):.4g}", least=f"{min(numbers):.4g}", most=f"{max(numbers):.4g}")
    else:
        line["why"] = answers[-1]
    return line


def summaries(rows, samples, measured):
    lines = []
    for row in rows:
        mine = [s for s in samples if s["row"] == row["row"]]
        for who in dict.fromkeys(s["who"] for s in mine):
            lines.append(summary(row, who, [s["value"] for s in mine if s["who"] == who], measured))
    return lines


def kind(line):
    return line["row"].split("-")[0]


def merged(old, new):
    """The new lines in place of all old ones of their kinds, which may have been of another size."""
    fresh = {kind(line) for line in new}
    return sorted([line for line in old if kind(line) not in fresh] + new, key=lambda line: ORDER.index(kind(line)))


class Row:
    """One row: the lines of JOSCH, floor and peers."""

    def __init__(self, lines):
        self.about = lines[0]
        self.lines = {line["who"]: line for line in lines}
        self.base = lines[0]["base"]
        self.wanted = number(lines[0]["wanted"])

    def figure(self, who, which="median"):
        return number(self.lines[who][which]) if who in self.lines else None

    def ratio(self, who="josch", which="median"):
        """To the base, which may not be there."""
        value, base = self.figure(who, which), self.figure(self.base)
        return value / base if value is not None and base else None


def write_tsv(name, lines):
    with open(name, "w", encoding="utf-8") as file:
        for line in lines:
            file.write("\t".join(str(line[c]) for c in COLUMNS) + "\n")


def cell(row, who):
    line = row.lines[who]
    if line["median"] == "":
        return f"{who}: {line['why']}"
    text = f"{line['median']}" if line["n"] in (1, "1") else f"{line['median']} [{line['least']}..{line['most']}]"
    return text if who == "josch" else f"{who} {text}"


def write_markdown(name, rows, about):
    with open(name, "w", encoding="utf-8") as file:
        file.write(f"{about}\n\nMedian, and in brackets least and most, of n rounds in which all took turns. "
                   "The ratio is JOSCH's median to that of the first one beside it; below 1 JOSCH is the quicker.\n\n"
                   "| work | JOSCH | beside it, in the same rounds | ratio | wanted | n | measured |\n|---|---|---|---|---|---|---|\n")
        for row in rows:
            if "josch" not in row.lines:
                continue
            others = sorted((w for w in row.lines if w != "josch"), key=lambda w: w != row.base)
            ratio = row.ratio()
            file.write(f"| {row.about['title']}, {row.about['unit']} | {cell(row, 'josch')} | {'; '.join(cell(row, w) for w in others)}"
                       f" | {'' if ratio is None else f'**{ratio:.2f}**'} | {row.about['wanted']} | {row.lines['josch']['n']} | {row.about['measured']} |\n")
        write_memory(file, [row for row in rows if "josch" not in row.lines])


def write_memory(file, rows):
    if rows:
        file.write(f"\n| {rows[0].about['unit']} | {' | '.join(rows[0].lines)} |\n|---|{'---|' * len(rows[0].lines)}\n")
    for row in rows:
        file.write(f"| {row.about['title']} | {' | '.join(line['median'] for line in row.lines.values())} |\n")


def main(rows_file, samples_file, folder, measured, about):
    new = summaries(read(rows_file, ROW), read(samples_file, ["row", "who", "value"]), measured)
    lines = merged(read(os.path.join(folder, "speed.tsv"), COLUMNS), new)
    rows = [Row([line for line in lines if line["row"] == name]) for name in dict.fromkeys(line["row"] for line in lines)]
    os.makedirs(folder, exist_ok=True)
    write_tsv(os.path.join(folder, "speed.tsv"), lines)
    write_markdown(os.path.join(folder, "speed.md"), rows, about)
    picture.write_speed(os.path.join(folder, "speed.svg"), [row for row in rows if row.ratio() is not None])
    picture.write_memory(os.path.join(folder, "memory.svg"), [row for row in rows if row.about["row"].startswith("memory")])


main(*sys.argv[1:])
