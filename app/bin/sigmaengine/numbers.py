"""Numbers written as text, compared exactly.

Event values are text. ``4688``, ``4688.0`` and ``4.688e3`` are one number, ``0x1250`` is none,
and 9007199254740993 differs from 9007199254740992, which 53-bit floats cannot tell apart.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Callable

# Optional sign, ASCII digits with an optional fraction, optional exponent. No blanks, no "_".
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")

#: Comparison modifiers of the Sigma specification -> how the event's number relates to the rule's.
COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "eq": lambda event, rule: event == rule,
    "lt": lambda event, rule: event < rule,
    "lte": lambda event, rule: event <= rule,
    "gt": lambda event, rule: event > rule,
    "gte": lambda event, rule: event >= rule,
}


def parse_number(text: str) -> Decimal | None:
    """The number that ``text`` is, or None if it is none. Never raises."""
    if not _NUMBER.match(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return _beyond_decimal(text)


def _beyond_decimal(text: str) -> Decimal:
    """A number whose exponent Decimal cannot hold, as one that is still larger (or smaller) than any other."""
    mantissa, _, exponent = text.lower().partition("e")
    digits = mantissa.lstrip("+-").replace(".", "").strip("0")
    sign = "-" if text.startswith("-") else ""
    if not digits:
        return Decimal(0)
    return Decimal(f"{sign}1E-999999999999999999" if exponent.startswith("-") else f"{sign}Infinity")
