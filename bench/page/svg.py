"""Plots as SVG, as much as the page needs: grouped bars, and lines."""

import math
from html import escape

WIDTH, HEIGHT = 720, 340
MAX_TICKS = 16
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 52
COLORS = ("#1b6ca8", "#e08e2b", "#b5443c", "#5a9367", "#7a5ea8", "#8c8c8c", "#3aa6a0", "#c05d94",
          "#3d3d3d", "#b0a23c")


class Axis:
    """Maps values to positions, with round ticks."""

    def __init__(self, values: list[float], begin: float, end: float, log: bool):
        self.log, self.begin, self.end = log, begin, end
        if log:
            self.low = 10 ** math.floor(math.log10(min(values)) + 1e-9)
            self.high = 10 ** math.ceil(math.log10(max(values)) - 1e-9)
            if self.high <= self.low:
                self.high = self.low * 10
            decades = round(math.log10(self.high / self.low))
            self.ticks = [self.low * 10**i for i in range(decades + 1)]
        else:
            step = _round_step(max(max(values), 1e-9) / 5)
            self.low, self.high = 0, step * math.ceil(max(max(values), 1e-9) / step - 1e-9)
            self.ticks = [step * i for i in range(round(self.high / step) + 1)]

    def at(self, value: float) -> float:
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def _round_step(least: float) -> float:
    unit = 10 ** math.floor(math.log10(least))
    return next(unit * n for n in (1, 2, 2.5, 5, 10) if unit * n >= least * (1 - 1e-9))


def _label(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Canvas:
    def __init__(self, title: str, unit: str, names: list[str]):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        ]
        self.text(LEFT, 20, f"{title}, {unit}", "start", "font-weight='bold'")
        x = LEFT
        for name, color in zip(names, COLORS):
            self.parts.append(f'<rect x="{x}" y="34" width="10" height="10" fill="{color}"/>')
            self.text(x + 14, 43, name, "start")
            x += 30 + 7 * len(name)

    def text(self, x: float, y: float, text: str, anchor: str = "middle", more: str = "") -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222222" '
                          f"{more}>{escape(text)}</text>")

    def line(self, x1: float, y1: float, x2: float, y2: float, color: str) -> None:
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{color}"/>')

    def scale(self, axis: Axis) -> None:
        for tick in axis.ticks:
            self.line(LEFT, axis.at(tick), WIDTH - RIGHT, axis.at(tick), "#dddddd")
            self.text(LEFT - 6, axis.at(tick) + 4, _label(tick), "end")

    def finish(self) -> str:
        return "\n".join([*self.parts, "</svg>", ""])


def bars(title: str, unit: str, groups: list[tuple[str, dict[str, float]]],
         log: bool = False) -> str:
    """Groups of bars side by side; one that is absent leaves its place free."""
    names = list(dict.fromkeys(name for _, values in groups for name in values))
    axis = Axis([v for _, values in groups for v in values.values()], HEIGHT - BOTTOM, TOP, log)
    canvas = Canvas(title, unit, names)
    canvas.scale(axis)
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    width = min(48.0, room * 0.8 / len(names))
    for g, (label, values) in enumerate(groups):
        middle = LEFT + room * (g + 0.5)
        for row, words in enumerate(label.split(", ")):
            canvas.text(middle, HEIGHT - BOTTOM + 18 + 15 * row, words)
        for i, name in enumerate(names):
            if name not in values:
                continue
            x = middle + (i - len(names) / 2) * width
            y = axis.at(values[name])
            canvas.parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}" '
                f'height="{max(HEIGHT - BOTTOM - y, 0.5):.1f}" fill="{COLORS[i]}"/>')
            canvas.text(x + width / 2 - 1, y - 4, _label(values[name]), "middle", "font-size='10'")
    return canvas.finish()


def lines(title: str, unit: str, x_name: str, series: dict[str, list[tuple[float, float]]],
          log: bool = False) -> str:
    """One line for each of the series; the x axis is logarithmic, with a tick for each x if they
    are few, else for powers of ten."""
    xs = sorted({x for points in series.values() for x, _ in points})
    x_axis = Axis(xs, LEFT + 20, WIDTH - RIGHT - 20, True)
    x_axis.low, x_axis.high = xs[0], max(xs[-1], xs[0] * 2)
    y_axis = Axis([y for points in series.values() for _, y in points], HEIGHT - BOTTOM, TOP, log)
    canvas = Canvas(title, unit, list(series))
    canvas.scale(y_axis)
    for x in xs if len(xs) <= MAX_TICKS else [t for t in x_axis.ticks if xs[0] <= t <= xs[-1]]:
        canvas.text(x_axis.at(x), HEIGHT - BOTTOM + 18, _label(x))
    canvas.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name)
    for color, points in zip(COLORS, series.values()):
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        canvas.parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" '
                            'stroke-width="2"/>')
        canvas.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>'
                         for x, y in places]
    return canvas.finish()
