"""Charts as SVG, written by hand: bars against limits, and lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 760
_FONT = "font-family='sans-serif' font-size='12' fill='#222'"
_COLOURS = ("#1f6fb2", "#d1731a", "#3a8f46", "#8a4fa3", "#b23a48", "#555555")
_BAR = 16
_LEFT = 330
_PLOT = (70, 40, 470, 240)  # left, top, width, height


@dataclass
class Bar:
    """One bar: ``value`` in parts of the limit (1 = the bar is just reached), ``text`` beside it."""

    label: str
    value: float
    beyond: float | None
    text: str


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' role='img'"
        f" width='{_WIDTH}' height='{height}'>"
        f"<title>{escape(title)}</title><rect width='100%' height='100%' fill='#ffffff'/>"
    )
    shown = _text(12, 22, title, bold=True)
    return "\n".join([head, shown, *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {_FONT}{weight}>{escape(text)}</text>"


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, more: str = "") -> str:
    (x1, y1), (x2, y2) = start, end
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' {more}/>"


def bars(title: str, entries: Sequence[Bar]) -> str:
    """Bars on a logarithmic scale, with a line at 1 (the bar) and a mark at each entry's ``beyond``."""
    # What lies beyond the scale is cut: a quarter of the bar to sixteen times it.
    low, high = math.log2(0.25), math.log2(16)
    width = _WIDTH - _LEFT - 90

    def place(value: float) -> float:
        return _LEFT + (min(max(math.log2(value), low), high) - low) / (high - low) * width

    parts = []
    bottom = 40 + (_BAR + 8) * len(entries)
    for power in range(-2, 5):
        x = place(2.0**power)
        parts.append(_line((x, 36), (x, bottom), "#222" if power == 0 else "#ddd"))
        parts.append(_text(x, bottom + 16, f"{2.0**power:g}", anchor="middle"))
    for number, entry in enumerate(entries):
        y = 40 + (_BAR + 8) * number
        colour = _COLOURS[2] if entry.value >= (entry.beyond or 1) else _COLOURS[0] if entry.value >= 1 else _COLOURS[4]
        x = place(entry.value)
        parts.append(_text(_LEFT - 8, y + 12, entry.label, anchor="end"))
        parts.append(f"<rect x='{_LEFT}' y='{y}' width='{x - _LEFT:.1f}' height='{_BAR}' fill='{colour}'/>")
        if entry.beyond:
            mark = place(entry.beyond)
            parts.append(_line((mark, y - 2), (mark, y + _BAR + 2), "#222", "stroke-dasharray='3 2'"))
        parts.append(_text(x + 6, y + 12, entry.text))
    parts.append(_text(_LEFT, bottom + 34, "figure through its bar; dashed: beyond"))
    return _svg(bottom + 46, title, parts)


@dataclass
class Series:
    """A line: points of (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


def lines(title: str, x_name: str, y_name: str, series: Sequence[Series], *, log_x: bool = True) -> str:
    """Lines over an x axis that is logarithmic unless told; y begins at 0."""
    left, top, width, height = _PLOT
    xs = sorted({x for one in series for x, _ in one.points})
    scale = math.log10 if log_x else float
    first, last = scale(xs[0]), scale(xs[-1])
    step = _step(max(y for one in series for _, y in one.points))
    highest = step * math.ceil(max(y for one in series for _, y in one.points) / step)

    def place(x: float, y: float) -> tuple[float, float]:
        share = (scale(x) - first) / ((last - first) or 1)
        return left + share * width, top + height - y / highest * height

    parts = []
    for number in range(round(highest / step) + 1):
        y = place(xs[0], number * step)[1]
        parts.append(_line((left, y), (left + width, y), "#ddd"))
        parts.append(_text(left - 6, y + 4, f"{number * step:,g}", anchor="end"))
    parts += [_text(place(x, 0)[0], top + height + 18, f"{x:,g}", anchor="middle") for x in xs]
    for number, one in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [place(x, y) for x, y in one.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in points]
        label = top + 10 + 18 * number
        parts.append(f"<rect x='{left + width + 16}' y='{label - 9}' width='10' height='10' fill='{colour}'/>")
        parts.append(_text(left + width + 32, label, one.name))
    parts.append(_text(left + width / 2, top + height + 36, x_name, anchor="middle"))
    return _svg(top + height + 50, f"{title}, {y_name}", parts)


def _step(highest: float) -> float:
    """A round distance for at most six lines."""
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (0.2, 0.5, 1, 2, 5, 10) if highest / (step * power) <= 6)
