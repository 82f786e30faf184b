"""Windows events made from a rule's own values, as XML, and what they are to the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from builder.mappings import Mappings
from builder.queries.events import Asked, FieldProfile, asked
from sigmaengine.fields import Columns
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource, Rule
from sigmaengine.ruleset import from_rules

from .derived import event_for
from .powershellevents import xml_of

#: The elements of the System part, and those of them that are numbers.
_NUMBERS = ("EventRecordID", "Level", "Opcode", "Task", "Version")
_SYSTEM = ("Computer", "Keywords", *_NUMBERS)

#: (event's id, Windows' name, value) -> the value that such events have; '' if they have none.
Written = Callable[[str, str, str], str]


def plain_matcher(rule: Rule) -> Callable[[Mapping[str, str]], bool]:
    """Whether the rule matches an event of its log source whose fields have Sigma's names."""
    bare = rule._replace(logsource=LogSource(None, None, None))
    matcher = Matcher(from_rules([bare], RoutingTable({"keys": {}, "alternatives": []})), profile="none")
    return lambda event: bool(list(matcher.match(Columns(list(event)), list(event.values()))))


def made_events(
    rule: Rule, document: Any, mappings: Mappings, random: Random, count: int, written: Written = lambda *told: told[2]
) -> Iterator[tuple[str, dict[str, str]]]:
    """The XML of events of the rule's log source, and their fields by Sigma's names."""
    kinds = asked(rule, mappings, FieldProfile())
    for _ in range(count):
        yield _made(rule, document, random.choice(kinds), random, written)


def _made(rule: Rule, document: Any, kind: Asked, random: Random, written: Written) -> tuple[str, dict[str, str]]:
    fields = {name: value.replace("\r", "") for name, value in event_for(document, random).items()}
    words = fields.pop("_raw", "")
    when = {
        key: random.choice(globs).replace("*", "x")
        for whens in kind.events.taken
        for key, globs in random.choice(whens).items()
    }
    channel, event_id = when.pop("channel", fields.get("Channel") or "C"), when.pop("event_id", "")
    event_id = event_id or (fields["EventID"] if fields.get("EventID", "").isdigit() else "7")
    event = {
        name: written(event_id, kind.naming(name) if name in rule.fields() else name, value)
        for name, value in {**fields, **when}.items()
        if value and not (name in _NUMBERS and not value.isdigit()) and name != "Provider_Guid"
    }
    event = {name: value for name, value in event.items() if value} | {"Channel": channel, "EventID": event_id}
    event.setdefault("Provider_Name", "P")
    natives = {kind.naming(name): value for name, value in event.items() if name in rule.fields()} | when
    data = {
        name: value for name, value in natives.items() if name not in (*_SYSTEM, "Channel", "EventID", "Provider_Name")
    }
    system = {name: natives[name] for name in _SYSTEM if name in natives}
    xml = xml_of(channel, event_id, {**data, "Words": words}, event["Provider_Name"], **system)
    return xml, {**event, "_raw": xml}
