"""Event files -> events, one at a time: JSON lines, CSV, Windows event logs, each also gzipped.

A record that cannot be used never stops the others: it becomes a finding, and None in its place.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sigmaengine.chunks import MV_PREFIX, decode_multivalue

from .evtxevents import Event, add_value, read_evtx
from .findings import Finding, error

__all__ = ["Event", "read_events"]

#: Objects and arrays inside one another, and bytes of a CSV record; beyond that a file is damaged or hostile.
MAX_DEPTH = 100
MAX_CSV_RECORD = 16 * 1024 * 1024

_UNZIP_BUFFER = 1024 * 1024  # bytes

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)

# Numbers stay as they are written. Objects become tuples of pairs: none of a repeated name's values is
# lost, and arrays (lists) differ from objects.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=tuple)


class _RecordError(Exception):
    """A record cannot be used."""

    def __init__(self, code: str, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.code, self.line = code, line


class _FileError(_RecordError):
    """A file cannot be used, or what is left of it."""


def read_events(paths: Sequence[Path], findings: list[Finding]) -> Iterator[Event | None]:
    """The events of files, in the order given.

    A name ends in .jsonl, .ndjson, .json (all three: JSON lines), .csv or .evtx, and .gz may follow.
    None stands for a record that cannot be used, so that the events' positions are those of the
    records; its finding is appended to ``findings``. A file that cannot be used is a finding alone.
    """
    for path in paths:
        name = path.as_posix()
        try:
            yield from _read_file(path, name, findings)
        except _FileError as fault:
            findings.append(error(name, fault.line, fault.code, str(fault)))
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            message = f"is damaged or no gzip file ({fault}); what could not be read is left out; copy it once more"
            findings.append(error(name, 1, "event-file-damaged", message))
        except OSError as fault:
            message = f"cannot be read: {fault.strerror or fault}; name a file that you may read"
            findings.append(error(name, 1, "event-file-unreadable", message))


def _read_file(path: Path, name: str, findings: list[Finding]) -> Iterator[Event | None]:
    zipped = path.suffix.lower() == ".gz"
    suffix = Path(path.stem if zipped else path.name).suffix.lower()
    path.stat()  # a missing file is reported as such, whatever its name
    if suffix == ".evtx":
        yield from _read_zipped_evtx(path, name, findings) if zipped else read_evtx(path, name, findings)
    elif suffix in _READERS:
        with gzip.open(path) if zipped else path.open("rb") as stream:
            yield from _READERS[suffix](_without_mark(stream), name, findings)
    else:
        message = "is no kind of event file that is known; name one that ends in .jsonl, .csv or .evtx (.gz may follow)"
        raise _FileError("event-file-unknown", message)


def _read_zipped_evtx(path: Path, name: str, findings: list[Finding]) -> Iterator[Event | None]:
    """The parser jumps about in the file, so it gets an unzipped one, for as long as it reads."""
    with tempfile.TemporaryDirectory(prefix="sigma-match-") as folder:
        unzipped = Path(folder, "events.evtx")
        with gzip.open(path) as source, unzipped.open("wb") as target:
            shutil.copyfileobj(source, target, _UNZIP_BUFFER)
        yield from read_evtx(unzipped, name, findings)


def _without_mark(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file, without a byte order mark before the first. Raises _FileError for UTF-16."""
    lines = iter(stream)
    first = next(lines, b"")
    if first.startswith(_UTF16_MARKS):
        raise _FileError("event-encoding", "is UTF-16; save it as UTF-8")
    if first:
        yield first.removeprefix(_UTF8_MARK)
    yield from lines


# JSON lines


def _read_json_lines(lines: Iterator[bytes], name: str, findings: list[Finding]) -> Iterator[Event | None]:
    first = True
    for number, line in enumerate(lines, 1):
        content = line.strip()
        if not content:
            continue
        event: Event | None = None
        try:
            event = _event_from_json(line.rstrip())
        except _RecordError as fault:
            if first and fault.code == "event-json" and (content == b"{" or content.startswith(b"[")):
                message = "is JSON over several lines; write one event a line (jq -c . or jq -c '.[]' does)"
                raise _FileError(fault.code, message, number) from None
            findings.append(error(name, number, fault.code, str(fault)))
        first = False
        yield event


