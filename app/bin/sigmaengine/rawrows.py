"""Rows of a CSV body as they stand, split without being parsed.

A body is taken for text of one character a byte: whatever its bytes are, they pass unchanged, and
no byte of a character beyond ASCII is one of those that CSV is made of. It is read in blocks, of
which all rows are split at once. Cells stay *raw*: with their quotes, and with two control characters
for the commas and line feeds inside them, so that every character keeps its place. What a raw cell
says is worked out by ``text_of`` where somebody wants to know, which is for few cells: a value seen
before is known by its raw form. ``chunks.split_records`` and ``chunks.parse_record`` are the plain way
to read a body, and the oracle of this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Union

from . import chunks

# What stands for a comma and for a line feed inside quotes, and what a cell begins with that was
# parsed plainly. Blocks that hold one of the three themselves are.
_COMMA, _LINE_FEED, _PARSED = "\x1f", "\x1e", "\x1d"

# Bytes that are split at once: as many as the nearer caches of a processor hold.
_BLOCK = 1 << 16

#: A row as far as it is split: raw text to be split at its commas, or raw cells.
RawRow = Union[str, list[str]]


def bytewise_text(text: str) -> str:
    """Real text as it stands in a body that was taken for one character a byte."""
    return text if text.isascii() else chunks.encode(text).decode("latin-1")


def rows(body: bytes) -> Iterator[tuple[int, int, RawRow]]:
    """The rows of a body, the header first: (start in the body, end without the line end, row).

    Splunk ends rows with a line feed, its SDK with a carriage return and a line feed; the former is no
    part of the last cell where the header ends with one. A quote that nothing closes makes the rest one row.
    """
    ending = ""
    is_header = True
    for start, found, split in _blocks(body):
        for row in found:
            next_start = start + len(row) + 1
            if is_header:
                ending = "\r" if row.endswith("\r") else ""
                is_header = False
            text = row[:-1] if ending and row.endswith(ending) else row
            yield start, start + len(text), split(text) if split else text
            start = next_start  # noqa: PLW2901 - the rows follow each other


def _blocks(body: bytes) -> Iterator[tuple[int, list[str], Callable[[str], list[str]] | None]]:
    """(start, rows that follow each other, what splits them where commas alone do not)."""
    start, size, length = 0, len(body), _BLOCK
    while start < size:
        end = min(start + length, size)
        text = body[start:end].decode("latin-1")
        if _COMMA in text or _LINE_FEED in text or _PARSED in text:
            yield start, chunks.split_records(body[start:].decode("latin-1")), _parsed
            return
        pieces = text.split('"')
        inside = pieces[1::2]
        joined = '"'.join(inside)
        if "," in joined or "\n" in joined:
            pieces[1::2] = joined.replace(",", _COMMA).replace("\n", _LINE_FEED).split('"')
            text = '"'.join(pieces)
        found = text.split("\n")
        # The last one goes on in the next block, unless there is none.
        last = found.pop()
        if end == size:
            found += [last] if last else []
            last = ""
        elif not found:
            length *= 2  # a row that is longer than a block
            continue
        yield start, found, _split if "" in inside else None
        start = end - len(last)
        length = _BLOCK


def _split(row: str) -> list[str]:
    """A row's cells where there may be pairs of quotes with nothing between them, which are empty cells."""
    return ["" if cell == '""' else cell for cell in row.split(",")]


def raw_cell(text: str) -> str:
    """Real text as a raw cell."""
    return _PARSED + bytewise_text(text) if text else ""


def _parsed(record: str) -> list[str]:
    return [_PARSED + cell if cell else "" for cell in chunks.parse_record(record)]


def bytes_of(cell: str) -> bytes:
    """A raw cell as UTF-8, commas, line feeds and quotes aside."""
    return cell.encode("latin-1")


def text_of(cell: str) -> str:
    """What a raw cell says; bytes that are no UTF-8 become lone surrogates."""
    if cell.startswith(_PARSED):
        cell = cell[1:]
    elif '"' in cell:
        cell = _unquoted(cell)
        if _COMMA in cell or _LINE_FEED in cell:
            cell = cell.replace(_COMMA, ",").replace(_LINE_FEED, "\n")
    return cell if cell.isascii() else chunks.decode(cell.encode("latin-1"))


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    if cell[0] == cell[-1] == '"' and len(cell) > 1:
        if '"' not in inner:
            return inner
        if inner.count('"') == 2 * inner.count('""'):
            return inner.replace('""', '"')
    # Quotes elsewhere: outside and inside take turns, and nothing outside, between two insides, is a quote.
    pieces = cell.split('"')
    for place in range(2, len(pieces) - 1, 2):
        pieces[place] = pieces[place] or '"'
    return "".join(pieces)
