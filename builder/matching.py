"""``build.py match``: events through the packaged commands, or through the engine alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from sigmaengine import ruleset
from sigmaengine.alertrows import alert_values
from sigmaengine.basematches import BaseMatches
from sigmaengine.chunks import MV_PREFIX
from sigmaengine.correlationplan import CorrelationPlan
from sigmaengine.fields import Cell, Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.timesort import TimeSorter
from sigmaengine.views import Views

from .events import Event
from .package import Inputs, app_files, unpack
from .replay import CORRELATE, Answers, Command, batches, event_chunk, rows

#: Takes an event's position through the pipeline. Names with ``_`` first are never event fields.
_POSITION = "_sigma_match_position"
#: What an alert calls its events by: as events in files are in no index, their position.
_ADDRESS, _BUCKET = "_cd", "_bkt"
#: Names that begin so are what an earlier search has added, and the twins of multivalue fields: no rule
#: looks at them, and as columns the command would take them for an earlier match and for other values.
_NEVER_FIELDS = ("sigma_", MV_PREFIX)


class Found(NamedTuple):
    """One match: ``event`` is the 0-based position over all files.

    Of a correlation's alert, it is the event that completed it; ``alert`` has the group's fields, the
    value, the time and the events.
    """

    event: int
    rule_id: str
    title: str
    level: str
    alert: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """As a line of output."""
        *told, alert = self
        return {**dict(zip(self._fields, told, strict=False)), **(alert or {})}


#: Gives matches in the order of the events, and of an event's in the order of the command's output; then alerts.
Via = Callable[[Inputs, Iterable["Event | None"], Answers], Iterator[Found]]


def via_command(inputs: Inputs, events: Iterable[Event | None], answers: Answers) -> Iterator[Found]:
    """Through the commands of the package that ``build.py package`` would write. Raises CommandError."""
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        app = unpack(app_files(inputs), Path(temporary))
        commands = [running.enter_context(Command(app, []))]
        if inputs.folder.correlations:
            commands.append(running.enter_context(Command(app, [], command=CORRELATE)))
        for batch in batches({**event, _POSITION: str(position)} for position, event in _numbered(events)):
            yield from _found(_sent(commands, event_chunk(batch), finished=False))
        yield from _found(_sent(commands, b"", finished=True))
        for command in commands:
            command.finish()
            answers.messages += command.answers.messages
            answers.metrics.update(command.answers.metrics)


def _sent(commands: Iterable[Command], body: bytes, *, finished: bool) -> bytes:
    """What becomes of a chunk that goes through all commands."""
    for command in commands:
        body = command.send(body, finished=finished)
    return body


def _numbered(events: Iterable[Event | None]) -> Iterator[tuple[int, Event]]:
    """(position, event) of every event that could be read."""
    for position, event in enumerate(events):
        if event is not None:
            kept = {name: value for name, value in event.items() if not name.startswith(_NEVER_FIELDS)}
            yield position, {**kept, _ADDRESS: str(position), _BUCKET: ""}


def _found(body: bytes) -> Iterator[Found]:
    for row in rows(body):
        if row.get("sigma_correlation_type"):
            yield _alert({name: _listed(value) for name, value in row.items()})
            continue
        for text in _listed(row["sigma_match"]):
            told = json.loads(text)
            yield Found(int(str(row[_POSITION])), told["id"], told["title"], told["level"])


def _alert(values: dict[str, list[str]]) -> Found:
    """The match that an alert's row tells of."""
    listed = [json.loads(text) for text in values["sigma_events"]]
    events = [{"event": int(one.pop(_ADDRESS)), "time": one.pop("_time"), **one} for one in listed]
    value = values["sigma_value"][0]
    return Found(
        events[-1]["event"],
        values["sigma_rule_id"][0],
        values["sigma_rule_title"][0],
        values["sigma_severity"][0],
        {
            "group": json.loads(values["sigma_group"][0]),
            "value": int(value) if value.lstrip("-").isdigit() else float(value),
            "time": values["_time"][0],
            "events": events,
        },
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def via_engine(inputs: Inputs, events: Iterable[Event | None], answers: Answers) -> Iterator[Found]:
    """Through the engine alone, without the commands and their package."""
    rules = ruleset.from_rules(inputs.folder.rules, inputs.mappings.routing, inputs.folder.correlations)
    matcher = Matcher(rules)
    plan = CorrelationPlan(rules.correlations, lambda _: True)
    with closing(TimeSorter()) as sorter:
        matches = BaseMatches(plan, rules.logsources(plan.fields), Views(rules.routing), sorter)
        for position, columns, cells in _rows(events):
            infos = [match.info for match in matcher.match(columns, cells)]
            matches.add(columns, cells, [info.id for info in infos], position)
            for info in infos:
                if info.id not in plan.hidden:
                    yield Found(position, info.id, info.title, info.level)
        for alert in matches.alerts():
            yield _alert(alert_values(alert))
    counts = matcher.counts
    answers.messages.append(("INFO", f"{counts.events} events, {counts.routed} routed, {counts.matched} matched"))
    if matches.untimed:
        answers.messages.append(("WARN", f"{matches.untimed} matches took no part in correlations: no usable _time"))


def _rows(events: Iterable[Event | None]) -> Iterator[tuple[int, Columns, list[Cell]]]:
    """(position, columns, cells) of every event that could be read."""
    headers: dict[tuple[str, ...], Columns] = {}
    for position, event in _numbered(events):
        names = tuple(event)
        columns = headers.get(names)
        if columns is None:
            columns = headers[names] = Columns(names)
        yield position, columns, [value if isinstance(value, str) else make_cell(value) for value in event.values()]


VIA: dict[str, Via] = {"command": via_command, "engine": via_engine}
