"""Two expressions between which the meaning of a part of a rule lies.

What ``lower`` finds, the rule matches; what the rule matches, ``upper`` finds. A negation turns the
two round, so that a superset of what is negated never makes a search narrower than its rule. Where
both are one, the search says exactly what the rule says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .expressions import FALSE, TRUE, Expression, conjunction, disjunction, negation

_NO_REASONS: frozenset[str] = frozenset()


class Bounds(NamedTuple):
    """``reasons``: why they are not one; empty if they are."""

    lower: Expression
    upper: Expression
    reasons: frozenset[str] = _NO_REASONS


def exactly(expression: Expression) -> Bounds:
    """Said as it is meant."""
    return Bounds(expression, expression)


def between(lower: Expression, upper: Expression, *reasons: str) -> Bounds:
    """Not said exactly, for these reasons, unless both happen to be one."""
    return Bounds(lower, upper, frozenset(reasons) if lower != upper else _NO_REASONS)


NOTHING, EVERYTHING = exactly(FALSE), exactly(TRUE)


def all_of(parts: Iterable[Bounds]) -> Bounds:
    """All of them hold."""
    listed = list(parts)
    return _joined(listed, conjunction(part.lower for part in listed), conjunction(part.upper for part in listed))


def any_of(parts: Iterable[Bounds]) -> Bounds:
    """One of them holds."""
    listed = list(parts)
    return _joined(listed, disjunction(part.lower for part in listed), disjunction(part.upper for part in listed))


def negated(part: Bounds) -> Bounds:
    """It does not hold."""
    return Bounds(negation(part.upper), negation(part.lower), part.reasons)


def whichever(parts: Iterable[Bounds], reason: str) -> Bounds:
    """One of them is what is meant, and which one cannot be told; ``reason``: what hangs on it."""
    listed = list(parts)
    if all(part == listed[0] for part in listed):
        return listed[0]
    lower, upper = conjunction(part.lower for part in listed), disjunction(part.upper for part in listed)
    return _joined([*listed, Bounds(FALSE, TRUE, frozenset((reason,)))], lower, upper)


def _joined(parts: list[Bounds], lower: Expression, upper: Expression) -> Bounds:
    if lower == upper:
        return exactly(upper)
    return Bounds(lower, upper, _NO_REASONS.union(*(part.reasons for part in parts)))
