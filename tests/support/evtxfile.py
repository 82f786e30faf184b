"""Writes small but real EVTX files, so that the tests need no file that Windows wrote.

A file is a header and chunks of 64 KiB; a chunk is a header and records; a record holds one event as
binary XML. As Windows does, an event is a template, written in the record itself, and the values
put into it. Source: the format as documented by libyal's libevtx ("Windows XML Event Log (EVTX) format").
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

CHUNK_SIZE = 65_536
RECORD_MAGIC = b"\x2a\x2a\x00\x00"
EVENTS_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"

_FILE_HEADER_SIZE = 4_096
_CHUNK_HEADER_SIZE = 512
_RECORD_HEADER = struct.Struct("<4sIQQ")  # magic, size, record number, FILETIME

# Tokens of binary XML, and what is added to one that is followed by attributes or by one more attribute.
_END_OF_FRAGMENT, _OPEN_ELEMENT, _CLOSE_START, _CLOSE_EMPTY, _END_ELEMENT, _ATTRIBUTE = 0, 1, 2, 3, 4, 6
_TEMPLATE_INSTANCE, _SUBSTITUTION, _OPTIONAL_SUBSTITUTION = 0x0C, 0x0D, 0x0E
_MORE = 0x40
_FRAGMENT_HEADER = b"\x0f\x01\x01\x00"

_NULL, _STRING, _FILETIME = 0x00, 0x01, 0x11
_1601 = datetime(1601, 1, 1, tzinfo=timezone.utc)

Value = str | datetime | None


@dataclass
class Element:
    """An XML element. A value of None is what Windows leaves out (an optional value that is null)."""

    name: str
    attributes: dict[str, Value] = field(default_factory=dict)
    content: Value = None
    children: Sequence[Element] = ()


def element(element_name: str, content: Value | Sequence[Element] = None, /, **attributes: Value) -> Element:
    """An element with a text, a time, children or nothing in it."""
    if content is None or isinstance(content, (str, datetime)):
        return Element(element_name, attributes, content)
    return Element(element_name, attributes, children=content)


def event(system: Sequence[Element], *parts: Element) -> Element:
    """``<Event>`` with its system part and what follows it."""
    return element("Event", [element("System", system), *parts], xmlns=EVENTS_NAMESPACE)


def filetime(moment: datetime) -> int:
    """Units of 100 ns since 1601."""
    difference = moment - _1601
    return ((difference.days * 86_400 + difference.seconds) * 1_000_000 + difference.microseconds) * 10


class _BinaryXml:
    """Binary XML of one record. Offsets in it count from the start of the chunk, in bytes."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.data = bytearray()
        self.values: list[Value] = []

    def write_event(self, root: Element) -> None:
        self.data += _FRAGMENT_HEADER
        # 1, the template's number, and its place: just behind these, as it is not shared.
        self.data += struct.pack("<BBII", _TEMPLATE_INSTANCE, 1, self.offset, self._here() + 10)
        self.data += struct.pack("<I16s", 0, b"template of test")
        size_at = self._reserve()
        self.data += _FRAGMENT_HEADER
        self._write_element(root)
        self.data.append(_END_OF_FRAGMENT)
        self._fill(size_at)
        self._write_values()
        self.data.append(_END_OF_FRAGMENT)

    def _here(self) -> int:
        return self.offset + len(self.data)

    def _reserve(self) -> int:
        self.data += bytes(4)
        return len(self.data)

    def _fill(self, size_at: int) -> None:
        """Write the number of bytes since ``_reserve`` into the place that it reserved."""
        struct.pack_into("<I", self.data, size_at - 4, len(self.data) - size_at)

    def _write_name(self, name: str) -> None:
        value = 0
        for unit in struct.unpack(f"<{len(name)}H", name.encode("utf-16-le")):
            value = (value * 65_599 + unit) & 0xFFFF_FFFF
        self.data += struct.pack("<IIHH", self._here() + 4, 0, value & 0xFFFF, len(name))
        self.data += name.encode("utf-16-le") + b"\0\0"

    def _write_element(self, node: Element) -> None:
        self.data += struct.pack("<BH", _OPEN_ELEMENT | (_MORE if node.attributes else 0), 0xFFFF)
        size_at = self._reserve()
        self._write_name(node.name)
        if node.attributes:
            self._write_attributes(node.attributes)
        if node.content is None and not node.children and node.name != "Data":
            self.data.append(_CLOSE_EMPTY)
        else:
            self.data.append(_CLOSE_START)
            for child in node.children:
                self._write_element(child)
            if not node.children:
                self._write_value(node.content)
            self.data.append(_END_ELEMENT)
        self._fill(size_at)

    def _write_attributes(self, attributes: dict[str, Value]) -> None:
        size_at = self._reserve()
        for number, (name, value) in enumerate(attributes.items(), 1):
            self.data.append(_ATTRIBUTE | (_MORE if number < len(attributes) else 0))
            self._write_name(name)
            self._write_value(value)
        self._fill(size_at)

    def _write_value(self, value: Value) -> None:
        token = _OPTIONAL_SUBSTITUTION if value is None else _SUBSTITUTION
        self.data += struct.pack("<BHB", token, len(self.values), _encoded(value)[0] or _STRING)
        self.values.append(value)

    def _write_values(self) -> None:
        encoded = [_encoded(value) for value in self.values]
        self.data += struct.pack("<I", len(encoded))
        for kind, data in encoded:
            self.data += struct.pack("<HBB", len(data), kind, 0)
        for _, data in encoded:
            self.data += data


