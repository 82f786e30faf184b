"""What a group's window amounts to, kept up to date as parts come and go.

Sums are exact, so that the order in which numbers come and go does not matter.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Protocol

from . import correlation as kinds
from .condition import Expression
from .correlation import Correlation
from .numbers import parse_number
from .occurrences import Part
from .orderedterms import ordered_terms
from .thresholds import compares, is_computable

#: Wide enough for every sum and difference of numbers that are computable (see ``thresholds``).
EXACT = Context(prec=2_000)


class Aggregate(Protocol):
    """A group's window as one value."""

    def add(self, part: Part) -> None:
        """Take in a part."""

    def remove(self, part: Part) -> None:
        """Take out the part that came in first of those that are in."""

    def value(self) -> Any:
        """The value that the condition compares; None if there is none."""


class _Count:
    def __init__(self) -> None:
        self.count = 0

    def add(self, _: Part) -> None:
        self.count += 1

    def remove(self, _: Part) -> None:
        self.count -= 1

    def value(self) -> int:
        return self.count


class _Distinct:
    def __init__(self) -> None:
        self.counts: Counter[Any] = Counter()

    def add(self, part: Part) -> None:
        self.counts.update(part.values)

    def remove(self, part: Part) -> None:
        for value in part.values:
            self.counts[value] -= 1
            if not self.counts[value]:
                del self.counts[value]

    def value(self) -> int:
        return len(self.counts)


def numbers_of(part: Part) -> list[Decimal]:
    """The values of a part that are numbers."""
    read = map(parse_number, part.values)
    return [number for number in read if number is not None and is_computable(number)]


class _Sum:
    def __init__(self) -> None:
        self.total, self.count = Decimal(0), 0

    def add(self, part: Part) -> None:
        for number in numbers_of(part):
            self.total = EXACT.add(self.total, number)
            self.count += 1

    def remove(self, part: Part) -> None:
        for number in numbers_of(part):
            self.total = EXACT.subtract(self.total, number)
            self.count -= 1

    def value(self) -> Any:
        return self.total if self.count else None


class _Average(_Sum):
    def value(self) -> Any:
        return Fraction(self.total) / self.count if self.count else None


class _Percentile:
    """By linear interpolation between the two values that stand next to the place."""

    def __init__(self, percentile: Decimal) -> None:
        self.percentile = percentile
        self.numbers: list[Decimal] = []

    def add(self, part: Part) -> None:
        for number in numbers_of(part):
            insort(self.numbers, number)

    def remove(self, part: Part) -> None:
        for number in numbers_of(part):
            del self.numbers[bisect_left(self.numbers, number)]

    def value(self) -> Any:
        numbers = self.numbers
        if not numbers:
            return None
        place = EXACT.divide(EXACT.multiply(self.percentile, Decimal(len(numbers) - 1)), Decimal(100))
        below = int(place)
        if below == place:
            return numbers[below]
        step = EXACT.subtract(numbers[below + 1], numbers[below])
        return EXACT.add(numbers[below], EXACT.multiply(step, EXACT.subtract(place, Decimal(below))))


class _Presence:
    """Which of the rules there are."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, part: Part) -> None:
        self.counts.update(part.rules)

    def remove(self, part: Part) -> None:
        for rule in part.rules:
            self.counts[rule] -= 1
            if not self.counts[rule]:
                del self.counts[rule]

    def value(self) -> int:
        return len(self.counts)

    def satisfies(self, expression: Expression) -> bool:
        """Whether an expression over the rules holds."""
        operator, *operands = expression
        if operator == "id":
            return operands[0] in self.counts
        if operator == "not":
            return not self.satisfies(operands[0])
        return (all if operator == "and" else any)(map(self.satisfies, operands))


class _Times:
    """Times that come in order and leave in order."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._start = 0

    def add(self, time: int) -> None:
        self._times.append(time)

    def remove(self) -> None:
        self._start += 1
        if self._start * 2 > len(self._times):
            del self._times[: self._start]
            self._start = 0

    def __len__(self) -> int:
        return len(self._times) - self._start

    def first_from(self, time: int | None) -> int | None:
        """The first time that is not before ``time``."""
        place = self._start if time is None else bisect_left(self._times, time, self._start)
        return self._times[place] if place < len(self._times) else None


class _Order:
    """When each of the rules occurred."""

    def __init__(self, rules: list[str]) -> None:
        self.times = {rule: _Times() for rule in rules}

    def add(self, part: Part) -> None:
        for rule in part.rules:
            self.times[rule].add(part.of.time)

    def remove(self, part: Part) -> None:
        for rule in part.rules:
            self.times[rule].remove()

    def value(self) -> int:
        """How many of the rules, at most, occurred one after the other, in their order."""
        # ends[n]: the earliest time at which n of the rules so far have occurred in order.
        ends: list[int | None] = [None]
        for times in self.times.values():
            for length in range(len(ends) - 1, -1, -1):
                end = times.first_from(ends[length])
                if end is None:
                    continue
                if length + 1 == len(ends):
                    ends.append(end)
                else:
                    known = ends[length + 1]
                    ends[length + 1] = end if known is None else min(known, end)
        return len(ends) - 1

    def follow(self, rules: list[str]) -> bool:
        """Whether the rules occurred one after the other in this order."""
        end = None
        for rule in rules:
            end = self.times[rule].first_from(end)
            if end is None:
                return False
        return True


class Judge:
    """A correlation's condition: makes aggregates, and says whether they satisfy it."""

    def __init__(self, correlation: Correlation) -> None:
        self.correlation = correlation
        condition = correlation.condition
        self.expression = condition.expression
        kind = correlation.kind
        number: Any = Fraction if kind == kinds.AVERAGE else Decimal
        self._comparisons = [(operator, number(Decimal(text))) for operator, text in condition.comparisons]
        self._percentile = Decimal(condition.percentile or kinds.DEFAULT_PERCENTILE)
        self._terms: list[tuple[list[str], list[str]]] = []
        if self.expression is not None and kind == kinds.ORDERED:
            self._terms = ordered_terms(self.expression, correlation.rules) or []

    def aggregate(self) -> Aggregate:
        """A new one, of an empty window."""
        kind = self.correlation.kind
        if kind == kinds.ORDERED:
            return _Order(self.correlation.rules)
        if kind in (kinds.PERCENTILE, kinds.MEDIAN):
            return _Percentile(self._percentile)
        made: Aggregate = _AGGREGATES[kind]()
        return made

    def judged(self, aggregate: Any) -> tuple[bool, Any]:
        """Whether the condition holds, and the value."""
        value = aggregate.value()
        if self.expression is None:
            holds = value is not None and all(compares(name, value, number) for name, number in self._comparisons)
            return holds, value
        if self.correlation.kind == kinds.TEMPORAL:
            return aggregate.satisfies(self.expression), value
        present = [rule for rule, times in aggregate.times.items() if times]
        absent = set(aggregate.times).difference(present)
        holds = any(absent.issuperset(refused) and aggregate.follow(needed) for needed, refused in self._terms)
        return holds, len(present)


_AGGREGATES: dict[str, Any] = {
    kinds.COUNTED: _Count,
    kinds.DISTINCT: _Distinct,
    kinds.SUM: _Sum,
    kinds.AVERAGE: _Average,
    kinds.TEMPORAL: _Presence,
}
