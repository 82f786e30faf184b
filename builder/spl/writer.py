"""A rule -> ``Query``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sigmaengine.routing import RoutingTable
from sigmaengine.rule import LogSource, Rule

from .bounds import Bounds, all_of, any_of, exactly, negated
from .expressions import text
from .filters import item_filter, joined_filters, negated_filter, told_apart
from .items import item_bounds
from .places import Places
from .routes import Sought, sought, telling_key

_SOURCE = re.compile(r"[^`\"\\\s/]*(?:/[^`\"\\\s/]*){2}")
_LISTED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#-]*\Z")
# Names of fields by which Windows events are told apart mean nothing elsewhere.
_WINDOWS_PROFILES = ("windows_xml", "windows_classic", "sysmon")


# Where what is asked of events is longer than this, long lists are left to what decides.
MAX_TEXT = 20_000
_LIST_LIMITS = (500, 100, 20, 4)


class Query(NamedTuple):
    """A rule as a search.

    ``base``: a base search without an index, to be put in parentheses beside others; ``tests``: commands
    behind it. Together they find all that the rule matches. ``exact``: and nothing else; otherwise
    ``reasons`` says why not, and ``decide`` is the command that leaves out what the rule does not match.
    """

    base: str
    tests: tuple[str, ...]
    exact: bool
    reasons: tuple[str, ...]
    decide: str

    @property
    def search(self) -> str:
        """What SPL alone says."""
        return " | ".join((self.base, *self.tests))

    @property
    def text(self) -> str:
        """The whole search."""
        return f"{self.search} | {self.decide}" if self.decide else self.search


def write_query(rule: Rule, routing: RoutingTable, profile: str = "windows_xml") -> Query:
    """Write a rule as a search.

    ``routing``: the mappings, as they are spelt (``Mappings.spelt``); ``profile``: the naming of the
    fields of Windows events (``sigmaengine.fields.PROFILES``), while those of other events are sought
    under every name that the mappings know.
    """
    profile = profile_of(rule.logsource, profile)
    applied = sought(rule, routing, profile)
    found, base, tests = _shortest(rule, applied, routing)
    exact = found.lower == found.upper
    return Query(
        base=base,
        tests=tests,
        exact=exact,
        reasons=() if exact else tuple(sorted(found.reasons)),
        decide="" if exact else decider(rule, routing, profile),
    )


def is_listable(ident: str) -> bool:
    """True of an id that the option ``rules`` of the commands can list as it is."""
    return bool(_LISTED_ID.match(ident))


def decider(rule: Rule, routing: RoutingTable, profile: str) -> str:
    """The command that matches the rule alone."""
    return f'sigmamatch rules="{rule.id}"{options([rule.logsource], routing, profile)}'


def options(sources: Iterable[LogSource], routing: RoutingTable, profile: str) -> str:
    """The options, each behind a blank, by which the commands look at events of log sources as searches do."""
    distinct = set(sources)
    fields = "" if profile == "auto" else f" fields={profile}"
    if len(distinct) > 1 or routing.is_mapped(source := distinct.pop()):
        return fields
    said = "/".join(source)
    # What an option cannot hold is left out, and matches nothing: no mapping gives it either.
    return f' logsource="{said}"{fields}' if _SOURCE.fullmatch(said) else fields


def profile_of(logsource: LogSource, profile: str) -> str:
    """The profile by which events of a log source are searched."""
    return profile if logsource.product == "windows" or profile not in _WINDOWS_PROFILES else "auto"


def _shortest(rule: Rule, applied: Sequence[Sought], table: RoutingTable) -> tuple[Bounds, str, tuple[str, ...]]:
    """What the search says, with as much of long lists as there is room for."""
    room = MAX_TEXT + sum(len(text(kind.events.upper)) for kind in applied)
    for limit in _LIST_LIMITS[:-1]:
        found, base, tests = _written(rule, applied, table, limit)
        if len(base) + sum(map(len, tests)) <= room:
            return found, base, tests
    return _written(rule, applied, table, _LIST_LIMITS[-1])


def _written(
    rule: Rule, applied: Sequence[Sought], table: RoutingTable, limit: int
) -> tuple[Bounds, str, tuple[str, ...]]:
    """What the search means, the search before ``where``, and the tests of ``where``."""
    meanings = [_Meaning(rule, kind.places, limit) for kind in applied]
    needed: list[list[Bounds]] = [[kind.events] for kind in applied]
    filters: list[str] = []
    for part in _needed(rule, rule.condition):
        found = [meaning.bounds(part) for meaning in meanings]
        if any(one.reasons for one in found):
            test = _one_test([meaning.filter(part) for meaning in meanings], applied, table)
            if test is not None:
                filters.append(test)
                found = [exactly(one.upper) for one in found]
        for bounds, listed in zip(found, needed, strict=True):
            listed.append(bounds)
    meant = any_of(map(all_of, needed))
    return meant, text(meant.upper), tuple(f"where {one}" for one in filters)


def _one_test(tests: list[str | None], applied: Sequence[Sought], table: RoutingTable) -> str | None:
    """What a filter asks of events of all kinds, if each asks this of its own."""
    said = [test for test in tests if test is not None]
    if len(said) < len(tests):
        return None
    if len(set(said)) == 1:
        return said[0]
    key = telling_key(applied, table)
    return told_apart([(table.keys[key], one.keys[key]) for one in applied], said) if key else None


def _needed(rule: Rule, part: Any) -> Iterator[Any]:
    """The parts that must all hold, in written order."""
    if isinstance(part, list) and part[0] == "id":
        yield from _needed(rule, rule.detections[part[1]])
    elif isinstance(part, list) and part[0] == "and":
        for operand in part[1:]:
            yield from _needed(rule, operand)
    else:
        yield part


class _Meaning:
    """What parts of a rule (expressions of its condition, items) mean for one kind of events."""

    def __init__(self, rule: Rule, places: Places, limit: int) -> None:
        self.rule, self.places, self.limit = rule, places, limit

    def bounds(self, part: Any) -> Bounds:
        """As expressions of the search language."""
        if isinstance(part, int):
            return item_bounds(self.rule.items[part], self.places, self.limit)
        operator, *operands = part
        if operator == "id":
            return self.bounds(self.rule.detections[operands[0]])
        if operator == "not":
            return negated(self.bounds(operands[0]))
        return _COMBINED[operator](map(self.bounds, operands))

    def filter(self, part: Any) -> str | None:
        """As a test of ``where``; None if it cannot be one."""
        if isinstance(part, int):
            return item_filter(self.rule.items[part], self.places)
        operator, *operands = part
        if operator == "id":
            return self.filter(self.rule.detections[operands[0]])
        if operator == "not":
            return negated_filter(self.filter(operands[0]))
        return joined_filters(operator, map(self.filter, operands))


_COMBINED: dict[str, Callable[[Iterable[Bounds]], Bounds]] = {"and": all_of, "or": any_of}
