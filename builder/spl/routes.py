"""Events that are told apart by routing keys -> an expression, and the places of their fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from builder.kinds import Events, When, glob_parts, kinds
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from .bounds import Bounds, all_of, any_of, negated
from .items import text_in
from .places import Operation, Places, first_of


class Sought(NamedTuple):
    """A kind of events as a search says it: which they are, and where their fields stand.

    ``keys``: routing keys that all of them have -> the globs one of which its value matches.
    """

    events: Bounds
    places: Places
    keys: When


def sought(rule: Rule, routing: RoutingTable, profile: str) -> list[Sought]:
    """The kinds of events that a rule applies to."""
    return [
        Sought(events_bounds(routing, kind.events), Places(kind.views, json=kind.json), _keys(kind.events))
        for kind in kinds(rule, routing, profile)
    ]


def events_bounds(table: RoutingTable, events: Events) -> Bounds:
    """An event is one of ``events``."""
    return all_of(
        [_any_of(table, whens) for whens in events.taken] + [negated(_any_of(table, one)) for one in events.left_out]
    )


def _keys(events: Events) -> When:
    keys: When = {}
    for whens in events.taken:
        for key in set.intersection(*map(set, whens)):
            keys[key] = tuple(dict.fromkeys(glob for when in whens for glob in when[key]))
    return keys


def telling_key(applied: Sequence[Sought], table: RoutingTable) -> str:
    """A routing key that stands in fields as it is and tells kinds of events apart; empty if there is none."""
    for key in applied[0].keys:
        if any(operation for _, *operation in table.keys[key]):
            continue
        globs = [glob.lower() for one in applied for glob in one.keys.get(key, ("*",))]
        if len(set(globs)) == len(globs) and not any("*" in glob for glob in globs):
            return key
    return ""


def _any_of(table: RoutingTable, whens: Iterable[When]) -> Bounds:
    return any_of(_when_bounds(table, when) for when in whens)


def _when_bounds(table: RoutingTable, when: When) -> Bounds:
    keys = table.keys
    return all_of(any_of(first_of(keys[key], _GlobTest(glob)) for glob in globs) for key, globs in when.items())


_CASED = _XML = False


class _GlobTest:
    """A value matches a glob of the mappings, in which ``*`` alone is special."""

    def __init__(self, glob: str) -> None:
        self.parts = list(glob_parts(glob))

    def __call__(self, column: str, operation: Operation) -> Bounds:
        return text_in(column, operation, [_CASED, self.parts], _XML)
