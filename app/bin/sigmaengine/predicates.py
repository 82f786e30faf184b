"""Value tests (see ``modifiers``) -> functions over one value of an event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, Optional

from .addresses import read_address, read_network
from .folding import fold
from .modifiers import Test, compile_regex
from .numbers import COMPARISONS, parse_number
from .patterns import compile_parts

if TYPE_CHECKING:
    from decimal import Decimal

#: Says whether one value (text, not empty) passes.
ValueTest = Callable[[str], bool]


def compile_test(test: Test) -> ValueTest:
    """The function of a test on a single value: every kind but ``null``, ``exists`` and ``ref``."""
    kind, *arguments = test
    return _MAKERS[kind](*arguments)


def compile_folded(test: Test) -> tuple[bool, ValueTest]:
    """(whether it takes folded values, the function): for callers that have folded a value already."""
    if test[0] == "str" and not test[1]:
        return True, compile_parts(tuple(test[2]))
    return False, compile_test(test)


#: Says whether a value has to do with one of another field as a reference says.
PairTest = Callable[[str, str], bool]


def compile_reference(test: Test) -> PairTest:
    """The function of a ``ref`` test on a value and one of the other field's."""
    _, anchor, cased, _ = test
    compare = _ANCHORS[anchor]
    return compare if cased else lambda value, other: compare(fold(value), fold(other))


_ANCHORS: dict[str, PairTest] = {
    "": lambda value, other: value == other,
    "contains": lambda value, other: other in value,
    "startswith": lambda value, other: value.startswith(other),
    "endswith": lambda value, other: value.endswith(other),
}


def _string(cased: bool, parts: Any) -> ValueTest:
    matches = compile_parts(tuple(parts))
    return matches if cased else lambda value: matches(fold(value))


def _number(text: str) -> ValueTest:
    number = _decimal(text)
    return lambda value: parse_number(value) == number


def _regex(flags: str, expression: str) -> ValueTest:
    search = compile_regex(expression, flags).search
    return lambda value: search(value) is not None


def _comparison(operator: str, text: str) -> ValueTest:
    compare, number = COMPARISONS[operator], _decimal(text)

    def test(value: str) -> bool:
        event_number = parse_number(value)
        return event_number is not None and compare(event_number, number)

    return test


def _decimal(text: str) -> Decimal:
    number = parse_number(text)
    if number is None:
        raise ValueError(f"no number in a compiled rule: {text!r}")
    return number


def _network(text: str) -> ValueTest:
    network = read_network(text)
    return lambda value: network.holds(read_address(value))


# --- parts of a time ----------------------------------------------------------------------------

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)?)?\Z", re.ASCII
)
# No calendar goes further, and Python refuses to convert thousands of digits.
_EPOCH = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]*)?\Z")
_MILLISECONDS = re.compile(r"[0-9]{13}(?:\.[0-9]*)?\Z")


def time_part(text: str, unit: str) -> int | None:
    """minute, hour, day, week (ISO 8601), month or year of a timestamp; None if it has none.

    ISO 8601 as written, with no conversion of time zones; epoch seconds (thirteen digits:
    milliseconds) as UTC.
    """
    parts = _iso_parts(text) or _epoch_parts(text)
    if parts is None:
        return None
    from datetime import date

    year, month, day, hour, minute = parts
    if unit == "week":
        return date(year, month, day).isocalendar()[1]
    return {"year": year, "month": month, "day": day, "hour": hour, "minute": minute}[unit]


_Parts = tuple[int, int, int, Optional[int], Optional[int]]


def _iso_parts(text: str) -> _Parts | None:
    from datetime import date

    found = _ISO.match(text)
    if not found:
        return None
    year, month, day, hour, minute = (None if group is None else int(group) for group in found.groups())
    if year is None or month is None or day is None:
        return None
    try:
        date(year, month, day)
    except ValueError:
        return None
    if hour is not None and minute is not None and (hour > 23 or minute > 59):
        return None
    return year, month, day, hour, minute


def _epoch_parts(text: str) -> _Parts | None:
    from datetime import datetime, timedelta

    if not _EPOCH.match(text):
        return None
    scale = 1000 if _MILLISECONDS.match(text) else 1
    # Floor, not truncation: -0.5 s is in the last minute of 1969.
    seconds = int(text.partition(".")[0]) // scale
    if text.startswith("-") and text.partition(".")[2].strip("0"):
        seconds -= 1
    try:
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - UTC by construction
    except OverflowError:
        return None
    return moment.year, moment.month, moment.day, moment.hour, moment.minute


def _part(unit: str, operator: str, text: str) -> ValueTest:
    compare, number = COMPARISONS[operator], _decimal(text)

    def test(value: str) -> bool:
        part = time_part(value, unit)
        return part is not None and compare(_decimal(str(part)), number)

    return test


def _any(*tests: Test) -> ValueTest:
    compiled = [compile_test(test) for test in tests]
    return lambda value: any(test(value) for test in compiled)


_MAKERS: dict[str, Callable[..., ValueTest]] = {
    "any": _any,
    "str": _string,
    "num": _number,
    "re": _regex,
    "cmp": _comparison,
    "cidr": _network,
    "part": _part,
}
