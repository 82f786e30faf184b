"""Windows event log files (EVTX) -> events as Splunk shows them.

That is: as the universal forwarder sends them with ``renderXml = true`` and as the Splunk Add-on for
Microsoft Windows extracts them for ``XmlWinEventLog`` at search time ("Generic XML eventlog extraction"
in its transforms.conf): the elements of ``<System>``, its attributes *with their quotes*, ``<Data Name='X'>``
and what ``<RenderingInfo>`` holds, values with their XML entities, a name that comes again as one more
value. Unnamed ``<Data>`` and ``<UserData>`` stay in ``_raw`` alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from evtx import PyEvtxParser

from sigmaengine.fields import clean_name

from .findings import Finding, error

#: An event as Splunk's search shows it: field -> its value, or the values of a multivalue field.
Event = dict[str, str | list[str]]

# Sizes in bytes, after the format's documentation.
_FILE_HEADER = 4_096
_CHUNK = 65_536
_SMALLEST_RECORD = 28

_OWN_FIELDS = frozenset(("host", "source", "sourcetype"))

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>\s*")
_TAG_WITH_ATTRIBUTES = re.compile(r'<[^<>"]*"[^<>]*>')
_EMPTY_ELEMENT = re.compile(r"<([^\s<>/]+)([^<>]*)></\1>")
_FRACTION = re.compile(r"( SystemTime='[^'.]*?)(?:\.(\d*))?Z'")

_SYSTEM = re.compile(r"<System(?:\s[^>]*)?>(.*?)</System>", re.DOTALL)
_EVENT_DATA = re.compile(r"<EventData(?:\s[^>]*)?>(.*?)</EventData>", re.DOTALL)
_RENDERING_INFO = re.compile(r"<RenderingInfo(?:\s[^>]*)?>(.*?)</RenderingInfo>", re.DOTALL)
_PLAIN_ELEMENT = re.compile(r"<(\w+)>([^<]+)</\1>")
_QUOTED_ATTRIBUTE = re.compile(r"\s([^\s=]+)=('[^<']+')")
_NAMED_DATA = re.compile(r"<\w+\sName='([^>]*?)'(?:\s[^>]*)?>([^<]+)")
_EVENT_CODE = re.compile(r"<EventID[^>]*>([^<]+)</EventID>")
_COMPUTER = re.compile(r"<Computer>([^.<]+)[^<]*</Computer>")
_CHANNEL = re.compile(r"<Channel>([^<]+)</Channel>")
_SYSTEM_TIME = re.compile(r"\sSystemTime='([^'.]+)\.(\d{6})\d*Z'")

_DAMAGED_RECORD = re.compile(r"record number (\d+): (.*)", re.DOTALL)


def add_value(event: Event, name: str, value: str) -> None:
    """Give ``name`` one more value."""
    earlier = event.get(name)
    if earlier is None:
        event[name] = value
    elif isinstance(earlier, str):
        event[name] = [earlier, value]
    else:
        earlier.append(value)


def read_evtx(path: Path, name: str, findings: list[Finding]) -> Iterator[Event | None]:
    """The events of an EVTX file, in its order; None for what is damaged, whose finding is appended.

    ``name``: the file's name for findings; their line is the record's place in the file, from 1.
    Raises OSError if the file cannot be read.
    """
    size = path.stat().st_size
    try:
        records = PyEvtxParser(str(path), number_of_threads=1, indent=False).records()
    except RuntimeError as fault:
        message = f"is no Windows event log (EVTX): {fault}; give a file that Event Viewer or wevtutil saved"
        findings.append(error(name, 1, "event-file-damaged", message))
        return
    latest = 0
    # Every step reads a record at least, so no file can hold the reader for ever.
    for place in range(1, size // _SMALLEST_RECORD + 2):
        try:
            record: dict[str, Any] | None = next(records, None)
        except RuntimeError as fault:
            findings.append(error(name, place, "event-record-damaged", _damage(str(fault), latest)))
            yield None
            continue
        if record is None:
            break
        latest = record["event_record_id"]
        yield event_from_xml(record["data"])
    if size > _FILE_HEADER and (size - _FILE_HEADER) % _CHUNK:
        message = "the file is cut off, its last records may be missing; copy the log once more"
        findings.append(error(name, 1, "event-file-damaged", message))


def _damage(fault: str, latest: int) -> str:
    found = _DAMAGED_RECORD.search(fault)
    if found:
        return f"record {found[1]} is damaged and left out ({found[2]}); copy the log once more if it matters"
    return (
        f"behind record {latest} the log is damaged ({fault}); up to {_CHUNK // 1024} KiB of records"
        " are left out; copy the log once more if they matter"
    )


def windows_xml(text: str) -> str:
    """An event's XML as Windows renders it, from that of the ``evtx`` package (without indentation).

    No declaration, single quotes around attributes, ``<Security/>`` for what is empty in the system
    part, seven digits of a second.
    """
    text = _DECLARATION.sub("", text, count=1)
    text = _TAG_WITH_ATTRIBUTES.sub(_with_single_quotes, text)
    system = _SYSTEM.search(text)
    if not system:
        return text
    start, end = system.span(1)
    inside = _EMPTY_ELEMENT.sub(r"<\1\2/>", text[start:end])
    inside = _FRACTION.sub(lambda found: f"{found[1]}.{found[2] or '':0<7}Z'", inside)
    return text[:start] + inside + text[end:]


def _with_single_quotes(tag: re.Match[str]) -> str:
    # Inside a tag every double quote that is no delimiter is an entity.
    return tag[0].replace("'", "&apos;").replace('"', "'").replace("&quot;", '"')


def event_from_xml(text: str) -> Event:
    """The event that Splunk shows for the XML of one record."""
    raw = windows_xml(text)
    event: Event = {"sourcetype": "XmlWinEventLog", "_raw": raw}
    found = _SYSTEM.search(raw)
    if found:
        _add_system(event, found[1])
    for data in _EVENT_DATA.findall(raw):
        for name, value in _NAMED_DATA.findall(data):
            _add(event, name, value)
    found = _RENDERING_INFO.search(raw)
    if found:
        for name, value in _PLAIN_ELEMENT.findall(found[1]):
            _add(event, name, value)
    return event


def _add_system(event: Event, system: str) -> None:
    channel, computer = _CHANNEL.search(system), _COMPUTER.search(system)
    if channel:
        event["source"] = f"XmlWinEventLog:{channel[1]}"
    if computer:
        event["host"] = computer[1]
    time = _SYSTEM_TIME.search(system)
    if time:
        _add_time(event, time[1], time[2])
    for name, value in _PLAIN_ELEMENT.findall(system) + _QUOTED_ATTRIBUTE.findall(system):
        _add(event, name, value)
    code = _EVENT_CODE.search(system)
    if code:  # <EventID Qualifiers='...'> is no plain element: the event then has no EventID
        event["EventCode"] = code[1]
    if "EventRecordID" in event:
        event["RecordNumber"] = event["EventRecordID"]


def _add_time(event: Event, moment: str, microseconds: str) -> None:
    try:
        seconds = datetime.fromisoformat(f"{moment}+00:00").timestamp()
    except ValueError:  # a damaged time is no time
        return
    event["_time"] = f"{seconds + int(microseconds) / 1e6:.6f}"


def _add(event: Event, name: str, value: str) -> None:
    cleaned = _field_name(name)
    if cleaned:
        add_value(event, cleaned, value)


@functools.lru_cache(maxsize=10_000)
def _field_name(name: str) -> str:
    """``name`` as Splunk cleans it (CLEAN_KEYS), or "" if the field would hide one of Splunk's own."""
    cleaned = clean_name(name).lstrip("_")
    return "" if cleaned in _OWN_FIELDS else cleaned
