"""Plain text tables for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from .texts import unprintable_as_blanks


def table(header: Sequence[str], rows: Sequence[Sequence[str]], limit: int = 70) -> Iterator[str]:
    """The lines of a table; cells longer than ``limit`` characters are cut, control characters are spaces."""
    cells = [[_shown(cell, limit) for cell in row] for row in (header, *rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def _shown(cell: str, limit: int) -> str:
    text = unprintable_as_blanks(cell)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
