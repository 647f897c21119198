"""bench/picture.py

The pictures of bench/results: SVG by hand, for light and for dark.  speed.svg has a line for each row, on which a dot is JOSCH, a
ring a peer, and 1 the floor or peer that it is compared with; memory.svg has a curve for each process.
"""
import html
import math

STYLE = """<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f } .dim { fill: #6e7781 } .small { font-size: 11px } .tiny { font-size: 9px } .head { font-size: 14px; font-weight: 600 }
  .grid { stroke: #d8dee4 } .one { stroke: #57606a; stroke-width: 1.5 } .range { stroke: #0969da; stroke-width: 5; stroke-opacity: .25; stroke-linecap: round }
  .josch { fill: #0969da } .peer { fill: none; stroke: #bc4c00; stroke-width: 1.6 } .floor { fill: none; stroke: #6e7781; stroke-width: 1.6 }
  .wanted { stroke: #1a7f37; stroke-width: 2.5 } .line { fill: none; stroke-width: 2 }
  .scheduler { stroke: #0969da; fill: #0969da } .runner { stroke: #bc4c00; fill: #bc4c00 } path.line { fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .dim { fill: #8d96a0 } .grid { stroke: #30363d } .one { stroke: #8d96a0 } .range { stroke: #4493f8 } .josch { fill: #4493f8 }
    .peer { stroke: #f0883e } .floor { stroke: #8d96a0 } .wanted { stroke: #3fb950 }
    .scheduler { stroke: #4493f8; fill: #4493f8 } .runner { stroke: #f0883e; fill: #f0883e } path.line { fill: none }
  }
</style>"""

LEFT, RIGHT, WIDTH, STEP, TOP = 330, 760, 1000, 30, 78


def plain(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Svg:
    def __init__(self, width, height, title):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
                      f"<title>{html.escape(title)}</title>", STYLE]

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def circle(self, x, y, radius, kind, title=""):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}"><title>{html.escape(title)}</title></circle>')

    def text(self, x, y, text, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(text)}</text>')

    def path(self, points, kind):
        self.parts.append(f'<path class="line {kind}" d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>')

    def write(self, name):
        with open(name, "w", encoding="utf-8") as file:
            file.write("\n".join(self.parts + ["</svg>"]) + "\n")


def log_scale(low, high, start, end):
    """A number to its place on a logarithmic axis."""
    return lambda value: start + (math.log(value) - math.log(low)) / (math.log(high) - math.log(low)) * (end - start)


def steps(low, high):
    """1, 2 and 5 of each power of ten between."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0 ** e for e in exponents for m in (1, 2, 5) if low <= m * 10.0 ** e <= high]


def write_speed(name, rows):
    if not rows:
        return
    ratios = [r for row in rows for who in row.lines for r in [row.ratio(who)] if r] + [row.wanted for row in rows if row.wanted]
    low, high = min(ratios + [0.5]) / 1.3, max(ratios + [2]) * 1.3
    bottom = TOP + STEP * len(rows)
    svg = Svg(WIDTH, bottom + 44, "JOSCH beside floors and peers")
    at = log_scale(low, high, LEFT + 20, RIGHT - 20)
    svg.text(16, 26, "Time, as a ratio to the floor or peer of the same rounds", "head")
    legend(svg, 16, 50)
    for step in steps(low, high):
        svg.line(at(step), TOP - 10, at(step), bottom, "one" if step == 1 else "grid")
        svg.text(at(step), bottom + 18, f"{step:g}", "small dim", "middle")
    svg.text(at(1) - 8, bottom + 36, "quicker", "small dim", "end")
    svg.text(at(1) + 8, bottom + 36, "slower", "small dim")
    for n, row in enumerate(rows):
        speed_line(svg, row, TOP + STEP * n + STEP / 2, at)
    svg.write(name)


def legend(svg, x, y):
    for kind, text, width in (("josch", "JOSCH, with its range", 150), ("wanted", "what is aimed at", 125),
                              ("peer", "another peer", 100), ("floor", "another floor", 105), ("one", "what it is compared with", 0)):
        if kind in ("wanted", "one"):
            svg.line(x + 5, y - 10, x + 5, y + 2, kind)
        else:
            svg.circle(x + 5, y - 4, 5 if kind == "josch" else 4.5, kind)
        svg.text(x + 16, y, text, "small dim")
        x += width + 16


def speed_line(svg, row, y, at):
    unit = row.about["unit"]
    svg.text(LEFT - 12, y + 4, row.about["title"].replace("`", ""), "", "end")
    svg.text(RIGHT + 12, y + 4, f"{plain(row.figure('josch'))}, {row.base} {plain(row.figure(row.base))} {unit}", "small dim")
    svg.line(LEFT, y, RIGHT, y, "grid")
    if row.ratio(which="least"):
        svg.line(at(row.ratio(which="least")), y, at(row.ratio(which="most")), y, "range")
    if row.wanted:
        svg.line(at(row.wanted), y - 8, at(row.wanted), y + 8, "wanted")
    for who in row.lines:
        ratio = row.ratio(who)
        if who not in ("josch", row.base) and ratio:
            svg.circle(at(ratio), y, 4.5, "floor" if who == "floor" else "peer", f"{who}: {ratio:.2f}")
            svg.text(at(ratio), y + 12, who, "tiny dim", "middle")
    svg.circle(at(row.ratio()), y, 5, "josch", f"JOSCH: {row.ratio():.2f}")
    svg.text(at(row.ratio()), y - 7, f"{row.ratio():.2f}", "small dim", "middle")


def write_memory(name, rows):
    points = {}
    for row in rows:
        for who in row.lines:
            if row.figure(who):
                points.setdefault(who, []).append((float(row.about["row"].split("-")[1]), row.figure(who)))
    if not points:
        return
    nodes = [x for curve in points.values() for x, _ in curve]
    sizes = [y for curve in points.values() for _, y in curve]
    svg = Svg(560, 340, "Memory of scheduler and runner")
    x_at, y_at = log_scale(min(nodes), max(nodes), 70, 440), log_scale(min(sizes) / 2, max(sizes) * 2, 290, 50)
    svg.text(16, 26, "Memory in MB, by the nodes that wait for a place", "head")
    for step in steps(min(sizes) / 2, max(sizes) * 2):
        svg.line(70, y_at(step), 440, y_at(step), "grid")
        svg.text(62, y_at(step) + 4, f"{step:g}", "small dim", "end")
    for step in sorted(set(nodes)):
        svg.text(x_at(step), 310, f"{step:,.0f}", "small dim", "middle")
    for who, curve in points.items():
        svg.path([(x_at(x), y_at(y)) for x, y in curve], who)
        for x, y in curve:
            svg.circle(x_at(x), y_at(y), 4, who, f"{who}, {x:,.0f} nodes: {y:g} MB")
        svg.text(452, y_at(curve[-1][1]) + 4, f"{who} {curve[-1][1]:g}")
    svg.write(name)
