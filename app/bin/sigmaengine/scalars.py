"""Plain scalars of YAML 1.2's core schema: text -> value. Numbers know how they were written."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from .numbers import parse_number

_INTEGERS = {
    re.compile(r"[-+]?[0-9]+\Z"): 10,
    re.compile(r"0o[0-7]+\Z"): 8,
    re.compile(r"0x[0-9a-fA-F]+\Z"): 16,
}
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Python refuses to convert longer digit strings (and they are no number anyone compares with).
_MAX_DIGITS = 4_000


def resolve(text: str) -> Any:
    """A plain scalar by the core schema. Numbers with a fraction or exponent are Decimal, as written.

    ``.inf`` and ``.nan`` stay text: no event's number equals them.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "-+.0123456789" or len(text) > _MAX_DIGITS:
        return text
    for pattern, base in _INTEGERS.items():
        if pattern.match(text):
            return WrittenInteger(int(text.replace("0o", ""), base), text)
    number = parse_number(text)
    return text if number is None else WrittenDecimal(number, text)


class WrittenInteger(int):
    """An integer that knows how it was written: with a string modifier, ``0x17`` is that text."""

    written: str

    def __new__(cls, value: int, written: str) -> WrittenInteger:
        """``value``, written so."""
        number = super().__new__(cls, value)
        number.written = written
        return number


class WrittenDecimal(Decimal):
    """A number with a fraction or an exponent that knows how it was written."""

    written: str

    def __new__(cls, value: Decimal, written: str) -> WrittenDecimal:
        """``value``, written so."""
        number = super().__new__(cls, value)
        number.written = written
        return number
