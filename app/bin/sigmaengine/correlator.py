"""Sliding windows: events in the order of their times -> alerts.

For each time at which something happened, everything of that time is counted, then the groups that it
belongs to are judged, inner correlations before those that list them. What is kept lies within a
window: a group whose window is empty is forgotten, which changes nothing, as a full timespan has
passed since it last emitted. ``plaincorrelation`` is the plain way to compute the same.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import groupby, islice

from .aggregates import Judge
from .correlation import Correlation
from .occurrences import MAX_LISTED, Alert, BaseEvent, GroupKey, Occurrence, Part, Parts
from .timestamps import SECOND


class Correlator:
    """Evaluates correlations, inner ones first (see ``correlationrefs.resolve``)."""

    def __init__(self, correlations: Sequence[Correlation]) -> None:
        self._windows = [_Windows(correlation) for correlation in correlations]
        self._listeners: dict[str, list[int]] = {}
        for place, correlation in enumerate(correlations):
            for rule in correlation.rules:
                self._listeners.setdefault(rule, []).append(place)

    @property
    def cut(self) -> int:
        """How many times an event had more groups or combinations of values than MAX_COMBINATIONS."""
        return sum(windows.parts.cut for windows in self._windows)

    @property
    def groups(self) -> int:
        """How many groups are kept."""
        return sum(len(windows.groups) for windows in self._windows)

    def alerts(self, events: Iterable[BaseEvent]) -> Iterator[Alert]:
        """The alerts of events that come in the order of their times."""
        for time, together in groupby(events, key=lambda event: event.time):
            yield from self._at(time, list(together))

    def _at(self, time: int, events: Sequence[BaseEvent]) -> Iterator[Alert]:
        """The alerts of one time, of which ``events`` are all events."""
        heard: dict[int, list[Occurrence]] = {}
        waiting: list[int] = []
        for event in events:
            self._tell(event, heard, waiting)
        while waiting:
            place = heappop(waiting)
            for alert in self._windows[place].take(time, heard[place]):
                self._tell(alert, heard, waiting)
                yield alert

    def _tell(self, occurrence: Occurrence, heard: dict[int, list[Occurrence]], waiting: list[int]) -> None:
        """Put an occurrence before the correlations that list what it stands for."""
        places = {place for rule in occurrence.rules() for place in self._listeners.get(rule, ())}
        for place in places:
            if place not in heard:
                heard[place] = []
                heappush(waiting, place)
            heard[place].append(occurrence)


class _Group:
    """One group of a correlation: the parts within its window."""

    __slots__ = ("aggregate", "bases", "emitted", "held", "last", "parts")

    def __init__(self, judge: Judge) -> None:
        self.parts: deque[Part] = deque()
        self.aggregate = judge.aggregate()
        #: The rules whose matches the parts are made of, and of how many parts each.
        self.bases: dict[str, int] = {}
        self.held = False
        self.last = 0
        self.emitted: int | None = None

    def add(self, part: Part) -> None:
        """Take a part into the window."""
        self.parts.append(part)
        self.aggregate.add(part)
        for rule in _bases(part):
            self.bases[rule] = self.bases.get(rule, 0) + 1

    def forget(self, start: int) -> None:
        """Let go of the parts before ``start``."""
        while self.parts and self.parts[0].of.time < start:
            part = self.parts.popleft()
            self.aggregate.remove(part)
            for rule in _bases(part):
                left = self.bases.pop(rule) - 1
                if left:
                    self.bases[rule] = left


class _Windows:
    """The groups of one correlation."""

    def __init__(self, correlation: Correlation) -> None:
        self.correlation = correlation
        self.parts = Parts(correlation)
        self.judge = Judge(correlation)
        self.span = correlation.timespan * SECOND
        # The group that has been silent longest comes first.
        self.groups: OrderedDict[GroupKey, _Group] = OrderedDict()

    def take(self, time: int, occurrences: Iterable[Occurrence]) -> list[Alert]:
        """Count everything of one time, then say which groups emit."""
        self._forget(time - self.span)
        touched: dict[GroupKey, _Group] = {}
        for occurrence in occurrences:
            for part in self.parts.of(occurrence):
                group = touched.get(part.group)
                if group is None:
                    group = touched[part.group] = self._touched(part.group, time)
                group.add(part)
        found = [self._judged(key, touched[key], time) for key in sorted(touched)]
        return [alert for alert in found if alert]

    def _forget(self, start: int) -> None:
        """Drop the groups that have had nothing since ``start``."""
        groups = self.groups
        while groups:
            key = next(iter(groups))
            if groups[key].last >= start:
                return
            del groups[key]

    def _touched(self, key: GroupKey, time: int) -> _Group:
        """The group, with its window as it is at ``time``."""
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = _Group(self.judge)
        self.groups.move_to_end(key)
        group.last = time
        group.forget(time - self.span)
        return group

    def _judged(self, key: GroupKey, group: _Group, time: int) -> Alert | None:
        holds, value = self.judge.judged(group.aggregate)
        emits = holds and (not group.held or group.emitted is None or time - group.emitted >= self.span)
        group.held = holds
        if not emits:
            return None
        group.emitted = time
        count = len(group.parts)
        # From the end: a deque is walked to its middle slowly.
        listed = list(islice(reversed(group.parts), MAX_LISTED))[::-1]
        return Alert(self.correlation, time, key, value, listed, count, sorted(group.bases))


def _bases(part: Part) -> Iterable[str]:
    """The rules whose matches a part is made of; of an event, those that the correlation lists."""
    return part.rules if isinstance(part.of, BaseEvent) else part.of.base_rules()
