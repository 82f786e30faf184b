"""What a rule's mapping says, read by nobody's engine: for masks, and to make events from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One detection item as it is written: ``Field|modifier|...: values``; keywords have no field."""

    field: str
    modifiers: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def texts(self) -> list[str]:
        """Its values that are text."""
        return [value for value in self.values if isinstance(value, str)]


def entries(detection: Any) -> Iterator[Entry]:
    """The items of one identifier's content."""
    if isinstance(detection, Mapping):
        for key, value in detection.items():
            field, *modifiers = str(key).split("|")
            yield Entry(field, tuple(modifiers), tuple(value) if isinstance(value, list) else (value,))
    elif isinstance(detection, list):
        for one in detection:
            yield from entries(one)
    else:
        yield Entry("", (), (detection,))


def rule_entries(rule: Mapping[str, Any]) -> list[Entry]:
    """The items of a rule."""
    return [
        entry
        for name, content in rule["detection"].items()
        if name not in ("condition", "timeframe")
        for entry in entries(content)
    ]
