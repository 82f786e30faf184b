"""The lookup ``sigma_exceptions``: matches that are not wanted, by rule and by a field's value.

Asked after matching, of the rules that matched: what it costs does not depend on how many events
there are. An exception looks a field up as its rule does: by the same aliases, profile and XML.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Callable, NamedTuple

from .fields import Event, is_event_field
from .folding import fold
from .groups import Match
from .knownnames import MAX_GLOBS, KnownNames, glob_test, is_glob, names_of
from .lookupfiles import LookupFile, Row
from .patterns import compile_parts, folded, parse
from .problems import shown
from .selection import RuleInfo

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s?(?:Z|([+-])(\d\d):?(\d\d)?)?)?\Z", re.ASCII
)
# Seconds of the years 1973 to 5138, or thirteen digits of milliseconds: what is shorter is a mistaken date.
_EPOCH = re.compile(r"(\d{9,11}|\d{13})(?:\.\d*)?\Z", re.ASCII)
_MILLISECONDS = 13


class _Exception(NamedTuple):
    """A row that is in force."""

    row: int
    rule: str
    field: str
    tests: list[Callable[[str], bool]]


class Exceptions:
    """The exceptions in force, and what they have suppressed.

    ``infos``: the rules there are; ``now``: epoch seconds.
    """

    def __init__(self, file: LookupFile, infos: Sequence[RuleInfo], now: float | None = None) -> None:
        self.suppressed = 0
        self._by_row: dict[int, int] = {}
        self._titles: dict[int, str] = {}
        self._by_rule: dict[str, list[_Exception]] = {}
        self._exact: dict[str, list[_Exception]] = {}
        self._globs: list[tuple[Callable[[tuple[str, str]], bool], _Exception]] = []
        in_force = _in_force(file, time.time() if now is None else now)
        for exception in in_force:
            if is_glob(exception.rule):
                self._globs.append((glob_test(exception.rule), exception))
            else:
                self._exact.setdefault(fold(exception.rule), []).append(exception)
        #: The fields that exceptions look at, sorted.
        self.fields = sorted({exception.field for exception in in_force})
        names = KnownNames(infos)
        unknown = [exception for exception in in_force if not names.has(exception.rule)]
        file.problems += [f"row {one.row}: no rule has the id or title {shown(one.rule)}" for one in unknown]

    def kept(self, matches: list[Match], event: Event) -> list[Match]:
        """The matches of an event that no exception is about."""
        kept = [match for match in matches if not self._is_suppressed(match, event)]
        self.suppressed += len(matches) - len(kept)
        return kept

    def _is_suppressed(self, match: Match, event: Event) -> bool:
        for exception in self._of(match.info):
            values = match.view.values(event, exception.field)
            if values and any(test(fold(value)) for value in values for test in exception.tests):
                self._by_row[exception.row] = self._by_row.get(exception.row, 0) + 1
                self._titles.setdefault(exception.row, match.info.title)
                return True
        return False

    def _of(self, info: RuleInfo) -> list[_Exception]:
        found = self._by_rule.get(info.id)
        if found is None:
            names = names_of(info)
            exact = [one for name in set(names) for one in self._exact.get(name, ())]
            found = exact + [exception for test, exception in self._globs if test(names)]
            found = self._by_rule[info.id] = sorted(found, key=lambda exception: exception.row)
        return found

    def summary(self) -> list[str]:
        """What each row has suppressed, in words, the most first."""
        counted = sorted(self._by_row.items(), key=lambda counted: (-counted[1], counted[0]))
        return [f"{count} by row {row} ({self._titles[row]})" for row, count in counted]


def _in_force(file: LookupFile, now: float) -> list[_Exception]:
    """The rows that can be used and have not expired; says of the others why not."""
    found: list[_Exception] = []
    expired = globs = 0
    for row in file.rows:
        fault = _fault(row)
        if fault:
            file.refuse(row, fault)
            continue
        if _expiry(row.text("expiry")) <= now:
            expired += 1
            continue
        rule = row.text("rule")
        globs += is_glob(rule)
        if is_glob(rule) and globs > MAX_GLOBS:
            file.refuse(row, f"it names rules by a glob, as over {MAX_GLOBS} rows do; name rules by their ids")
            continue
        tests = [compile_parts(folded(parse(pattern))) for pattern in row.values("pattern")]
        found.append(_Exception(row.number, rule, row.text("field"), tests))
    if expired:
        file.notes.append(f"{expired} expired")
    return found


def _fault(row: Row) -> str:
    """Why a row cannot be used; empty if it can."""
    if not row.text("rule"):
        return "it names no rule; for every rule write *"
    if not row.text("field") or not row.values("pattern"):
        missing = "pattern" if row.text("field") else "field"
        return f"it has no {missing}; a rule as a whole is switched off in the lookup sigma_rule_settings"
    if not is_event_field(row.text("field")):
        return f"{shown(row.text('field'))} is no field of events"
    try:
        _expiry(row.text("expiry"))
    except ValueError as error:
        return str(error)
    return ""


def _expiry(text: str) -> float:
    """When a row ceases to be in force, in epoch seconds. A date alone is in force to its end.

    Raises ValueError.
    """
    if not text:
        return float("inf")
    epoch = _EPOCH.match(text)
    if epoch:
        return float(text) / (1000 if len(epoch[1]) == _MILLISECONDS else 1)
    found = _ISO.match(text)
    try:
        if found:
            return _iso_seconds(found)
    except (ValueError, OverflowError):  # no such day or time
        pass
    raise ValueError(
        f"the expiry {shown(text)} is no date (2026-03-31), time (2026-03-31T18:00Z) or epoch seconds;"
        " the row is not in force"
    )


def _iso_seconds(found: re.Match[str]) -> float:
    from datetime import datetime, timedelta, timezone

    year, month, day, hour, minute, second = (int(group) if group else 0 for group in found.groups()[:6])
    moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    if found[4] is None:
        moment += timedelta(days=1)
    offset = timedelta(hours=int(found[8] or 0), minutes=int(found[9] or 0))
    return (moment - (offset if found[7] == "+" else -offset)).timestamp()
