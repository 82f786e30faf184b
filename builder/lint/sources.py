"""Checks of log sources and names of fields."""

from __future__ import annotations

from collections.abc import Iterator

from sigmaengine.problems import Problem, shown
from sigmaengine.rule import LogSource

from .detections import Item
from .subject import Subject, warning


def check_logsource(subject: Subject) -> Iterator[Problem]:
    """A log source that no event is known to be of."""
    source = _logsource(subject)
    if source is None or not any(source):
        return
    routing = subject.knowledge.routing
    if routing.is_mapped(source):
        return
    known = sorted(
        {
            str(one.logsource)
            for one in routing.alternatives
            if source.product and one.logsource.product == source.product
        }
    )
    hint = f"mapped of this product: {_some(known)}" if known else "nothing of this product is mapped"
    message = (
        f"no event is known to be of the log source {source}: the rule matches only in searches with"
        f" logsource={source}, or with a mapping of yours; {hint}"
    )
    yield warning("logsource-unmapped", message, ("logsource",))


def _some(names: list[str], limit: int = 6) -> str:
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")


def _logsource(subject: Subject) -> LogSource | None:
    """The rule's log source, or None if there is none that can be read."""
    content = subject.document.get("logsource")
    if not subject.is_rule or not isinstance(content, dict):
        return None
    parts = [content.get(key) or "" for key in LogSource._fields]
    return LogSource(*(part.strip().lower() for part in parts)) if all(isinstance(one, str) for one in parts) else None


def check_fields(subject: Subject) -> Iterator[Problem]:
    """Fields spelt in two ways, and fields that differ by case alone from the one that the log source has."""
    if subject.detection is None:
        return
    known = _known(subject)
    first: dict[str, Item] = {}
    told: set[str] = set()
    for item in subject.detection.items():
        name = item.field
        if name is None or name in told:
            continue
        other = first.setdefault(name.lower(), item)
        if other.field != name:
            told.add(name)
            message = f"the field {shown(name)} is {shown(other.field)} elsewhere in the rule: names are case-sensitive"
            yield warning("field-case", message, item.where)
        elif name not in known and name.lower() in known.values():
            told.add(name)
            right = next(spelling for spelling, lowered in known.items() if lowered == name.lower())
            message = f"events of this log source have {shown(right)}, not {shown(name)}: names are case-sensitive"
            yield warning("field-case", message, item.where)


def _known(subject: Subject) -> dict[str, str]:
    """Names of fields that the mappings give to the rule's log source -> the same in lower case."""
    source = _logsource(subject)
    if source is None or not any(source):
        return {}
    routing = subject.knowledge.routing
    found = routing.contributors(source, range(len(routing.alternatives)))
    return {name: name.lower() for index in found for name in routing.alternatives[index].aliases}