def _event_from_json(line: bytes) -> Event:
    """The event of one line. Raises _RecordError, whose message begins with the column (1-based, characters)."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as fault:
        column = len(line[: fault.start].decode("utf-8")) + 1
        message = f"column {column}: byte 0x{line[fault.start]:02x} is no UTF-8; save the file as UTF-8"
        raise _RecordError("event-encoding", message) from None
    event: Event = {}
    try:
        value = _DECODER.decode(text)
        if not isinstance(value, tuple):
            column = len(text) - len(text.lstrip()) + 1
            raise _RecordError("event-not-object", f"column {column}: is JSON but no object; write one event a line")
        _flatten(event, "", value, 1)
    except json.JSONDecodeError as fault:
        message = f"column {fault.pos + 1}: is no JSON ({fault.msg}); write one JSON object a line"
        raise _RecordError("event-json", message) from None
    except RecursionError:
        message = f"column {_too_deep_at(text)}: objects and arrays lie more than {MAX_DEPTH} deep; flatten them"
        raise _RecordError("event-too-deep", message) from None
    return _without_surrogates(event) if _ESCAPED_SURROGATE.search(text) else event


def _flatten(event: Event, name: str, value: Any, depth: int) -> None:
    """Add what a JSON value holds. Raises RecursionError beyond MAX_DEPTH, as the parser does at its own limit."""
    if isinstance(value, str):
        if value and name:
            add_value(event, name, value)
    elif isinstance(value, bool):
        _flatten(event, name, "true" if value else "false", depth)
    elif value is not None:
        if depth > MAX_DEPTH:
            raise RecursionError
        if isinstance(value, tuple):
            for key, member in value:
                _flatten(event, f"{name}.{key}" if name else key, member, depth + 1)
        else:
            for member in value:
                _flatten(event, name, member, depth + 1)


def _too_deep_at(text: str) -> int:
    """The column of the first bracket that is beyond MAX_DEPTH."""
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return token.start() + 1
        elif token[0] in "]}":
            depth -= 1
    return 1


def _without_surrogates(event: Event) -> Event:
    r"""The event with half a character (``"\ud800"``), which no UTF-8 can hold, replaced as Unicode advises."""
    cleaned: Event = {}
    for name, values in event.items():
        for value in [values] if isinstance(values, str) else values:
            add_value(cleaned, _SURROGATE.sub("\ufffd", name), _SURROGATE.sub("\ufffd", value))
    return cleaned


# CSV


class _CsvLines:
    """Lines for the csv module, whose reader goes on behind a record that is too large.

    ``number``: of lines that were read; ``size``: bytes that were read since it was set to 0.
    Bytes that are no UTF-8 become surrogates, which no valid file holds.
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines, self.number, self.size = lines, 0, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.number += 1
        self.size += len(line)
        if self.size > MAX_CSV_RECORD:
            raise csv.Error(f"the record has more than {MAX_CSV_RECORD} bytes, a quote may be missing")
        return line.decode("utf-8", "surrogateescape")


def _csv_records(lines: Iterator[bytes]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """(the line on which it begins, its cells or what is wrong with it) for every record but blank lines."""
    source = _CsvLines(lines)
    reader = csv.reader(source, strict=True)
    while True:
        line, source.size = source.number + 1, 0
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            yield line, fault
            continue
        if cells is None:
            return
        if cells:
            yield line, cells


def _read_csv(lines: Iterator[bytes], name: str, findings: list[Finding]) -> Iterator[Event | None]:
    records = _csv_records(lines)
    line, header = next(records, (1, []))
    if isinstance(header, csv.Error) or not any(header):
        reason = f" ({header})" if isinstance(header, csv.Error) else ""
        message = f"there is no header{reason}; write the fields' names into the first row"
        raise _FileError("event-csv-header", message, line)
    if not _is_utf8(header):
        raise _FileError("event-encoding", "the header is no UTF-8; save the file as UTF-8", line)
    for number, column in enumerate(header, 1):
        if not column:
            message = f"column {number} has no name and is left out; name it in the first row"
            findings.append(Finding(name, line, "warning", "event-csv-header", message))
    for line, cells in records:
        event: Event | None = None
        try:
            event = _event_from_csv(header, cells, line)
        except _RecordError as fault:
            findings.append(error(name, fault.line, fault.code, str(fault)))
        yield event


def _event_from_csv(header: list[str], cells: list[str] | csv.Error, line: int) -> Event:
    """The event of one record. Raises _RecordError."""
    if isinstance(cells, csv.Error):
        message = f"the record that begins here is no CSV ({cells}); quote cells as RFC 4180 says"
        raise _RecordError("event-csv", message, line)
    if len(cells) > len(header):
        message = f"{len(cells)} cells, the header has {len(header)}; quote cells that hold commas"
        raise _RecordError("event-csv-cells", message, line)
    if not _is_utf8(cells):
        place = next(column for column, cell in zip(header, cells, strict=False) if not _is_utf8([cell]))
        raise _RecordError("event-encoding", f"the cell {place} is no UTF-8; save the file as UTF-8", line)
    # A record that ends early has no values for the rest.
    row = [(column, cell) for column, cell in zip(header, cells, strict=False) if column and cell]
    twins = {column: decode_multivalue(cell) for column, cell in row if column.startswith(MV_PREFIX)}
    event: Event = {}
    for column, cell in row:
        name = column.removeprefix(MV_PREFIX)
        values = twins.get(MV_PREFIX + name, [])
        if column == name:
            values = [] if any(values) else [cell]
        for value in values:
            if value and name:
                add_value(event, name, value)
    return event


def _is_utf8(cells: list[str]) -> bool:
    return not any(_SURROGATE.search(cell) for cell in cells if not cell.isascii())


_Reader = Callable[[Iterator[bytes], str, list[Finding]], Iterator[Event | None]]
_READERS: dict[str, _Reader] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json_lines,
    ".csv": _read_csv,
}
