"""A chunk's table through the matcher: bytes of CSV in, bytes of CSV out.

Rows are not rebuilt: a row that passes is its own text with the result columns appended, so that
every field that is not ours passes byte for byte. Only where an earlier ``sigmamatch`` left result
columns in the table are rows written anew, without those columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import chunks, rawrows, results
from .chunks import MV_PREFIX
from .fields import Cell, Columns, make_cell
from .groups import Match
from .matcher import Matcher
from .rawrows import Pieces, bytes_of, bytewise_text, cells_of, text_of
from .results import EXPLAIN_FIELD, FIELDS

# Headers that are remembered.
_TABLES = 50

#: See rawrows.rows.
Rows = Iterator[tuple[int, int, Pieces]]


class Table:
    """The header of a table: which columns are whose."""

    def __init__(self, header: Sequence[str], explain: bool) -> None:
        self.columns = Columns(header, text_of, bytes_of)
        self.width = len(header)
        first = {name: position for position, name in reversed(list(enumerate(header)))}
        self._twins = [
            (first[name[len(MV_PREFIX) :]], position)
            for position, name in enumerate(header)
            if name.startswith(MV_PREFIX) and name[len(MV_PREFIX) :] in first
        ]
        # splunkd writes all twins after all fields: a row without multivalue fields ends in commas alone.
        fields = self.width - len(self._twins)
        are_last = [position for _, position in self._twins] == list(range(fields, self.width))
        self._no_values = "," * len(self._twins) if are_last else ""
        ours = (*FIELDS, EXPLAIN_FIELD)
        self._earlier = {name: first[name] for name in ours if name in first}
        self._with_twin = {name for name in ours if MV_PREFIX + name in first}
        dropped = {*ours, *(MV_PREFIX + name for name in ours)}
        self.kept = [position for position, name in enumerate(header) if name not in dropped]
        self.has_earlier = len(self.kept) < self.width
        # Explanations of an earlier run stay, whether this one explains or not.
        self.added = results.field_names(explain or EXPLAIN_FIELD in first)

    def cells(self, row: Pieces) -> tuple[Sequence[Cell], int]:
        """A row's cells, multivalue fields as tuples, and how many it has too few (if negative, too many).

        The twins of a row without multivalue fields are left out. ``row`` is used up.
        """
        no_values, last = self._no_values, row[-1]
        if no_values and last.endswith(no_values) and len(row) & 1:
            row[-1] = last[: -len(no_values)]
            fields = cells_of(row)
            if len(fields) + len(no_values) == self.width:
                return fields, 0
            row[-1] = last
        cells: list[Cell] = [*cells_of(row)]
        missing = self.width - len(cells)
        cells += [""] * missing
        for position, twin in self._twins:
            values = chunks.decode_multivalue(text_of(str(cells[twin]))) if cells[twin] else []
            if values:  # else it is no list of values, and the plain cell stands
                cell = make_cell(values)
                cells[position] = cell if isinstance(cell, tuple) else bytewise_text(cell)
        return cells, missing

    def earlier_values(self, cells: Sequence[Cell]) -> dict[str, Sequence[str]]:
        """The result fields that a row has; without a twin, a cell's values stand on lines of their own."""
        found: dict[str, Sequence[str]] = {}
        for name, position in self._earlier.items():
            values = self.columns.values(cells[position])
            if name not in self._with_twin:
                values = tuple(line for value in values for line in value.split("\n") if line)
            found[name] = values
        return found


