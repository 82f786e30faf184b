"""Rows split by blocks are the rows and cells that a plain reader finds, wherever a block ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaengine import rawrows
from tests.support.csvtables import BODIES, cells, records

BLOCKS = (1, 2, 3, 5, 8, 13, 64)
# What CSV is made of, what stands for it in raw rows, and bytes that are no character.
PIECES = [b"a", b"bc", b",", b"\n", b"\r\n", b'"', b"\x1d", b"\x1e", b"\x1f", b"\xc3", b"\xa4"]
plain_cells = st.lists(st.sampled_from([b"a", b"bc", b"\xc3", b"\x1d", b"\x1f"]), max_size=3).map(b"".join)
quoted_cells = st.lists(st.sampled_from(PIECES), max_size=6).map(
    lambda pieces: b'"' + b"".join(pieces).replace(b'"', b'""') + b'"'
)
tables = st.lists(
    st.lists(st.one_of(plain_cells, plain_cells, quoted_cells), min_size=1, max_size=4), min_size=1, max_size=6
)


def split(body: bytes, block: int) -> list[tuple[bytes, list[str]]]:
    """(what a row is in the body, what its cells say), read by blocks of a size."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rawrows, "_BLOCK", block)
        for start, end, row in rawrows.rows(body):
            found.append((body[start:end], [rawrows.text_of(cell) for cell in rawrows.cells_of(row)]))
    return found


def read(record: bytes) -> tuple[bytes, list[str]]:
    """A record and its cells, by a reader that looks at one byte after the other."""
    return record, [cell.decode("utf-8", "surrogateescape") for cell in cells(record)]


# The reader takes every carriage return before a line feed for a part of the line end; see test_datapath for others.
CLEAR = [name for name in BODIES if "carriage" not in name]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("name", CLEAR)
def test_bodies(name: str, block: int) -> None:
    assert split(BODIES[name], block) == [read(record) for record in records(BODIES[name])]


@given(tables, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.sampled_from(BLOCKS))
def test_any_body(table: list[list[bytes]], ending: bytes, ends: bool, block: int) -> None:
    lines = [b",".join(row) for row in table]
    body = ending.join(lines) + (ending if ends else b"")
    expected = [read(line) for line in lines]
    if not ends and not lines[-1]:
        expected.pop()  # nothing after the last line end is no row
    if ending == b"\r\n" and len(lines) == 1 and not ends:
        return  # one line without its end does not say how lines end
    assert split(body, block) == expected


@given(st.lists(st.sampled_from(["", "", "a", "b", ",", ",", ",,", ",a,", ",a", "a,"]), min_size=1, max_size=12))
def test_cells_are_those_of_the_plain_way(row: list[str]) -> None:
    assert rawrows.cells_of(list(row)) == rawrows.plain_cells_of(row)


def test_empty_body() -> None:
    assert list(rawrows.rows(b"")) == []


def test_a_row_longer_than_many_blocks() -> None:
    body = b"a,b\n" + b"x" * 1000 + b',"' + b"y\n" * 1000 + b'"\nz,w\n'
    assert split(body, 8) == [read(record) for record in records(body)]


def test_a_quote_that_nothing_closes() -> None:
    body = b'a,b\nx,"y\nz,w\n'
    assert split(body, 64)[1:] == [(b'x,"y\nz,w\n', ["x", "y\nz,w\n"])]
