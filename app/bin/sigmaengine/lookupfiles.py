r"""Lookups that people edit in Splunk: the CSV files of the app's ``lookups`` folder, read with care.

None of them is packaged, so that no upgrade overwrites one, and on most servers most are not there.
What is wrong with a file is told, and what can be used of it is. As ``outputlookup`` writes them, the
files have a header, quoted cells, for a multivalue column ``x`` a twin ``__mv_x``, and columns of
Splunk's own; people add byte order marks, ``\\r\\n`` and empty rows.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from typing import NamedTuple

from .chunks import MV_PREFIX, decode, decode_multivalue, parse_record, split_records
from .problems import counted, shown

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HASH_DIGITS = 12

EXCEPTIONS = "sigma_exceptions"
SETTINGS = "sigma_rule_settings"
CUSTOM_RULES = "sigma_custom_rules"
PLACEHOLDERS = "sigma_placeholders"
LOG_SOURCES = "sigma_log_sources"


class Lookup(NamedTuple):
    """What a lookup may hold: columns that must be there, others that are read; the most rows and bytes."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    max_rows: int
    max_bytes: int


#: Every lookup, in the order in which they are applied. docs/lookups.md says what the columns mean.
LOOKUPS: dict[str, Lookup] = {
    LOG_SOURCES: Lookup(
        (),
        ("product", "category", "service", "index", "sourcetype", "source", "channel", "event_code", "comment"),
        500,
        1_000_000,
    ),
    PLACEHOLDERS: Lookup(("name", "value"), ("comment",), 5_000, 1_000_000),
    CUSTOM_RULES: Lookup(("rule",), ("enabled", "comment", "author"), 500, 1_000_000),
    SETTINGS: Lookup(("id",), ("enabled", "level", "risk_score", "note"), 10_000, 4_000_000),
    EXCEPTIONS: Lookup(("rule", "field", "pattern"), ("comment", "author", "expiry"), 10_000, 4_000_000),
}


class Row(NamedTuple):
    """One row; ``number`` counts from 1 behind the header. Columns without a value are not in ``cells``."""

    number: int
    cells: dict[str, list[str]]

    def text(self, column: str) -> str:
        """The value of a column without blanks around it, several on a line each; empty if there is none."""
        return "\n".join(self.cells.get(column, ())).strip()

    def values(self, column: str) -> list[str]:
        """The values of a column as they stand."""
        return self.cells.get(column, [])


class LookupFile:
    """A lookup that is there. ``problems`` and ``notes`` are for people; readers of the rows add theirs.

    ``problems``: what cannot be used, and why; ``notes``: how many rows are not in force, and the like.
    """

    def __init__(self, name: str, digest: str = "") -> None:
        self.name, self.digest = name, digest
        self.rows: list[Row] = []
        self.problems: list[str] = []
        self.notes: list[str] = []

    def refuse(self, row: Row, message: str) -> None:
        """Note that a row, or a part of it, cannot be used."""
        self.problems.append(f"row {row.number}: {message}")

    def __str__(self) -> str:
        told = ", ".join([counted(len(self.rows), "row"), *self.notes])
        return f"{self.name} {self.digest or '(not read)'} ({told})"


def read_all(folder: str) -> dict[str, LookupFile]:
    """The lookups that are in ``folder``, by name; most often none. Raises nothing."""
    return {name: file for name in LOOKUPS if (file := _read(folder, name)) is not None}


def _read(folder: str, name: str) -> LookupFile | None:
    path = os.path.join(folder, f"{name}.csv")
    limit = LOOKUPS[name].max_bytes
    file = LookupFile(name)
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            file.problems.append("is no file")
            return file
        if found.st_size > limit:
            file.problems.append(f"is not used: it has {found.st_size} bytes, {limit} are read at most")
            return file
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        return None  # what is normal
    except OSError as error:
        file.problems.append(f"cannot be read: {error.strerror}")
        return file
    file.digest = sha256(data).hexdigest()[:_HASH_DIGITS]
    _read_table(file, data)
    return file


def _read_table(file: LookupFile, data: bytes) -> None:
    if data.startswith(_UTF16_MARKS):
        file.problems.append("is not used: it is UTF-16; save it as UTF-8")
        return
    data = data.removeprefix(_UTF8_MARK)
    header, *records = split_records(decode(data)) or [""]
    known = LOOKUPS[file.name]
    columns = [name.strip().lower() for name in parse_record(_without_return(header))]
    missing = [name for name in known.required if name not in columns]
    if missing or not set(columns).intersection(known.required + known.optional):
        wanted = ", ".join(known.required + known.optional)
        lacking = f"it has no column {missing[0]}" if missing else "none of its columns is known"
        file.problems.append(f"is not used: {lacking}; there are {wanted}")
        return
    for number, record in enumerate(records, 1):
        row = _row(file, columns, number, _without_return(record))
        if row is None:
            continue
        if len(file.rows) == known.max_rows:
            file.problems.append(f"rows from {number} on are not used: {known.max_rows} are read at most")
            break
        file.rows.append(row)


def _without_return(record: str) -> str:
    return record.removesuffix("\r")


def _row(file: LookupFile, columns: list[str], number: int, record: str) -> Row | None:
    """A row; None if it is empty or cannot be used."""
    cells = parse_record(record)
    row = Row(number, _values(file.name, columns, cells))
    fault = ""
    if record.count('"') % 2:
        fault = "a quote is opened and never closed; this row and what follows it are not used"
    elif len(cells) > len(columns):
        fault = f"it has {len(cells)} cells and the header {len(columns)}: a cell with a comma stands in quotes"
    elif not _is_utf8(record):
        fault = f"{shown(_replaced(record))} is no UTF-8; save the file as UTF-8"
    if fault:
        file.refuse(row, fault)
        return None
    return row if row.cells else None


def _values(name: str, columns: list[str], cells: list[str]) -> dict[str, list[str]]:
    known = LOOKUPS[name]
    by_column: dict[str, str] = {}
    for column, cell in zip(columns, cells):
        by_column.setdefault(column, cell)
    found = {}
    for column in known.required + known.optional:
        twin = decode_multivalue(by_column.get(MV_PREFIX + column, ""))
        values = [value for value in twin or [by_column.get(column, "")] if value.strip()]
        if values:
            found[column] = values
    return found


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _replaced(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


_TRUTHS = {
    **dict.fromkeys(("true", "t", "1", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n"), False),
}


def read_truth(text: str) -> bool | None:
    """Whether a cell says yes; None if it says neither."""
    return _TRUTHS.get(text.lower())
