"""Numbers that a correlation's condition compares with."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .numbers import COMPARISONS

OPERATORS = (*COMPARISONS, "neq")

#: Beyond what 64-bit floats hold, and so beyond what Splunk's own ``stats`` can add up.
_MAX_EXPONENT, _MAX_DIGITS = 308, 400


def is_computable(number: Decimal) -> bool:
    """True for numbers that sums are made of: those of a size that a 64-bit float could hold."""
    digits, exponent = number.as_tuple()[1:]
    if not isinstance(exponent, int):
        return False
    return len(digits) <= _MAX_DIGITS and exponent > -_MAX_EXPONENT - _MAX_DIGITS and number.adjusted() <= _MAX_EXPONENT


def compares(operator: str, value: Any, number: Any) -> bool:
    """Whether a value relates to a number as one of OPERATORS says; both are of one type."""
    return value != number if operator == "neq" else bool(COMPARISONS[operator](value, number))


def can_hold(comparisons: Sequence[tuple[str, Decimal]], counts: bool, least: int, most: int | None) -> bool:
    """False if no value satisfies all comparisons; ``counts`` are whole and from ``least`` to ``most``."""
    step = Decimal(1) if counts else Decimal("0.5")
    # Between and beside the numbers that are named, each value is like its neighbours.
    tried = {number + side for _, number in comparisons for side in (-step, Decimal(0), step)}
    if counts:
        tried = {number.to_integral_value() for number in tried if number >= least} | {Decimal(least)}
    if most is not None:
        tried = {number for number in tried if number <= most}
    if len(comparisons) > 1 and not counts:
        numbers = sorted(number for _, number in comparisons)
        tried |= {(low + high) / 2 for low, high in zip(numbers, numbers[1:])}
    return any(all(compares(operator, value, number) for operator, number in comparisons) for value in tried)
