"""Which events a log source means, from a table of channels and event codes (``logsource-map.json``).

It shares neither code nor data with this project's ``mappings/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Alternative(NamedTuple):
    """Events that a log source means: conditions on their fields, and what fields stand under another name."""

    channels: tuple[str, ...] | None
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    fields: tuple[tuple[str, str], ...]

    def takes(self, event: Mapping[str, str]) -> bool:
        """True if the event is one of them."""
        if self.channels is not None and event.get("Channel", "").lower() not in self.channels:
            return False
        return all(event.get(field) in values for field, values in self.conditions)


ANYTHING = Alternative(None, (), ())


class Map:
    """The table."""

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_text("utf-8"))
        self.categories: dict[str, list[Alternative]] = {
            name: [_alternative(entry) for entry in entries] for name, entries in content["categories"].items()
        }
        self.services = {name: _channels(channels) for name, channels in content["services"].items()}

    def alternatives(self, logsource: Mapping[str, Any]) -> list[Alternative]:
        """The events that a rule's ``logsource`` means; all events here are of Windows."""
        product, category, service = (logsource.get(key) for key in ("product", "category", "service"))
        if product not in (None, "windows"):
            return []
        found = self.categories.get(category, []) if category else [ANYTHING]
        if service:
            channels = self.services.get(service, ())
            found = [_within(one, channels) for one in found]
        return found


def _channels(names: list[str]) -> tuple[str, ...]:
    # Their case varies in real logs.
    return tuple(name.lower() for name in names)


def _alternative(entry: Mapping[str, Any]) -> Alternative:
    conditions = tuple((field, tuple(map(str, values))) for field, values in entry["conditions"].items())
    return Alternative(_channels(entry["channel"]), conditions, tuple(entry["fieldmappings"].items()))


def _within(one: Alternative, channels: tuple[str, ...]) -> Alternative:
    both = channels if one.channels is None else tuple(name for name in one.channels if name in channels)
    return one._replace(channels=both)
