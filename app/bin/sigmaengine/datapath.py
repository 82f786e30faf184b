"""A chunk's table through the matcher: bytes of CSV in, bytes of CSV out.

Rows are not rebuilt: a row that passes is its own text with the result columns appended, so that
every field that is not ours passes byte for byte. Only where an earlier ``sigmamatch`` left result
columns in the table are rows written anew, without those columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import chunks, results
from .chunks import MV_PREFIX
from .fields import Cell, Columns, cell_values, make_cell
from .matcher import Match, Matcher
from .results import EXPLAIN_FIELD, FIELDS


class Table:
    """The header of a table: which columns are whose."""

    def __init__(self, header: Sequence[str], explain: bool) -> None:
        self.columns = Columns(header)
        first = {name: position for position, name in reversed(list(enumerate(header)))}
        self.twins = [
            (first[name[len(MV_PREFIX) :]], position)
            for position, name in enumerate(header)
            if name.startswith(MV_PREFIX) and name[len(MV_PREFIX) :] in first
        ]
        ours = (*FIELDS, EXPLAIN_FIELD)
        self.earlier = {name: first[name] for name in ours if name in first}
        dropped = {*ours, *(MV_PREFIX + name for name in ours)}
        self.kept = [position for position, name in enumerate(header) if name not in dropped]
        # Explanations of an earlier run stay, whether this one explains or not.
        self.added = results.field_names(explain or EXPLAIN_FIELD in first)

    def cells(self, row: list[str]) -> list[Cell]:
        """A row's cells, multivalue fields as lists; missing cells are empty."""
        missing = len(self.columns.names) - len(row)
        if missing > 0:
            row.extend([""] * missing)
        cells: list[Cell] = list(row)
        for position, twin in self.twins:
            if row[twin]:
                cells[position] = make_cell(chunks.decode_multivalue(row[twin]))
        return cells


class DataPath:
    """Passes tables through a matcher.

    ``keep_all``: pass every row (mode=annotate), not just those that match (mode=filter).
    ``explain``: add ``sigma_explain``.
    """

    def __init__(self, matcher: Matcher, keep_all: bool, explain: bool) -> None:
        self.matcher, self.keep_all, self.explain = matcher, keep_all, explain
        self._suffixes: dict[tuple[str, ...], str] = {}

    def process(self, body: bytes) -> bytes:
        """One chunk's body. An empty one stays empty; a header alone gets the result columns."""
        records = chunks.split_records(chunks.decode(body))
        if not records:
            return body
        # Splunk ends records with \n, its SDK with \r\n; the latter's \r is no part of the last cell.
        ending = "\r" if records[0].endswith("\r") else ""
        if ending:
            records = [record[:-1] if record.endswith(ending) else record for record in records]
        table = Table(chunks.parse_record(records[0]), self.explain)
        written = [self._header(table, records[0])]
        rows = self._merged_rows if table.earlier else self._appended_rows
        written += rows(table, records[1:])
        written.append("")
        return chunks.encode((ending + "\n").join(written))

    @staticmethod
    def _header(table: Table, record: str) -> str:
        names = table.columns.names
        kept = chunks.write_record(names[position] for position in table.kept) if table.earlier else record
        added = [column for name in table.added for column in (name, MV_PREFIX + name)]
        return ",".join(part for part in (kept, *added) if part)

    def _appended_rows(self, table: Table, records: list[str]) -> list[str]:
        nothing = "," * (2 * len(table.added))
        width = len(table.columns.names)
        written = []
        for record in records:
            row = chunks.parse_record(record)
            missing = "," * (width - len(row))
            cells = table.cells(row)
            matches = self.matcher.match(table.columns, cells)
            if matches:
                written.append(record + missing + self._suffix(table, cells, matches))
            elif self.keep_all:
                written.append(record + missing + nothing)
        return written

    def _suffix(self, table: Table, cells: list[Cell], matches: list[Match]) -> str:
        """The result cells of a row as CSV, each after a comma."""
        if self.explain:
            return self._encoded(table, self._values(table, cells, matches))
        key = tuple(match.info.id for match in matches)
        suffix = self._suffixes.get(key)
        if suffix is None:
            suffix = self._suffixes[key] = self._encoded(table, self._values(table, cells, matches))
        return suffix

    def _values(self, table: Table, cells: list[Cell], matches: list[Match]) -> dict[str, list[str]]:
        values = results.result_values([results.entry_of(match.info) for match in matches])
        values[EXPLAIN_FIELD] = self._explanations(table, cells, matches)
        return values

    def _explanations(self, table: Table, cells: list[Cell], matches: list[Match]) -> list[str]:
        if not self.explain:
            return []
        return [
            results.explanation(match.info.id, self.matcher.evidence(match, table.columns, cells)) for match in matches
        ]

    @staticmethod
    def _encoded(table: Table, values: dict[str, list[str]]) -> str:
        cells = [cell for name in table.added for cell in chunks.encode_multivalue(values.get(name, ()))]
        return "," + chunks.write_record(cells)

    def _merged_rows(self, table: Table, records: list[str]) -> list[str]:
        written = []
        for record in records:
            row = chunks.parse_record(record)
            cells = table.cells(row)
            matches = self.matcher.match(table.columns, cells)
            if not matches and not self.keep_all:
                continue
            earlier = {name: cell_values(cells[position]) for name, position in table.earlier.items()}
            entries = [results.entry_of(match.info) for match in matches]
            values = results.merged(earlier, entries, self._explanations(table, cells, matches))
            kept = [row[position] for position in table.kept] + row[len(table.columns.names) :]
            written.append(chunks.write_record(kept) + self._encoded(table, values))
        return written
