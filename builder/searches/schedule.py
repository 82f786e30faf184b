"""When searches run: durations, cron expressions, and minutes that spread the searches of a period.

splunkd's own skew moves a search with explicit minutes by seconds only, so each search gets minutes
of its own, from a hash of its name: they stay when other searches come and go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400

#: The periods at which searches can run: every one divides an hour or a day, so that no two runs are
#: nearer or farther apart than it. Twelve runs an hour are the most that AppInspect lets pass.
PERIODS = tuple(
    [minutes * MINUTE for minutes in range(5, 60) if 60 % minutes == 0]
    + [hours * HOUR for hours in range(1, 25) if 24 % hours == 0]
)

_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])\Z")


def read_duration(text: object) -> int:
    """Seconds of a duration such as ``15m``. Raises ValueError with a message."""
    found = _DURATION.match(text) if isinstance(text, str) else None
    if not found:
        raise ValueError("a duration is a number and s, m, h or d, such as 15m")
    return int(found[1]) * _UNITS[found[2]]


def duration(seconds: int) -> str:
    """``seconds`` as Splunk and the configuration write them; never as days, which Splunk counts by the calendar."""
    unit = next(unit for unit in "hms" if seconds % _UNITS[unit] == 0 and (seconds or unit == "s"))
    return f"{seconds // _UNITS[unit]}{unit}"


class Timing(NamedTuple):
    """``cron``: when a search runs; ``period``: the longest time between two runs, in seconds, which is its window."""

    cron: str
    period: int

    @property
    def window(self) -> int:
        """What a run reads. Where the cron names hours, the clocks going back make one period an hour longer."""
        return self.period + (0 if self.cron.split()[1] == "*" else HOUR)


def staggered(name: str, period: int) -> Timing:
    """Runs of the search ``name``, one in each ``period`` (of PERIODS)."""
    offset = int.from_bytes(sha256(name.encode()).digest()[:8], "big") % (period // MINUTE)
    if period < HOUR:
        minutes = ",".join(map(str, range(offset, 60, period // MINUTE)))
        return Timing(f"{minutes} * * * *", period)
    hours, minute = divmod(offset, 60)
    step = period // HOUR
    every = "*" if step == 1 else ",".join(map(str, range(hours, 24, step)))
    return Timing(f"{minute} {every} * * *", period)


# --- cron expressions that users write -----------------------------------------------------------

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_PART = re.compile(r"(?:\*|(?P<first>\d{1,2})(?:-(?P<last>\d{1,2}))?)(?:/(?P<step>\d{1,2}))?\Z")
_WEEK = 7 * 24 * 60


def read_cron(text: object) -> Timing:
    """A cron expression of five fields with the longest time between its runs. Raises ValueError with a message."""
    fields = text.split() if isinstance(text, str) else []
    if len(fields) != len(_FIELDS):
        raise ValueError(
            "a cron expression is text of five fields (minute, hour, day of month, month, day of week),"
            f" this has {len(fields)}" + ("; Splunk has no seconds" if len(fields) > len(_FIELDS) else "")
        )
    minutes, hours, days, months, weekdays = (
        _numbers(field, *about) for field, about in zip(fields, _FIELDS, strict=True)
    )
    if len(days) < 31 or len(months) < 12:
        raise ValueError(
            "day of month and month must be *: a search that does not run at least once in a day reads too much at once"
        )
    gaps = _gaps(minutes, hours, {day % 7 for day in weekdays})
    if min(gaps) < 5:
        raise ValueError(f"it runs again after {min(gaps)} minutes; 5 minutes are the least")
    if max(gaps) > 24 * 60:
        raise ValueError(f"it does not run for {max(gaps) // 60} hours; 24 hours are the most")
    if min(gaps) < max(gaps):
        raise ValueError(
            f"its runs are {min(gaps)} to {max(gaps)} minutes apart; each reads the same time, so they have to be even"
        )
    return Timing(" ".join(fields), max(gaps) * MINUTE)


def _numbers(field: str, name: str, lowest: int, highest: int) -> list[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.match(part)
        if not match:
            raise ValueError(f"{part!r} cannot be the {name} of a cron expression")
        first, last = match["first"], match["last"]
        if first and match["step"] and not last:
            raise ValueError(f"{part!r} is not read alike everywhere; write {first}-{highest}/{match['step']}")
        low = int(first) if first else lowest
        high = int(last) if last else low if first else highest
        step = int(match["step"] or 1)
        if not lowest <= low <= high <= highest or not step:
            raise ValueError(f"{part!r} is out of range for the {name} of a cron expression, {lowest} to {highest}")
        found.update(range(low, high + 1, step))
    return sorted(found)


def _gaps(minutes: Sequence[int], hours: Sequence[int], weekdays: set[int]) -> list[int]:
    """Minutes from each run of a week to the next."""
    runs = sorted((day * 24 + hour) * 60 + minute for day in weekdays for hour in hours for minute in minutes)
    return [after - before for before, after in zip(runs, [*runs[1:], runs[0] + _WEEK], strict=True)]
