"""All saved searches of a package: ``savedsearches.conf``, ``macros.conf``, and what the report says of them.

``PARTS`` is the table of contents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from builder.texts import escaped

from .alertrow import ALERT_FIELDS, definition
from .byrule import by_rule, refused_datamodels
from .bystream import KIND, by_stream, is_on
from .conf import Stanza, conf, is_kind, stanza_name
from .context import UNNAMED, Context, Part
from .correlations import alerting_correlations, by_correlation, not_searched
from .retired import retired, retired_stanza
from .slots import slots, this_package
from .stanzas import index_macros
from .streams import Stream
from .summary import EVENTTYPES, PROPS, TAGS, by_summary

#: Each makes some of the searches, and the macros that only these use.
PARTS: tuple[Callable[[Context], Part], ...] = (by_stream, by_rule, by_correlation, by_summary)

# How many of a kind the summary for people names.
_SHOWN = 10
_HEADING = (
    "Written by the build; what is changed here is lost with the next one.\n"
    "Your own settings belong into local/, where they stay: docs/searches.md."
)


class Written(NamedTuple):
    """The stanzas of both files."""

    saved: dict[str, Stanza]
    macros: dict[str, Stanza]


class Searches:
    """The searches of a package.

    ``version``: the package's; ``previous``: the build report of an earlier one, if there was one.
    """

    def __init__(self, context: Context, version: str, previous: Mapping[str, Any] | None = None) -> None:
        self.context, self.version, self.previous = context, version, previous

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

    @cached_property
    def retired(self) -> list[dict[str, str]]:
        """The searches that earlier packages had: name, and since which version it is gone."""
        return retired(self.previous, self.written.saved, self.version)

    def files(self) -> dict[str, str]:
        """The text of each file of the app's ``default/``."""
        gone = {one["name"]: retired_stanza(one) for one in self.retired}
        stanzas: dict[str, Mapping[str, Stanza]] = {
            "savedsearches.conf": {**self.written.saved, **gone},
            "macros.conf": self.written.macros,
            "eventtypes.conf": EVENTTYPES,
            "tags.conf": TAGS,
            "props.conf": PROPS,
        }
        return {name: conf(content, _HEADING) for name, content in stanzas.items()}

    def report(self) -> dict[str, Any]:
        """For the build report."""
        layout = self.context.layout
        return {
            "streams": [self._stream(stream) for stream in layout.streams],
            "by_rule": len(self.context.alone),
            "not_searched": [{"id": one, "why": why} for one, why in sorted(self._not_searched().items())],
            "datamodel_refused": [{"id": one, "why": why} for one, why in sorted(self._refused_datamodels.items())],
            "rules_in_every_stream": list(layout.everywhere),
            "rules_in_no_stream": list(layout.nowhere),
            "slots": self._slots,
            "names": list(self.written.saved),
            "retired": self.retired,
        }

    def kinds(self) -> dict[str, str]:
        """Id of a rule or correlation -> how it is searched; without those that are not."""
        return {
            **{one.id: "stream" for one in self.context.shared if one.id not in self.context.layout.nowhere},
            **dict.fromkeys(self.context.alone, "rule"),
            **{one.id: "correlation" for one in alerting_correlations(self.context)},
        }

    @cached_property
    def _slots(self) -> dict[str, Any]:
        return {**slots(self.context), "this_package": this_package(self.written.saved)}

    @cached_property
    def _refused_datamodels(self) -> dict[str, str]:
        return refused_datamodels(self.context)

    def _not_searched(self) -> dict[str, str]:
        return {**dict.fromkeys(self.context.nameless, UNNAMED), **not_searched(self.context)}

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
        lines = [self._stream_line()]
        for kind, what in (("Rule", "single rules"), ("Correlation", "correlations")):
            count = sum(is_kind(name, kind) for name in self.written.saved)
            lines += [f"{count} searches of {what}"] if count else []
        if self._refused_datamodels:
            lines.append(f"  {len(self._refused_datamodels)} rules are sought in no data model, see the report")
        refused = sorted(self._not_searched().items())
        lines += [f"  {escaped(one)} has no search: {escaped(why)}" for one, why in refused[:_SHOWN]]
        if len(refused) > _SHOWN:
            lines.append(f"  and {len(refused) - _SHOWN} more, see the report")
        return [*lines, *self._slot_lines()]

    def _stream_line(self) -> str:
        context, streams = self.context, self.context.layout.streams
        if streams:
            on = sum(is_on(context, stream) for stream in streams)
            return f"{len(streams)} searches by event stream for {len(context.shared)} rules, {on} of them switched on"
        why = "no rule is selected that alerts by itself"
        if context.shared:
            why = "no event is of a log source of a selected rule"
        elif context.alone:
            why = "every rule that alerts has a search of its own"
        return f"no search by event stream: {why}"

    def _slot_lines(self) -> list[str]:
        need, own = self._slots, self._slots["this_package"]
        if not own["searches"]:
            return []
        said = (
            f"{own['slots']} of {need['available']} slots on {need['cores']} cores if all are switched on; one search"
            f" a rule would need {need['by_rule']['slots']}, by event stream {need['by_stream']['slots']}"
        )
        lines = [said]
        if own["slots"] > need["available"]:
            lines.append(
                "  warning: that is more than there are, and runs will be late: leave rules to the searches by event"
                " stream, or give longer periods"
            )
        return lines


def _add(found: dict[str, Any], more: Any) -> None:
    for name, content in more.items():
        if name in found:
            raise ValueError(f"two parts write {name}")
        found[name] = content
