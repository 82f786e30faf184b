"""The events of the benchmarks, as the files that the measured programs read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from builder.replay import batches
from sigmaengine import chunks

from . import generated
from .places import shared
from .store import digest, identity, kept
from .streams import bodies_of, event_chunk, first_chunk, write_stream

SET_D = "data/baseline-events.jsonl.gz"
SET_C = "data/attack-events.jsonl.gz"
RECORDING = "splunkd-recordings/splunkd-6.3-50000-events-24-fields.gz"
#: Every event of a quick run's share of set d.
QUICK_STRIDE = 10

# Notes about an event, which are no fields of it.
_NOTES = ("_idx", "_file", "_mv", "_dup_of")
_OWN = digest([Path(__file__), Path(generated.__file__)])
_MARK = "@@number@@"

Event = dict[str, str]


def _objects(path: Path) -> Iterator[Any]:
    with gzip.open(path) as lines:
        yield from map(json.loads, lines)


def _events(name: str) -> Iterator[Event]:
    for event in _objects(shared(name)):
        yield {key: value for key, value in event.items() if key not in _NOTES}


def _write_lines(target: Path, events: Iterable[Event]) -> None:
    with target.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


def _read_lines(path: Path) -> Iterator[Event]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _events_file(name: str, source: str, events: Callable[[], Iterable[Event]]) -> Path:
    return kept(name, f"{_OWN} {source}", lambda target: _write_lines(target, events()))


def _stream_file(name: str, source: str, events: Callable[[], Iterable[Event]]) -> Path:
    def make(target: Path) -> None:
        write_stream(target, (event_chunk(batch) for batch in batches(events())))

    return kept(name, f"{_OWN} {source}", make)


def mixed_events() -> Path:
    """Set d. Raises NotRunError."""
    return _events_file("events-d.jsonl", identity(shared(SET_D)), lambda: _events(SET_D))


def attack_events() -> Path:
    """Set c. Raises NotRunError."""
    return _events_file("events-c.jsonl", identity(shared(SET_C)), lambda: _events(SET_C))


def mixed_stream(*, quick: bool) -> Path:
    """Set d, or an even share of it, as splunkd sends it: the union of all fields, their twins. Raises NotRunError."""
    stride = QUICK_STRIDE if quick else 1
    events = mixed_events()
    return _stream_file(
        f"stream-d-{stride}.chunks", identity(shared(SET_D)), lambda: islice(_read_lines(events), 0, None, stride)
    )


def recorded_stream() -> Path:
    """The 50,000 x 24 recording of a splunkd. Raises NotRunError."""
    recording = shared(RECORDING)

    def make(target: Path) -> None:
        with gzip.open(recording) as file:
            write_stream(target, list(bodies_of(iter(lambda: chunks.read_chunk(file), None))))

    return kept("stream-recording.chunks", f"{_OWN} {identity(recording)}", make)


def _sysmon_process_creations() -> list[Event]:
    channel = "Microsoft-Windows-Sysmon/Operational"
    found: dict[tuple[str, str], Event] = {}
    for path in (mixed_events(), attack_events()):
        for event in _read_lines(path):
            if event.get("Channel") == channel and event.get("EventCode") == "1" and event.get("CommandLine"):
                found.setdefault((event["CommandLine"], event.get("ParentCommandLine", "")), event)
    return list(found.values())


def new_events(count: int) -> Path:
    """Process creations of which every command line is new. Raises NotRunError."""
    source = f"{identity(shared(SET_D))} {identity(shared(SET_C))} {count}"
    return _events_file(
        f"events-new-{count}.jsonl",
        source,
        lambda: generated.new_process_creations(_sysmon_process_creations(), count),
    )


def repeated_events(count: int, distinct: int) -> Path:
    """``count`` process creations with ``distinct`` command lines, evenly mixed. Raises NotRunError."""
    known = new_events(50_000)

    def events() -> Iterator[Event]:
        read = list(islice(_read_lines(known), distinct))
        return (read[number % distinct] for number in range(count))

    return _events_file(f"events-repeated-{count}-{distinct}.jsonl", f"{known.stat().st_size}", events)


def one_event_stream() -> Path:
    """A search over a single process creation. Raises NotRunError."""
    known = new_events(50_000)
    return _stream_file("stream-one.chunks", str(known.stat().st_size), lambda: islice(_read_lines(known), 1))


def wide_stream(columns: int, count: int) -> Path:
    """Process creations, 500 in turn, with columns of short values added up to ``columns``. Raises NotRunError."""
    known = repeated_events(count, 500)

    def events() -> Iterator[Event]:
        for event in _read_lines(known):
            more = {f"extra_{place:03}": f"value {place}" for place in range(max(0, columns - len(event)))}
            yield {**event, **more}

    return _stream_file(f"stream-wide-{columns}-{count}.chunks", str(known.stat().st_size), events)


def new_stream(count: int) -> Path:
    """Process creations of which every command line is new. Raises NotRunError."""
    known = new_events(50_000)
    return _stream_file(
        f"stream-new-{count}.chunks", str(known.stat().st_size), lambda: islice(_read_lines(known), count)
    )


def raw_bytes() -> float:
    """Mean size of ``_raw`` in set d, in bytes, by every tenth event. Raises NotRunError."""
    with mixed_events().open(encoding="utf-8") as file:
        sizes = [len(json.loads(line)["_raw"].encode()) for line in islice(file, 0, None, 10)]
    return sum(sizes) / len(sizes)


def json_stream(count: int) -> Path:
    """Events with JSON in ``_raw``; needs no shared data."""
    return _stream_file(f"stream-json-{count}.chunks", "", lambda: generated.json_events(count))


def xml_stream(count: int) -> Path:
    """Windows events whose data are in an XML ``_raw`` alone; needs no shared data."""
    return _stream_file(f"stream-xml-{count}.chunks", "", lambda: generated.xml_events(count))


def templates(options: tuple[str, ...], *, raw: bool) -> Path:
    """What ``children/feed.py`` makes any number of process creations from. Raises NotRunError.

    The rows are those of a chunk, with a mark in the place of a number in each command line.
    """
    known = new_events(50_000)

    def make(target: Path) -> None:
        events = []
        for event in islice(_read_lines(known), 500):
            marked = {**event, "CommandLine": f"{event['CommandLine']} {_MARK}"}
            marked["_raw"] = event["_raw"].replace(
                escape(event["CommandLine"], quote=False), escape(marked["CommandLine"], quote=False), 1
            )
            events.append(marked if raw else {name: value for name, value in marked.items() if name != "_raw"})
        header, *rows = chunks.split_records(event_chunk(events).decode())
        content = {
            "getinfo": first_chunk(options).decode(),
            "header": header + "\n",
            "rows": [row + "\n" for row in rows],
            "mark": _MARK,
        }
        target.write_text(json.dumps(content), "utf-8")

    name = f"templates-{'raw' if raw else 'fields'}-{'-'.join(options)}.json"
    return kept(name, f"{_OWN} {known.stat().st_size}", make)
