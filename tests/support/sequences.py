"""Sequences of events for the project's own correlations, from ``tests/rules/correlation_*.yml``.

An event of a sequence is one of another rule's file, at a time of its own, with some fields changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from sigmaengine.ruletext import read_documents

from .apps import Row
from .cases import FOLDER, row_of

#: When the first sequence begins, and how far apart they begin: farther than any timespan of a correlation.
_BEGIN, _APART = 1_800_000_000, 30 * 86_400


class Sequence(NamedTuple):
    """``alerts``: what the correlation of the file ``correlation`` says of ``events``: none, for a near miss.

    ``first``: the position of its first event among those of all sequences.
    """

    id: str
    correlation: str
    first: int
    events: list[Row]
    alerts: list[dict[str, Any]]


def sequences() -> list[Sequence]:
    """All, far enough apart in time to be run together."""
    found: list[Sequence] = []
    for path in sorted((FOLDER / "rules").glob("correlation_*.yml")):
        (document,) = read_documents(path.read_bytes())
        templates = {name: _template(*told) for name, told in document["events"].items()}
        for entry in document["sequences"]:
            assert set(entry) == {"id", "events", "alerts"}, f"{path}: {entry.get('id')}: unknown or missing keys"
            begin = _BEGIN + len(found) * _APART
            first = sum(len(one.events) for one in found)
            events = [event for line in entry["events"] for event in _events(templates, begin, *line)]
            found.append(
                Sequence(f"{path.stem}-{entry['id']}", document["correlation"], first, events, entry["alerts"])
            )
    assert len({one.id for one in found}) == len(found), "an id is there twice"
    return found


def _template(rule: str, number: int) -> Row:
    """The positive event ``number`` of the file of ``rule``."""
    (document,) = read_documents((FOLDER / "rules" / f"{rule}.yml").read_bytes())
    return row_of(document["positive"][number])


def _events(
    templates: dict[str, Row], begin: int, times: Any, name: str, changes: dict[str, Any] | None = None
) -> Iterator[Row]:
    """An event for each of ``times``, in seconds; where a change is a list, each has its own value of it."""
    several = times if isinstance(times, list) else [times]
    for place, time in enumerate(several):
        own = {field: value[place] if isinstance(value, list) else value for field, value in (changes or {}).items()}
        yield {**changed(templates[name], own), "_time": str(begin + time)}


def changed(event: Row, changes: dict[str, Any]) -> Row:
    """An event with other values of some fields, in its ``_raw`` too."""
    raw = event["_raw"]
    assert isinstance(raw, str)
    for field, value in changes.items():
        old = str(event[field])
        for before, behind in ((f"<Data Name='{field}'>", "</Data>"), (f"<{field}>", f"</{field}>")):
            if before + escape(old) + behind in raw:
                raw = raw.replace(before + escape(old) + behind, before + escape(str(value)) + behind)
                break
        else:
            raise AssertionError(f"{field}: {old!r} is not in _raw")
    return {**event, **{field: str(value) for field, value in changes.items()}, "_raw": raw}
