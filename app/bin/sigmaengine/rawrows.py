"""Rows of a CSV body and their cells, without a reader that looks at every character.

A body is taken for text of one character a byte: whatever its bytes are, they pass unchanged, and
no byte of a character beyond ASCII is one of those that CSV is made of. It is read in blocks. A row is
split at its quotes; what stands outside of them is split at its commas. Cells stay such *bytewise* text:
what one really says is worked out by ``text_of`` where somebody wants to know, which is for few cells.
``chunks.split_records`` and ``chunks.parse_record`` are the plain way to read a body.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from . import chunks

# Bytes that are split at once: as many as the nearer caches of a processor hold.
_BLOCK = 1 << 16

#: A row split at its quotes: outside of quotes and inside take turns.
Pieces = list[str]


def bytewise_text(text: str) -> str:
    """Real text as it stands in a body that was taken for one character a byte."""
    return text if text.isascii() else chunks.encode(text).decode("latin-1")


def bytes_of(cell: str) -> bytes:
    """Bytewise text as UTF-8."""
    return cell.encode("latin-1")


def text_of(cell: str) -> str:
    """What bytewise text says; bytes that are no UTF-8 become lone surrogates."""
    return cell if cell.isascii() else chunks.decode(cell.encode("latin-1"))


def rows(body: bytes) -> Iterator[tuple[int, int, Pieces]]:
    """The rows of a body, the header first: (start in the body, end without the line end, row).

    Splunk ends rows with a line feed, its SDK with a carriage return and a line feed; the former is no
    part of the last cell where the header ends with one. A quote that nothing closes makes the rest one row.
    """
    records = _records(body)
    header = next(records, None)
    if header is None:
        return
    if not header[2][-1].endswith("\r"):
        yield header
        yield from records
        return
    for start, end, row in chain((header,), records):
        last = row[-1]
        if last.endswith("\r"):
            row[-1] = last[:-1]
            yield start, end - 1, row
        else:
            yield start, end, row


def _records(body: bytes) -> Iterator[tuple[int, int, Pieces]]:
    """(start, end, row), the carriage return of a line end being a part of the row."""
    start, size, length = 0, len(body), _BLOCK
    while start < size:
        stop = min(start + length, size)
        text = body[start:stop].decode("latin-1")
        place = 0
        end = text.find("\n")
        while end >= 0:
            row = text[place:end].split('"')
            if not len(row) & 1:  # the line feed is inside quotes
                end = _end_of_row(text, end)
                if end < 0:
                    break
                row = text[place:end].split('"')
            yield start + place, start + end, row
            place = end + 1
            end = text.find("\n", place)
        if stop == size:
            if place < len(text):
                yield start + place, size, text[place:].split('"')
            return
        # The rest goes on in the next block. A row may be longer than a block.
        length = _BLOCK if place else 2 * length
        start += place


def _end_of_row(text: str, end: int) -> int:
    """The next line feed outside quotes, -1 where there is none; ``end`` is one inside."""
    is_open = True
    while is_open:
        # On to the next quote, however many lines further.
        quote = text.find('"', end)
        end = text.find("\n", quote) if quote >= 0 else -1
        is_open = end >= 0 and not text.count('"', quote, end) & 1
    return end


def cells_of(row: Pieces) -> list[str]:
    """The cells of a row, as bytewise text."""
    found = row[0].split(",")
    if len(row) == 1:
        return found
    last = row[-1].split(",")
    if found[-1] or last[0] or not len(row) & 1:
        return plain_cells_of(row)
    # A cell that is quoted stands between commas: what is left of them is an empty cell before and after it.
    found[-1] = row[1]
    for outside, inside in zip(row[2:-1:2], row[3::2]):
        if outside == ",":
            found.append(inside)
            continue
        if not outside:
            return cells_of(_undoubled(row))
        more = outside.split(",")
        if more[0] or more[-1]:
            return plain_cells_of(row)
        more[-1] = inside
        found += more[1:]
    found += last[1:]
    return found


def _undoubled(row: Pieces) -> Pieces:
    """A row in which quotes that stand doubled, nothing being between the two, are a part of what is inside."""
    found = [row[0]]
    held = []
    for inside, outside in zip(row[1::2], row[2:-1:2]):
        held.append(inside)
        if outside:
            found += ('"'.join(held), outside)
            held.clear()
    held.append(row[-2])
    found += ('"'.join(held), row[-1])
    return found


def plain_cells_of(row: Pieces) -> list[str]:
    """What ``cells_of`` gives, of any row: quotes may stand anywhere, and the last may be open."""
    cells = [[""]]
    last = len(row) - 1
    for place, piece in enumerate(row):
        if place & 1:
            cells[-1].append(piece)
        elif not piece and 0 < place < last:
            cells[-1].append('"')
        else:
            first, *more = piece.split(",")
            cells[-1].append(first)
            cells += [[cell] for cell in more]
    return ["".join(pieces) for pieces in cells]
