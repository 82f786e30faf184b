"""Rows as text: for people on a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .figures import Row, Sample

HEADINGS = ("what", "Python", "figure", "bar", "beyond", "verdict", "sides")


def number(value: float) -> str:
    """A number with three digits that matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def sample(values: Sample, *, spread: bool = True) -> str:
    """Median and, in brackets, least and greatest value."""
    unit = values.unit if values.unit == "x" else f" {values.unit}"
    text = f"{number(values.median)}{unit}"
    return f"{text} ({number(values.low)}..{number(values.high)})" if spread and len(values.values) > 1 else text


def cells(row: Row) -> list[str]:
    """The cells of a row, by HEADINGS."""
    bars = [
        ("" if limit is None else f"{'>=' if row.better == 'higher' else '<='} {limit:g}")
        for limit in (row.bar, row.beyond)
    ]
    sides = ", ".join(f"{name} {sample(values, spread=False)}" for name, values in row.sides.items())
    return [row.title, row.python, sample(row.value), *bars, row.verdict, sides]


def plain(rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first row as heading."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
