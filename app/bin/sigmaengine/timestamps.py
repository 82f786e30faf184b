"""Times of events, exactly: text -> whole nanoseconds since 1970, and back.

Splunk's ``_time`` is seconds since 1970 with a fraction of at most nine digits; what a fraction has
beyond that is cut off. Thirteen whole digits are milliseconds, as in the fields of
events. Files of events may have ISO 8601 instead; without a zone it is UTC.
"""

from __future__ import annotations

import re
from datetime import date

SECOND = 1_000_000_000  # nanoseconds

_MILLISECOND_DIGITS = 13
_EPOCH = re.compile(r"([+-]?)([0-9]{1,15})(?:\.([0-9]*))?\Z")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"\s?(?:Z|([+-])([0-9]{2}):?([0-9]{2})?)?\Z"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def parse_time(text: str) -> int | None:
    """The nanoseconds of a time, or None where the text is no time. Never raises."""
    found = _EPOCH.match(text)
    if found:
        sign, seconds, fraction = found.groups()
        time = int(seconds) * SECOND + _fraction(fraction)
        if len(seconds) == _MILLISECOND_DIGITS and fraction is None:
            time //= 1000
        return -time if sign == "-" else time
    found = _ISO.match(text.strip())
    return _iso_time(found) if found else None


def _iso_time(found: re.Match[str]) -> int | None:
    year, month, day, hour, minute = map(int, found.group(1, 2, 3, 4, 5))
    second = int(found[6] or 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    offset = (int(found[9] or 0) * 60 + int(found[10] or 0)) * (-1 if found[8] == "-" else 1)
    minutes = (days * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * SECOND + _fraction(found[7])


def _fraction(digits: str | None) -> int:
    return int((digits or "")[:9].ljust(9, "0"))


def time_text(time: int) -> str:
    """A time as Splunk writes ``_time``: seconds, with a fraction where there is one."""
    sign = "-" if time < 0 else ""
    seconds, rest = divmod(abs(time), SECOND)
    fraction = f"{rest:09}".rstrip("0")
    return f"{sign}{seconds}.{fraction}" if fraction else f"{sign}{seconds}"
