"""All saved searches of a package: ``savedsearches.conf``, ``macros.conf``, and what the report says of them.

``PARTS`` is the table of contents.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

from .alertrow import ALERT_FIELDS, definition
from .bystream import KIND, by_stream, is_on
from .conf import Stanza, conf, stanza_name
from .context import Context, Part
from .slots import slots
from .stanzas import index_macros
from .streams import Stream

#: Each makes some of the searches, and the macros that only these use.
PARTS: tuple[Callable[[Context], Part], ...] = (by_stream,)

_HEADING = (
    "Written by the build; what is changed here is lost with the next one.\n"
    "Your own settings belong into local/, where they stay: docs/searches.md."
)


class Written(NamedTuple):
    """The stanzas of both files."""

    saved: dict[str, Stanza]
    macros: dict[str, Stanza]


class Searches:
    """The searches of a package."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def written(self) -> Written:
        """Every stanza. Raises ValueError if two parts write the same one."""
        saved: dict[str, Stanza] = {}
        macros: dict[str, str] = {}
        used: dict[str, None] = {}
        for part in (make(self.context) for make in PARTS):
            _add(saved, part.saved)
            _add(macros, part.macros)
            used.update(dict.fromkeys(part.products))
        if saved:
            _add(macros, {**index_macros(self.context.configuration, used), ALERT_FIELDS: definition()})
        return Written(saved, {name: {"definition": macros[name], "iseval": "0"} for name in sorted(macros)})

    def savedsearches_conf(self) -> str:
        """The file's text."""
        return conf(self.written.saved, _HEADING)

    def macros_conf(self) -> str:
        """The file's text."""
        return conf(self.written.macros, _HEADING)

    def report(self) -> dict[str, Any]:
        """For the build report."""
        layout = self.context.layout
        return {
            "streams": [self._stream(stream) for stream in layout.streams],
            "by_rule": len(self.context.alone),
            "rules_in_every_stream": list(layout.everywhere),
            "rules_in_no_stream": list(layout.nowhere),
            "slots": slots(self.context),
        }

    def _stream(self, stream: Stream) -> dict[str, Any]:
        return {
            "name": stream.name,
            "search": stanza_name(KIND, stream.name),
            "enabled": is_on(self.context, stream),
            "rules": len(stream.rules),
            # Without these rules it would not read the events that no other rule of it can match.
            "rules_of_any_event": list(stream.wide),
        }

    def summary_lines(self) -> list[str]:
        """The summary for people."""
        context, need = self.context, slots(self.context)
        streams = context.layout.streams
        if not streams:
            return ["no search by event stream: no event is of a log source of a selected rule"]
        on = sum(is_on(context, stream) for stream in streams)
        by = need["by_stream"], need["by_rule"]
        return [
            (
                f"{len(streams)} searches by event stream for {len(context.shared)} rules, {on} of them switched on;"
                f" {by[0]['slots']} of {need['available']} slots on {need['cores']} cores, one search a rule"
                f" would need {by[1]['slots']}"
            )
        ]


def _add(found: dict[str, Any], more: Any) -> None:
    for name, content in more.items():
        if name in found:
            raise ValueError(f"two parts write {name}")
        found[name] = content
