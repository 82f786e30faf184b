"""Rows of a CSV body as they stand, split without being parsed.

A body is taken for text of one character a byte: whatever its bytes are, they pass unchanged, and
no byte of a character beyond ASCII is one of those that CSV is made of. Cells stay *raw*: commas and
doubled quotes inside them are held by two control characters. What a raw cell says is worked out by
``text_of`` where somebody wants to know, which is for few cells: a value seen before is known by its
raw form. ``chunks.parse_record`` is the plain way to read a row, and the oracle of this one.
"""

from __future__ import annotations

from . import chunks

# What stands for a comma and for a doubled quote inside quotes, and what a cell begins with that was
# parsed plainly. Rows that hold one of the three themselves are.
_COMMA, _QUOTE, _PARSED = "\x1f", "\x1e", "\x1d"


def bytewise(body: bytes) -> str:
    """A body as text of one character a byte."""
    return body.decode("latin-1")


def body_of(text: str) -> bytes:
    """The inverse of ``bytewise``."""
    return text.encode("latin-1")


def bytewise_text(text: str) -> str:
    """Real text as it stands in a body that ``bytewise`` made text of."""
    return text if text.isascii() else chunks.encode(text).decode("latin-1")


def split_cells(record: str) -> list[str]:
    """The raw cells of one record."""
    if _COMMA in record or _QUOTE in record or _PARSED in record:
        return _parsed(record)
    if '"' not in record:
        return record.split(",")
    # Leftmost first, as CSV reads them. In a cell that begins with a doubled quote the opening quote
    # and that one change places, which makes no difference unless the cell is nothing but quotes; see
    # text_of.
    pieces = record.replace('""', _QUOTE).split('"')
    if not len(pieces) & 1:
        return _parsed(record)  # a quote that nothing closes
    inside = pieces[1::2]
    if "," in "".join(inside):
        pieces[1::2] = [piece.replace(",", _COMMA) for piece in inside]
    joined = "".join(pieces)
    cells = joined.split(",")
    if f",{_QUOTE}," in f",{joined},":
        return ["" if cell == _QUOTE else cell for cell in cells]  # quotes with nothing between them
    return cells


def raw_cell(text: str) -> str:
    """Real text as a raw cell."""
    return _PARSED + bytewise_text(text) if text else ""


def _parsed(record: str) -> list[str]:
    return [_PARSED + cell if cell else "" for cell in chunks.parse_record(record)]


def text_of(cell: str) -> str:
    """What a raw cell says; bytes that are no UTF-8 become lone surrogates."""
    if cell.startswith(_PARSED):
        cell = cell[1:]
    elif _QUOTE in cell or _COMMA in cell:
        if not cell.strip(_QUOTE):
            return '"' * (len(cell) - 1)  # n quotes are written as 2n + 2
        cell = cell.replace(_QUOTE, '"').replace(_COMMA, ",")
    return cell if cell.isascii() else chunks.decode(cell.encode("latin-1"))
