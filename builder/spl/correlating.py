"""A correlation as the commands that evaluate it, behind a search that reads what its rules match."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from sigmaengine.correlation import COUNTED, DISTINCT, ORDERED, TEMPORAL, Correlation
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule

from .writer import is_listable, options, profile_of

# Types whose value only grows with the events in the window.
_GROWING = (COUNTED, DISTINCT, TEMPORAL, ORDERED)


class Relations:
    """What correlations refer to."""

    def __init__(self, rules: Sequence[Rule], correlations: Sequence[Correlation]) -> None:
        self._listed = rules, correlations

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self._listed[0]}

    @cached_property
    def _correlations(self) -> dict[str, Correlation]:
        return {one.id: one for one in self._listed[1]}

    def inner(self, correlation: Correlation) -> list[Correlation]:
        """The correlations that one lists."""
        return [self._correlations[one] for one in correlation.rules if one in self._correlations]

    def base_rules(self, correlation: Correlation) -> list[Rule]:
        """The rules that are counted in the end, by id."""
        found = {one: self._rules[one] for one in correlation.rules if one in self._rules}
        for inner in self.inner(correlation):
            found.update((rule.id, rule) for rule in self.base_rules(inner))
        return [found[one] for one in sorted(found)]

    def look_back(self, correlation: Correlation) -> int:
        """How many seconds of events before a period can change what is alerted in it.

        All windows that end in the period lie within one timespan. That a condition *becomes* true there
        hangs on the window before as well, which counts for less where it is cut: where less can make the
        condition true, it has to be whole too.
        """
        spans = 1 if _grows(correlation) else 2
        return spans * correlation.timespan + max(map(self.look_back, self.inner(correlation)), default=0)


def _grows(correlation: Correlation) -> bool:
    condition = correlation.condition
    if correlation.kind not in _GROWING:
        return False
    if condition.expression is not None:
        return not _has_not(condition.expression)
    return all(operator in ("gt", "gte") for operator, _ in condition.comparisons)


def _has_not(expression: object) -> bool:
    return isinstance(expression, list) and (expression[:1] == ["not"] or any(map(_has_not, expression)))


def cannot_be_searched(rules: Iterable[Rule], routing: RoutingTable) -> str:
    """Why the matches of these rules cannot be found together; empty if they can."""
    listed = list(rules)
    unnamed = [rule.id for rule in listed if not is_listable(rule.id)]
    if unnamed:
        return f"the option rules= cannot name {unnamed[0]!r}, which it counts; give it a UUID"
    sources = {rule.logsource for rule in listed}
    unmapped = sorted(str(source) for source in sources if not routing.is_mapped(source))
    if unmapped and len(sources) > 1:
        return f"it counts rules of several log sources, of which {unmapped[0]} has no mapping"
    return ""


def shared_profile(rules: Iterable[Rule], profile: str) -> str:
    """The naming of fields that all of the rules are searched by."""
    profiles = {profile_of(rule.logsource, profile) for rule in rules}
    return profiles.pop() if len(profiles) == 1 else "auto"


class Commands(NamedTuple):
    """``match`` lets the matches of the base rules through, ``correlate`` adds the alerts."""

    match: str
    correlate: str


def commands(correlation: Correlation, rules: Sequence[Rule], routing: RoutingTable, profile: str) -> Commands:
    """The commands that evaluate a correlation of these base rules, whose fields are named by ``profile``."""
    shared = options([rule.logsource for rule in rules], routing, profile)
    listed = ",".join(rule.id for rule in rules)
    return Commands(f'sigmamatch rules="{listed}"{shared}', f'sigmacorrelate rules="{correlation.id}"{shared}')


def alerts_of(correlation: Correlation) -> str:
    """A test of ``where`` for the rows that are a correlation's own alerts."""
    return f'isnotnull(sigma_correlation_type) AND sigma_rule_id="{correlation.id}"'
