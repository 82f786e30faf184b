"""Correlations by their definition, one window after the other: the oracle of ``correlator``, and slow.

Nothing is shared with the fast way but the shape of events and alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Any, NamedTuple

from .condition import Expression, identifiers
from .correlation import Correlation
from .numbers import parse_number
from .occurrences import BaseEvent
from .thresholds import compares, is_computable

_SECOND = 1_000_000_000


class PlainAlert(NamedTuple):
    """``completed``: the last occurrence of the group at ``time``, ``window``: all that were in it."""

    correlation: Correlation
    time: int
    group: tuple[str, ...]
    value: Any
    window: list[Any]

    def values(self, _: str, field: str) -> Sequence[str]:
        """The group's value, or else that of the event that completed the alert."""
        fields = self.correlation.group_by
        if field in fields:
            return (self.group[fields.index(field)],)
        last = self.window[-1]
        first = next(rule for rule in self.correlation.rules if self.group in _groups(self.correlation, last, rule))
        return tuple(last.values(first, field))


def plain_alerts(correlations: Sequence[Correlation], events: Iterable[BaseEvent]) -> list[PlainAlert]:
    """The alerts of correlations, inner ones first, over events that are in order."""
    happened: list[Any] = list(events)
    found: list[PlainAlert] = []
    for correlation in correlations:
        alerts = _alerts(correlation, happened)
        found += alerts
        # Behind everything of the same time, so that it is the last of it.
        happened = sorted([*happened, *alerts], key=lambda one: one.time)
    return found


def _stands_for(occurrence: Any) -> Sequence[str]:
    return [occurrence.correlation.id] if isinstance(occurrence, PlainAlert) else list(occurrence.matches)


def _alerts(correlation: Correlation, happened: Sequence[Any]) -> list[PlainAlert]:
    listed = [one for one in happened if set(_stands_for(one)) & set(correlation.rules)]
    span = correlation.timespan * _SECOND
    groups = {group for one in listed for group in _all_groups(correlation, one)}
    found = []
    for group in sorted(groups):
        mine = [one for one in listed if group in _all_groups(correlation, one)]
        held, emitted = False, None
        for time in sorted({one.time for one in mine}):
            window = [one for one in mine if time - span <= one.time <= time]
            value = _value(correlation, group, window)
            holds = _holds(correlation, group, window, value)
            if holds and (not held or emitted is None or time - emitted >= span):
                found.append(PlainAlert(correlation, time, group, value, window))
                emitted = time
            held = holds
    return sorted(found, key=lambda alert: alert.time)


def _groups(correlation: Correlation, occurrence: Any, rule: str) -> set[tuple[str, ...]]:
    """The groups that an occurrence is in as a match of one rule."""
    if rule not in _stands_for(occurrence):
        return set()
    columns = [occurrence.values(rule, correlation.field_of(field, rule)) for field in correlation.group_by]
    return set(product(*columns))


def _all_groups(correlation: Correlation, occurrence: Any) -> set[tuple[str, ...]]:
    return {group for rule in correlation.rules for group in _groups(correlation, occurrence, rule)}


def _value(correlation: Correlation, group: tuple[str, ...], window: Sequence[Any]) -> Any:
    kind = correlation.kind
    if kind == "event_count":
        return len(window)
    rules = [rule for rule in correlation.rules if _times(correlation, group, window, rule)]
    if kind == "temporal" or correlation.condition.expression is not None:
        return len(rules)
    if kind == "temporal_ordered":
        lengths = range(len(rules), 0, -1)
        orders = (chosen for length in lengths for chosen in combinations(rules, length))
        return next((len(chosen) for chosen in orders if _follow(correlation, group, window, chosen)), 0)
    taken = [values for one in window for values in _taken(correlation, group, one)]
    if kind == "value_count":
        return len(set(taken))
    read = (parse_number(values[0]) for values in taken)
    numbers = sorted(Fraction(number) for number in read if number is not None and is_computable(number))
    return _STATISTICS[kind](numbers, correlation) if numbers else None


def _taken(correlation: Correlation, group: tuple[str, ...], one: Any) -> list[tuple[str, ...]]:
    """The combinations of values of the condition's fields; fields that are the same are taken once."""
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for rule in correlation.rules:
        if group in _groups(correlation, one, rule):
            fields = tuple(correlation.field_of(field, rule) for field in correlation.condition.fields)
            found.setdefault(fields, list(product(*(one.values(rule, field) for field in fields))))
    return [values for several in found.values() for values in several]


def _percentile(numbers: list[Fraction], correlation: Correlation) -> Fraction:
    place = Fraction(Decimal(correlation.condition.percentile)) * (len(numbers) - 1) / 100
    below = place.numerator // place.denominator
    above = min(below + 1, len(numbers) - 1)
    return numbers[below] + (numbers[above] - numbers[below]) * (place - below)


_STATISTICS: dict[str, Any] = {
    "value_sum": lambda numbers, _: sum(numbers),
    "value_avg": lambda numbers, _: sum(numbers) / len(numbers),
    "value_percentile": _percentile,
    "value_median": _percentile,
}


def _times(correlation: Correlation, group: tuple[str, ...], window: Sequence[Any], rule: str) -> list[int]:
    return [one.time for one in window if group in _groups(correlation, one, rule)]


def _follow(correlation: Correlation, group: tuple[str, ...], window: Sequence[Any], rules: Sequence[str]) -> bool:
    """Whether some choice of one occurrence for each rule is in order."""
    times = [sorted(set(_times(correlation, group, window, rule))) for rule in rules]
    return any(list(chosen) == sorted(chosen) for chosen in product(*times))


def _holds(correlation: Correlation, group: tuple[str, ...], window: Sequence[Any], value: Any) -> bool:
    condition = correlation.condition
    if condition.expression is None:
        if value is None:
            return False
        numbers = [(operator, Fraction(Decimal(text))) for operator, text in condition.comparisons]
        return all(compares(operator, Fraction(value), number) for operator, number in numbers)
    present = {rule for rule in correlation.rules if _times(correlation, group, window, rule)}
    if correlation.kind == "temporal":
        return _true(condition.expression, present, present)
    named = [rule for rule in correlation.rules if rule in present and rule in set(identifiers(condition.expression))]
    choices = (chosen for length in range(len(named) + 1) for chosen in combinations(named, length))
    return any(
        _follow(correlation, group, window, chosen) and _true(condition.expression, set(chosen), present)
        for chosen in choices
    )


def _true(expression: Expression, chosen: set[str], present: set[str], *, negated: bool = False) -> bool:
    """Whether an expression holds if the chosen rules occurred; under ``not``, those that are present did."""
    operator, *operands = expression
    if operator == "id":
        return operands[0] in (present if negated else chosen)
    if operator == "not":
        return not _true(operands[0], chosen, present, negated=not negated)
    outcomes = [_true(operand, chosen, present, negated=negated) for operand in operands]
    return all(outcomes) if operator == "and" else any(outcomes)
