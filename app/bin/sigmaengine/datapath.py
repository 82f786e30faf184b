"""A chunk's table through the matcher: bytes of CSV in, bytes of CSV out.

Rows are not rebuilt: a row that passes is its own text with the result columns appended, so that
every field that is not ours passes byte for byte. Only where an earlier ``sigmamatch`` left result
columns in the table are rows written anew, without those columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import chunks, results
from .chunks import MV_PREFIX
from .fields import Cell, Columns, make_cell
from .matcher import Match, Matcher
from .rawrows import body_of, bytewise, bytewise_text, raw_cell, split_cells, text_of
from .results import EXPLAIN_FIELD, FIELDS

# Headers that are remembered.
_TABLES = 50


class Table:
    """The header of a table: which columns are whose."""

    def __init__(self, header: Sequence[str], explain: bool) -> None:
        self.columns = Columns(header, text_of)
        self.width = len(header)
        first = {name: position for position, name in reversed(list(enumerate(header)))}
        self._twins = [
            (first[name[len(MV_PREFIX) :]], position)
            for position, name in enumerate(header)
            if name.startswith(MV_PREFIX) and name[len(MV_PREFIX) :] in first
        ]
        # splunkd writes all twins after all fields: a row without multivalue fields ends in commas alone.
        last = [position for _, position in self._twins]
        trailing = last == list(range(self.width - len(last), self.width)) and len(last) < self.width
        self._no_values = "," * len(last) if trailing else ""
        ours = (*FIELDS, EXPLAIN_FIELD)
        self._earlier = {name: first[name] for name in ours if name in first}
        self._with_twin = {name for name in ours if MV_PREFIX + name in first}
        dropped = {*ours, *(MV_PREFIX + name for name in ours)}
        self.kept = [position for position, name in enumerate(header) if name not in dropped]
        self.has_earlier = len(self.kept) < self.width
        # Explanations of an earlier run stay, whether this one explains or not.
        self.added = results.field_names(explain or EXPLAIN_FIELD in first)

    def cells(self, record: str) -> tuple[Sequence[Cell], int]:
        """A record's cells, multivalue fields as tuples, and how many its row has too few (if negative, too many).

        The twins of a row without multivalue fields are left out.
        """
        no_values = self._no_values
        if no_values and record.endswith(no_values):
            row = split_cells(record[: -len(no_values)])
            if len(row) == self.width - len(no_values):
                return row, 0
        row = split_cells(record)
        missing = self.width - len(row)
        row += [""] * missing
        cells: list[Cell] = list(row)
        for position, twin in self._twins:
            values = chunks.decode_multivalue(text_of(row[twin])) if row[twin] else []
            if values:  # else it is no list of values, and the plain cell stands
                cell = make_cell(values)
                cells[position] = cell if isinstance(cell, tuple) else raw_cell(cell)
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
        self._suffixes: dict[tuple[str, ...], str] = {}
        self._tables: dict[str, Table] = {}

    def process(self, body: bytes) -> bytes:
        """One chunk's body. An empty one stays empty; a header alone gets the result columns."""
        records = chunks.split_records(bytewise(body))
        if not records:
            return body
        # Splunk ends records with \n, its SDK with \r\n; the latter's \r is no part of the last cell.
        ending = "\r" if records[0].endswith("\r") else ""
        if ending:
            records = [record[:-1] if record.endswith(ending) else record for record in records]
        table = self._table_of(records[0])
        written = [_written_header(table, records[0])]
        written += (self._merged_rows if table.has_earlier else self._appended_rows)(table, records[1:])
        written.append("")
        return body_of((ending + "\n").join(written))

    def _table_of(self, header: str) -> Table:
        """The table of a header; chunks of one search mostly have the same."""
        table = self._tables.get(header)
        if table is None:
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            names = [text_of(cell) for cell in split_cells(header)]
            table = self._tables[header] = Table(names, self.explain)
        return table

    def _appended_rows(self, table: Table, records: Sequence[str]) -> list[str]:
        nothing = "," * (2 * len(table.added))
        match, columns, cells_of, keep_all = self.matcher.match, table.columns, table.cells, self.keep_all
        written = []
        for record in records:
            cells, missing = cells_of(record)
            matches = match(columns, cells)
            if not matches and not keep_all:
                continue
            passed = record + "," * missing if missing >= 0 else _cut(record, table.width)
            written.append(passed + (self._suffix(table, cells, matches) if matches else nothing))
        return written

    def _suffix(self, table: Table, cells: Sequence[Cell], matches: list[Match]) -> str:
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

    def _merged_rows(self, table: Table, records: Sequence[str]) -> list[str]:
        written = []
        for record in records:
            cells, missing = table.cells(record)
            matches = self.matcher.match(table.columns, cells)
            if not matches and not self.keep_all:
                continue
            values: Mapping[str, Sequence[str]] = table.earlier_values(cells)
            if matches:
                entries = [results.entry_of(match.info) for match in matches]
                values = results.merged(values, entries, self._explanations(table, cells, matches))
            row = chunks.parse_record(record) + [""] * missing
            kept = [chunks.quote_cell(row[position]) for position in table.kept]
            written.append(",".join([*kept, _encoded(table, values)[1:]]))
        return written


def _cut(record: str, width: int) -> str:
    """A record without the cells that stand under no column: results would stand there."""
    return chunks.write_record(chunks.parse_record(record)[:width])


def _written_header(table: Table, record: str) -> str:
    names = [bytewise_text(name) for name in table.columns.names]
    kept = chunks.write_record(names[position] for position in table.kept) if table.has_earlier else record
    added = [column for name in table.added for column in (name, MV_PREFIX + name)]
    return ",".join(part for part in (kept, *added) if part)


def _encoded(table: Table, values: Mapping[str, Sequence[str]]) -> str:
    """Values of the added fields as CSV, each cell after a comma."""
    cells = [cell for name in table.added for cell in chunks.encode_multivalue(values.get(name, ()))]
    return "," + bytewise_text(chunks.write_record(cells))
