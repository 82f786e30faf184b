"""What correlations correlate: events that rules matched, and alerts of other correlations.

Both are *occurrences*: they have a time, the ids of the rules (or of the correlation) that they stand
for, and under each of these ids values of fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product
from typing import Any, NamedTuple, Protocol

from .correlation import DISTINCT, VALUED, Correlation
from .fields import Values
from .timestamps import time_text

#: Groups, and combinations of values, that one event may take part in; there is a message if it has more.
MAX_COMBINATIONS = 1_000
#: Events that an alert lists, the latest; ``sigma_event_count`` tells how many there were.
MAX_LISTED = 50

#: The values of the group-by fields, in their order.
GroupKey = tuple[str, ...]

_NUMBER = re.compile(r"[0-9]{1,20}")


class Occurrence(Protocol):
    """An event or an alert."""

    @property
    def time(self) -> int:
        """Nanoseconds since 1970."""

    def rules(self) -> Iterable[str]:
        """The ids that it stands for."""

    def base_rules(self) -> Iterable[str]:
        """The ids of the rules whose matches it is made of."""

    def values(self, rule: str, field: str) -> Values:
        """The values of a field in what it is as a match of ``rule``."""

    def described(self, rules: Sequence[str]) -> dict[str, Any]:
        """What an alert tells of it; ``rules``: those that made it a part of the alert."""

    def completed_by(self) -> BaseEvent:
        """The event that it is, or that completed it."""


class BaseEvent(NamedTuple):
    """A matched event, as far as correlations need it. ``matches``: rule -> field -> values."""

    time: int
    bucket: str
    address: str
    matches: Mapping[str, Mapping[str, Sequence[str]]]
    #: The row's position in the input.
    position: int = 0

    def rules(self) -> Iterable[str]:
        """See Occurrence."""
        return self.matches

    def base_rules(self) -> Iterable[str]:
        """See Occurrence."""
        return self.matches

    def values(self, rule: str, field: str) -> Values:
        """See Occurrence."""
        return tuple(self.matches[rule].get(field, ()))

    def described(self, rules: Sequence[str]) -> dict[str, Any]:
        """See Occurrence."""
        return {**self.placed(), "rules": list(rules)}

    def completed_by(self) -> BaseEvent:
        """See Occurrence."""
        return self

    def placed(self) -> dict[str, str]:
        """Its time and, where they are known, its bucket and address, which find it in an index."""
        told = {"_time": time_text(self.time), "_bkt": self.bucket, "_cd": self.address}
        return {name: value for name, value in told.items() if value}

    def to_line(self) -> str:
        """As a line of ASCII. Events of one time are in the order of their lines: by ``_cd``, then content."""
        place = _NUMBER.sub(lambda found: found[0].zfill(20), self.address)
        content = [place, self.bucket, self.address, self.matches]
        return json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_line(cls, time: int, line: str, position: int) -> BaseEvent:
        """The event that was written as a line."""
        _, bucket, address, matches = json.loads(line)
        return cls(time, bucket, address, matches, position)


class Part(NamedTuple):
    """What an occurrence adds to one group: for which of the rules, and which values."""

    group: GroupKey
    of: Occurrence
    rules: list[str]
    values: list[Any]


class Alert(NamedTuple):
    """A correlation that has become true for a group at ``time``.

    ``value``: int, Decimal or Fraction; ``parts``: the latest of its window, MAX_LISTED at most, of
    ``size``; ``bases``: the ids of the rules that made it.
    """

    correlation: Correlation
    time: int
    group: GroupKey
    value: Any
    parts: list[Part]
    size: int
    bases: list[str]

    def rules(self) -> Iterable[str]:
        """See Occurrence."""
        return (self.correlation.id,)

    def base_rules(self) -> Iterable[str]:
        """See Occurrence."""
        return self.bases

    def values(self, rule: str, field: str) -> Values:  # noqa: ARG002 - an alert is of one rule alone
        """The group's value, or else what the event that completed the alert has."""
        if field in self.correlation.group_by:
            return (self.group[self.correlation.group_by.index(field)],)
        last = self.parts[-1]
        return last.of.values(last.rules[0], field)

    def described(self, rules: Sequence[str]) -> dict[str, Any]:
        """See Occurrence."""
        return {**self.completed_by().placed(), "rules": list(rules), "group": self.grouped()}

    def grouped(self) -> dict[str, str]:
        """The group-by fields and their values."""
        return dict(zip(self.correlation.group_by, self.group))

    def completed_by(self) -> BaseEvent:
        """See Occurrence."""
        return self.parts[-1].of.completed_by()


class Parts:
    """Works out what occurrences add to a correlation's groups. ``cut``: how many had too many groups."""

    def __init__(self, correlation: Correlation) -> None:
        self.correlation = correlation
        self.cut = 0

    def of(self, occurrence: Occurrence) -> list[Part]:
        """One part for each group that the occurrence takes part in; none without a group-by field's value."""
        correlation = self.correlation
        standing = set(occurrence.rules())
        found: dict[GroupKey, Part] = {}
        taken: dict[GroupKey, set[tuple[str, ...]]] = {}
        for rule in correlation.rules:
            if rule not in standing:
                continue
            fields = tuple(correlation.field_of(field, rule) for field in correlation.condition.fields)
            values: Sequence[Any] | None = None
            for group in self._groups(occurrence, rule):
                part = found.get(group)
                if part is None:
                    part = found[group] = Part(group, occurrence, [], [])
                part.rules.append(rule)
                seen = taken.setdefault(group, set())
                # Two rules that look at the same fields of an event see the same values: they count once.
                if fields and fields not in seen:
                    seen.add(fields)
                    if values is None:
                        values = self._values(occurrence, rule, fields)
                    part.values.extend(values)
        return list(found.values())

    def _groups(self, occurrence: Occurrence, rule: str) -> Sequence[GroupKey]:
        names = self.correlation.group_by
        columns = [occurrence.values(rule, self.correlation.field_of(name, rule)) for name in names]
        return self._combined(columns)

    def _values(self, occurrence: Occurrence, rule: str, fields: Sequence[str]) -> Sequence[Any]:
        columns = [occurrence.values(rule, field) for field in fields]
        kind = self.correlation.kind
        if kind == DISTINCT:
            return self._combined(columns)
        return columns[0] if kind in VALUED else ()

    def _combined(self, columns: Sequence[Values]) -> list[tuple[str, ...]]:
        """Every way to take one value of each column, each once."""
        found = list(islice(product(*map(dict.fromkeys, columns)), MAX_COMBINATIONS + 1))
        if len(found) > MAX_COMBINATIONS:
            self.cut += 1
            found.pop()
        return found
