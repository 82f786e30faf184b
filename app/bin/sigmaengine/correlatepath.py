"""A chunk's table through the correlations: bytes of CSV in, bytes of CSV out.

A row that stays as it is passes as its own text, with empty cells for the columns of alerts. Of a row
that a hidden rule matched, the result columns are written anew without that rule, or the row is left
out. Alerts are rows behind the last row of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from . import chunks, rawrows, results
from .alertrows import ALERT_FIELDS, alert_values
from .basematches import BaseMatches
from .chunks import MV_PREFIX
from .datapath import Table, parsed_cells, record_of_cells
from .fields import Cell
from .occurrences import Alert
from .rawrows import Pieces, bytewise_text, cells_of, text_of
from .results import FIELDS

# Headers that are remembered.
_TABLES = 50


class _Layout:
    """The header of a table, and the columns that alerts add to it."""

    def __init__(self, header: Sequence[str], alert_columns: Sequence[str]) -> None:
        self.table = Table(header, explain=False)
        self.header = header
        self.places = {name: place for place, name in reversed(list(enumerate(header)))}
        self.added = [name for name in alert_columns if name not in self.places]
        self.has_rules = FIELDS[0] in self.places
        #: What is behind a row that is no alert.
        self.nothing = b"," * (2 * len(self.added))

    def written_header(self, record: bytes) -> bytes:
        """The header with the columns of alerts."""
        added = record_of_cells(bytewise_text(column) for name in self.added for column in (name, MV_PREFIX + name))
        return b",".join(part for part in (record, added) if part)

    def alert_row(self, values: Mapping[str, Sequence[str]]) -> bytes:
        """An alert as a row."""
        cells = [""] * len(self.header)
        self.fill(cells, values)
        for name in self.added:
            cells += map(bytewise_text, chunks.encode_multivalue(values.get(name, ())))
        return record_of_cells(cells)

    def fill(self, cells: list[str], values: Mapping[str, Sequence[str]]) -> None:
        """Write values into the columns that the table has for them."""
        for name, several in values.items():
            if name in self.places:
                plain, twin = chunks.encode_multivalue(several)
                cells[self.places[name]] = bytewise_text(plain)
                if MV_PREFIX + name in self.places:
                    cells[self.places[MV_PREFIX + name]] = bytewise_text(twin)


class CorrelatePath:
    """Passes tables on, collects what correlations need of them, and appends the alerts.

    ``unmatched``: rows in which no rule is named; ``dropped``: rows that only hidden rules matched;
    ``shown``: alerts.
    """

    def __init__(self, matches: BaseMatches) -> None:
        self.matches, self.plan = matches, matches.plan
        self.rows = self.named = self.dropped = self.shown = 0
        # Once each: a group-by field may be one of the others.
        self._columns = tuple(dict.fromkeys(("_time", *FIELDS, *ALERT_FIELDS, *self.plan.group_fields())))
        self._layouts: dict[bytes, _Layout] = {}

    def process(self, body: bytes, finished: bool) -> bytes | bytearray:
        """One chunk's body; the last one's answer holds the alerts. Raises OSError if the disk does."""
        rows = rawrows.rows(body)
        first = next(rows, None)
        if first is None:
            return self._alerts_alone() if finished else body
        _, end, header = first
        layout = self._layout_of(bytes(body[:end]), header)
        line_end = b"\r\n" if body[end : end + 1] == b"\r" else b"\n"
        written = bytearray(layout.written_header(body[:end]) + line_end)
        for start, stop, row in rows:
            self.rows += 1
            kept = self._row(layout, body[start:stop], row)
            if kept is not None:
                written += kept + layout.nothing + line_end
        if finished:
            self._append_alerts(layout, self.matches.alerts(), line_end, written)
        return written

    def _layout_of(self, line: bytes, header: Pieces) -> _Layout:
        layout = self._layouts.get(line)
        if layout is None:
            if len(self._layouts) >= _TABLES:
                self._layouts.clear()
            layout = self._layouts[line] = _Layout([text_of(name) for name in cells_of(header)], self._columns)
        return layout

    def _row(self, layout: _Layout, record: bytes, row: Pieces) -> bytes | None:
        """A row as it is to be passed on, None if it is not."""
        cells, missing = layout.table.cells(row)
        if layout.has_rules:
            record_of = self._reduced(layout, record, cells)
            if record_of is None:
                return None
            if record_of is not record:
                return record_of
        if missing < 0:
            # Alerts' columns would stand under the cells that are too many.
            return record_of_cells(parsed_cells(record)[: len(layout.header)])
        return record + b"," * missing

    def _reduced(self, layout: _Layout, record: bytes, cells: Sequence[Cell]) -> bytes | None:
        """The row without the rules that are not shown: the same object where nothing changes."""
        if not cells[layout.places[FIELDS[0]]]:
            return record
        values = layout.table.earlier_values(cells)
        rules = values[FIELDS[0]]
        self.named += 1
        self.matches.add(layout.table.columns, cells, rules, self.rows)
        hidden = self.plan.hidden.intersection(rules)
        if not hidden:
            return record
        left = results.without(values, hidden)
        if not left[FIELDS[0]]:
            self.dropped += 1
            return None
        parsed = parsed_cells(record)[: len(layout.header)]
        parsed += [""] * (len(layout.header) - len(parsed))
        layout.fill(parsed, left)
        return record_of_cells(parsed)

    def _alerts_alone(self) -> bytes | bytearray:
        """The alerts as a table of their own, where the last chunk has none; empty without alerts."""
        alerts = self.matches.alerts()
        first = next(alerts, None)
        if first is None:
            return b""
        layout = _Layout((), self._columns)
        written = bytearray(layout.written_header(b"") + b"\n")
        self._append_alerts(layout, [first], b"\n", written)
        self._append_alerts(layout, alerts, b"\n", written)
        return written

    def _append_alerts(self, layout: _Layout, alerts: Iterable[Alert], line_end: bytes, written: bytearray) -> None:
        for alert in alerts:
            written += layout.alert_row(alert_values(alert)) + line_end
            self.shown += 1
