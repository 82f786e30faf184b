r"""Splunk's chunked protocol (version 2): chunks, and the CSV in them.

A chunk is ``chunked 1.0,<metadata bytes>,<body bytes>\n``, a JSON object, a CSV table. What a
table holds passes through this module unchanged: bytes that are no UTF-8, NUL, any line break
inside quotes. The csv module alone would lose or refuse some of them (NUL before Python 3.11).

A multivalue field ``x`` has a twin column ``__mv_x``: ``$a$;$b$`` with ``$`` doubled inside values,
empty where there is a single value.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from typing import IO, Any

MV_PREFIX = "__mv_"
MAX_METADATA = 64 * 1024 * 1024
MAX_BODY = 2**31 - 1

_HEADER = re.compile(rb"chunked 1\.0,(\d{1,12}),(\d{1,12})\n")
_MV_VALUE = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|\Z)")
_HALF_PAIR = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_PLAIN_CELL = re.compile(r"[A-Za-z0-9_.-]*\Z")

csv.field_size_limit(MAX_BODY)


class ChunkError(Exception):
    """The stream is not what the protocol says."""


def read_chunk(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next chunk as (metadata, body), or None at the end of the stream. Raises ChunkError."""
    line = stream.readline(64)
    if not line:
        return None
    found = _HEADER.fullmatch(line)
    if not found:
        raise ChunkError(f"expected a chunk's header, got {line!r}")
    metadata_length, body_length = int(found[1]), int(found[2])
    if metadata_length > MAX_METADATA or body_length > MAX_BODY:
        raise ChunkError(f"a chunk of {metadata_length} + {body_length} bytes is too large")
    try:
        metadata = json.loads(_read(stream, metadata_length) or b"{}")
    except (ValueError, RecursionError) as error:
        raise ChunkError(f"a chunk's metadata is no JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise ChunkError("a chunk's metadata is no JSON object")
    return metadata, _read(stream, body_length)


def _read(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise ChunkError(f"the stream ends inside a chunk: {len(data)} of {length} bytes")
    return data


def write_chunk(stream: IO[bytes], metadata: dict[str, Any], body: bytes | bytearray) -> None:
    """Write one chunk and flush it."""
    head = json.dumps(metadata, separators=(",", ":")).encode("ascii")
    stream.write(b"chunked 1.0,%d,%d\n" % (len(head), len(body)))
    stream.write(head)
    stream.write(body)
    stream.flush()


# Bytes that are no UTF-8 become lone surrogates and become the same bytes again.


def decode(body: bytes) -> str:
    """A body as text; ``encode`` gives the same bytes back, whatever they are."""
    return body.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of a body."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half of a surrogate pair that stands for no byte: escapes in YAML and JSON can name it.
        return _HALF_PAIR.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def split_records(text: str) -> list[str]:
    """The records of a CSV text, without their line ends; line breaks inside quotes do not end one.

    A quote that nothing closes makes the rest one record, and nothing is lost.
    """
    records: list[str] = []
    start, size = 0, len(text)
    while start < size:
        end = text.find("\n", start)
        end = size if end < 0 else end
        is_open = text.count('"', start, end) & 1
        while is_open and end < size:
            # Inside quotes: on to the next quote, however many lines further.
            quote = text.find('"', end)
            if quote < 0:
                end = size
                break
            end = text.find("\n", quote)
            end = size if end < 0 else end
            is_open = ~text.count('"', quote, end) & 1
        records.append(text[start:end])
        start = end + 1
    return records


def parse_record(record: str) -> list[str]:
    """The cells of one record, as the csv module reads it."""
    if '"' not in record:
        return record.split(",")
    if "\0" not in record:
        try:
            return next(csv.reader((record,)))
        except csv.Error:  # a bare carriage return outside quotes
            pass
    return _parse_slowly(record)


def _parse_slowly(record: str) -> list[str]:
    """As ``csv.reader`` reads a record, for what it refuses."""
    cells: list[str] = []
    position, end = 0, len(record)
    while position <= end:
        cell = ""
        if record.startswith('"', position):
            position += 1
            while True:
                quote = record.find('"', position)
                if quote < 0:
                    return [*cells, cell + record[position:]]
                cell += record[position:quote]
                position = quote + 1
                if not record.startswith('"', position):
                    break
                cell += '"'
                position += 1
        comma = record.find(",", position)
        comma = end if comma < 0 else comma
        cells.append(cell + record[position:comma])
        position = comma + 1
    return cells


def quote_cell(text: str) -> str:
    """A cell as CSV."""
    return text if _PLAIN_CELL.match(text) else '"' + text.replace('"', '""') + '"'


def write_record(cells: Iterable[str]) -> str:
    """A record as CSV, without a line end."""
    return ",".join(map(quote_cell, cells))


def decode_multivalue(text: str) -> list[str]:
    """The values in a ``__mv_`` cell."""
    values: list[str] = []
    # Not findall: on text that is no list of values it would try every place.
    found = _MV_VALUE.match(text)
    while found:
        values.append(found[1].replace("$$", "$"))
        found = _MV_VALUE.match(text, found.end())
    return values


def encode_multivalue(values: Sequence[str]) -> tuple[str, str]:
    """(plain cell, ``__mv_`` cell) of a field with these values."""
    if len(values) < 2:
        return "".join(values), ""
    return "\n".join(values), ";".join("$" + value.replace("$", "$$") + "$" for value in values)
