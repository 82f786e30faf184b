"""``build.py match``: events through the packaged command, or through the engine alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sigmaengine import ruleset
from sigmaengine.chunks import MV_PREFIX
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher

from .events import Event
from .package import Inputs, app_files, unpack
from .replay import Answers, Command, batches, event_chunk, rows

#: Takes an event's position through the pipeline. Names with ``_`` first are never event fields.
_POSITION = "_sigma_match_position"
#: Names that begin so are what an earlier search has added, and the twins of multivalue fields: no rule
#: looks at them, and as columns the command would take them for an earlier match and for other values.
_NEVER_FIELDS = ("sigma_", MV_PREFIX)


class Found(NamedTuple):
    """One match: ``event`` is the 0-based position over all files."""

    event: int
    rule_id: str
    title: str
    level: str


#: Gives matches in the order of the events, and of an event's in the order of the command's output.
Via = Callable[[Inputs, Iterable["Event | None"], Answers], Iterator[Found]]


def via_command(inputs: Inputs, events: Iterable[Event | None], answers: Answers) -> Iterator[Found]:
    """Through the command of the package that ``build.py package`` would write. Raises CommandError."""
    with tempfile.TemporaryDirectory() as temporary:
        app = unpack(app_files(inputs), Path(temporary))
        with Command(app, []) as command:
            for batch in batches({**event, _POSITION: str(position)} for position, event in _numbered(events)):
                yield from _found(command.send(event_chunk(batch), finished=False))
            yield from _found(command.send(b"", finished=True))
            answers.messages += command.answers.messages
            answers.metrics.update(command.answers.metrics)


def _numbered(events: Iterable[Event | None]) -> Iterator[tuple[int, Event]]:
    """(position, event) of every event that could be read."""
    for position, event in enumerate(events):
        if event is not None:
            yield position, {name: value for name, value in event.items() if not name.startswith(_NEVER_FIELDS)}


def _found(body: bytes) -> Iterator[Found]:
    for row in rows(body):
        for text in _listed(row["sigma_match"]):
            told = json.loads(text)
            yield Found(int(str(row[_POSITION])), told["id"], told["title"], told["level"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def via_engine(inputs: Inputs, events: Iterable[Event | None], answers: Answers) -> Iterator[Found]:
    """Through the engine alone, without the command and its package."""
    matcher = Matcher(ruleset.from_rules(inputs.folder.rules, inputs.mappings.routing))
    headers: dict[tuple[str, ...], Columns] = {}
    for position, event in _numbered(events):
        names = tuple(event)
        columns = headers.get(names)
        if columns is None:
            columns = headers[names] = Columns(names)
        cells = [value if isinstance(value, str) else make_cell(value) for value in event.values()]
        for match in matcher.match(columns, cells):
            info = match.info
            yield Found(position, info.id, info.title, info.level)
    counts = matcher.counts
    answers.messages.append(("INFO", f"{counts.events} events, {counts.routed} routed, {counts.matched} matched"))


VIA: dict[str, Via] = {"command": via_command, "engine": via_engine}