def _encoded(value: Value) -> tuple[int, bytes]:
    if value is None:
        return _NULL, b""
    if isinstance(value, datetime):
        return _FILETIME, struct.pack("<Q", filetime(value))
    return _STRING, value.encode("utf-16-le")


def _record(number: int, moment: datetime, root: Element, offset: int) -> bytes:
    writer = _BinaryXml(offset + _RECORD_HEADER.size)
    writer.write_event(root)
    size = _RECORD_HEADER.size + len(writer.data) + 4
    header = _RECORD_HEADER.pack(RECORD_MAGIC, size, number, filetime(moment))
    return header + bytes(writer.data) + struct.pack("<I", size)


def _chunk(records: Sequence[bytes], first: int) -> bytes:
    data = b"".join(records)
    last = first + len(records) - 1
    free = _CHUNK_HEADER_SIZE + len(data)
    header = bytearray(_CHUNK_HEADER_SIZE)
    offsets = (128, free - len(records[-1]), free, zlib.crc32(data))
    struct.pack_into("<8s4Q4I", header, 0, b"ElfChnk\0", first, last, first, last, *offsets)
    struct.pack_into("<I", header, 124, zlib.crc32(header[:120] + header[128:]))
    return (bytes(header) + data).ljust(CHUNK_SIZE, b"\0")


def _chunks(events: Iterable[Element], moment: datetime) -> Iterator[bytes]:
    records: list[bytes] = []
    first, offset = 1, _CHUNK_HEADER_SIZE
    for number, root in enumerate(events, 1):
        record = _record(number, moment, root, offset)
        if offset + len(record) > CHUNK_SIZE:
            yield _chunk(records, first)
            records, first, offset = [], number, _CHUNK_HEADER_SIZE
            record = _record(number, moment, root, offset)
        records.append(record)
        offset += len(record)
    if records:
        yield _chunk(records, first)


def evtx_bytes(events: Sequence[Element], moment: datetime = datetime(2026, 11, 17, tzinfo=timezone.utc)) -> bytes:
    """An EVTX file of these events. ``moment``: when the records were written, as their headers say."""
    chunks = list(_chunks(events, moment))
    header = bytearray(_FILE_HEADER_SIZE)
    numbers = (0, max(len(chunks) - 1, 0), len(events) + 1)
    struct.pack_into("<8s3QI4H", header, 0, b"ElfFile\0", *numbers, 128, 1, 3, _FILE_HEADER_SIZE, len(chunks))
    struct.pack_into("<I", header, 124, zlib.crc32(header[:120]))
    return bytes(header) + b"".join(chunks)


def write_evtx(path: Path, events: Sequence[Element]) -> Path:
    """Write an EVTX file of these events."""
    path.write_bytes(evtx_bytes(events))
    return path


def damage_record(data: bytes, number: int) -> bytes:
    """The file with the binary XML of its ``number``-th record (1-based) made unreadable."""
    at = -1
    for _ in range(number):
        at = data.index(RECORD_MAGIC, at + 1)
    at += _RECORD_HEADER.size + len(_FRAGMENT_HEADER)
    return data[:at] + b"\x7f" + data[at + 1 :]