class DataPath:
    """Passes tables through a matcher.

    ``keep_all``: pass every row (mode=annotate), not just those that match (mode=filter).
    ``explain``: add ``sigma_explain``.
    """

    def __init__(self, matcher: Matcher, keep_all: bool, explain: bool) -> None:
        self.matcher, self.keep_all, self.explain = matcher, keep_all, explain
        self._suffixes: dict[tuple[str, ...], bytes] = {}
        self._tables: dict[bytes, Table] = {}

    def process(self, body: bytes) -> bytes | bytearray:
        """One chunk's body. An empty one stays empty; a header alone gets the result columns."""
        rows = rawrows.rows(body)
        first = next(rows, None)
        if first is None:
            return body
        _, end, header = first
        table = self._table_of(bytes(body[:end]), header)
        line_end = b"\r\n" if body[end : end + 1] == b"\r" else b"\n"
        written = bytearray(_written_header(table, body[:end]) + line_end)
        (self._merged_rows if table.has_earlier else self._appended_rows)(table, body, rows, line_end, written)
        return written

    def _table_of(self, line: bytes, header: Pieces) -> Table:
        """The table of a header; chunks of one search mostly have the same."""
        table = self._tables.get(line)
        if table is None:
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            table = self._tables[line] = Table([text_of(name) for name in cells_of(header)], self.explain)
        return table

    def _appended_rows(self, table: Table, body: bytes, rows: Rows, line_end: bytes, written: bytearray) -> None:
        nothing = b"," * (2 * len(table.added)) + line_end
        match, columns, cells_of, keep_all = self.matcher.match, table.columns, table.cells, self.keep_all
        for start, end, row in rows:
            cells, missing = cells_of(row)
            matches = match(columns, cells)
            if matches or keep_all:
                written += body[start:end]
                if missing < 0:
                    # Results would stand under the cells that are too many.
                    written[start - end :] = _cut(body[start:end], table.width)
                elif missing:
                    written += b"," * missing
                written += self._suffix(table, cells, matches) + line_end if matches else nothing

    def _suffix(self, table: Table, cells: Sequence[Cell], matches: list[Match]) -> bytes:
        """The result cells of a row as CSV, each after a comma."""
        if self.explain:
            return _encoded(table, self._values(table, cells, matches))
        key = tuple(match.info.id for match in matches)
        suffix = self._suffixes.get(key)
        if suffix is None:
            suffix = self._suffixes[key] = _encoded(table, self._values(table, cells, matches))
        return suffix

    def _values(self, table: Table, cells: Sequence[Cell], matches: list[Match]) -> dict[str, list[str]]:
        values = results.result_values([results.entry_of(match.info) for match in matches])
        values[EXPLAIN_FIELD] = self._explanations(table, cells, matches)
        return values

    def _explanations(self, table: Table, cells: Sequence[Cell], matches: list[Match]) -> list[str]:
        if not self.explain:
            return []
        evidence = self.matcher.evidence
        return [results.explanation(match.info.id, evidence(match, table.columns, cells)) for match in matches]

    def _merged_rows(self, table: Table, body: bytes, rows: Rows, line_end: bytes, written: bytearray) -> None:
        for start, end, row in rows:
            cells, missing = table.cells(row)
            matches = self.matcher.match(table.columns, cells)
            if not matches and not self.keep_all:
                continue
            values: Mapping[str, Sequence[str]] = table.earlier_values(cells)
            if matches:
                entries = [results.entry_of(match.info) for match in matches]
                values = results.merged(values, entries, self._explanations(table, cells, matches))
            parsed = parsed_cells(body[start:end]) + [""] * missing
            kept = record_of_cells(parsed[position] for position in table.kept)
            added = _encoded(table, values)
            written += (kept + added if table.kept else added[1:]) + line_end


def parsed_cells(record: bytes) -> list[str]:
    """A record's cells, as text of one character a byte."""
    return cells_of(record.decode("latin-1").split('"'))


def record_of_cells(cells: Iterable[str]) -> bytes:
    """Such cells as a record."""
    return chunks.write_record(cells).encode("latin-1")


def _cut(record: bytes, width: int) -> bytes:
    return record_of_cells(parsed_cells(record)[:width])


def _written_header(table: Table, record: bytes) -> bytes:
    names = [bytewise_text(name) for name in table.columns.names]
    kept = record_of_cells(names[position] for position in table.kept) if table.has_earlier else record
    added = record_of_cells(column for name in table.added for column in (name, MV_PREFIX + name))
    return b",".join(part for part in (kept, added) if part)


def _encoded(table: Table, values: Mapping[str, Sequence[str]]) -> bytes:
    """Values of the added fields as CSV, each cell after a comma."""
    cells = [cell for name in table.added for cell in chunks.encode_multivalue(values.get(name, ()))]
    return b"," + chunks.encode(chunks.write_record(cells))
