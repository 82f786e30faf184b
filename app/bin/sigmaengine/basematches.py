"""Matched rows -> what correlations need of them, sorted by time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .correlationplan import CorrelationPlan
from .correlator import Correlator
from .fields import Cell, Columns, Event
from .occurrences import Alert, BaseEvent
from .routing import Router
from .rule import LogSource
from .timesort import TimeSorter
from .timestamps import parse_time
from .views import Views


class BaseMatches:
    """Collects the matches of the rules that correlations list, and correlates them in the end.

    ``logsources``: the log source of each of these rules, by id. Matches without
    a usable ``_time`` take no part: ``untimed`` counts them. ``seen``: the rules that matched a row.
    """

    def __init__(
        self, plan: CorrelationPlan, logsources: Mapping[str, LogSource], views: Views, sorter: TimeSorter
    ) -> None:
        self.plan, self.sorter = plan, sorter
        self.untimed = 0
        self.seen: set[str] = set()
        self.correlator = Correlator(plan.correlations)
        self._logsources = logsources
        self._router = Router(views.table)
        self._views = views

    @property
    def count(self) -> int:
        """How many matches were collected."""
        return self.sorter.count

    def add(self, columns: Columns, cells: Sequence[Cell], rules: Iterable[str], position: int) -> None:
        """Take a row that ``rules`` matched. Raises OSError if it cannot be written to disk."""
        fields = self.plan.fields
        listed = [rule for rule in rules if rule in fields]
        if not listed:
            return
        self.seen.update(listed)
        event = Event(columns, cells)
        times = event.column("_time")
        time = parse_time(times[0]) if times else None
        if time is None:
            self.untimed += 1
            return
        route = self._router.route(event)
        matches: dict[str, dict[str, Sequence[str]]] = {}
        for rule in listed:
            view = self._views.view(self._logsources.get(rule, LogSource()), route)
            found = ((field, view.values(event, field)) for field in fields[rule])
            matches[rule] = {field: values for field, values in found if values}
        bucket, address = (next(iter(event.column(name)), "") for name in ("_bkt", "_cd"))
        self.sorter.add(time, BaseEvent(time, bucket, address, matches).to_line(), position)

    def alerts(self) -> Iterator[Alert]:
        """The alerts to show, once all rows were taken. Raises OSError."""
        events = (BaseEvent.from_line(*key) for key in self.sorter.sorted())
        shown = self.plan.shown
        return (alert for alert in self.correlator.alerts(events) if alert.correlation.id in shown)
