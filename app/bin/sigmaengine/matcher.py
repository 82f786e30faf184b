"""Events in, matching rules out.

``Matcher`` joins the pieces: the router says which kinds of events a row belongs to; a *lane* is
one log source's rules together with the names that their fields have in such rows; the lanes of a
kind of events are run as one diagram (see ``diagram``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Callable

from .correlationplan import MATCH_COLUMNS
from .diagram import Key, Room
from .fieldmasks import BrokenTestError
from .fields import Cell, Columns, Event, FieldView, array_forms
from .groups import Group, Match, lookups
from .lanes import CellDiagram, EventDiagram, Lane, Outcome, Watch, fields_by_column
from .plain import Evidence
from .routing import Route, Router
from .rule import LogSource
from .ruleset import RuleSet, Shard
from .selection import RuleInfo
from .views import Views
from .windowsxml import may_have_unextracted

if TYPE_CHECKING:
    from .exceptions import Exceptions

# Kinds of events (by the values of the routing keys) that are remembered for one table.
_ROUTES = 20_000
# Characters of values that are remembered.
_ROOM = 16_000_000
# Tables that are remembered: chunks of one search mostly have the same header.
_TABLES = 500


class Counts:
    """What a matcher has seen: ``routed`` events had rules to try, ``matched`` ones matched a rule."""

    def __init__(self) -> None:
        self.events = self.routed = self.matched = 0


class Matcher:
    """Matches events against the selected rules of a rule set.

    ``select``: which rules (by RuleInfo); ``profile``: the field profile; ``logsource``: what all
    events are, instead of working it out for each; ``exceptions``: the matches that are not wanted.
    Rules that this Python cannot run are left out and stand in ``left_out`` as (rule, reason) pairs.
    """

    def __init__(
        self,
        ruleset: RuleSet,
        select: Callable[[RuleInfo], bool] = lambda _: True,
        profile: str = "auto",
        logsource: LogSource | None = None,
        exceptions: Exceptions | None = None,
    ) -> None:
        self.ruleset, self.profile, self.logsource = ruleset, profile, logsource
        self.exceptions = exceptions
        self.counts = Counts()
        self.left_out: list[tuple[RuleInfo, str]] = []
        self._select: Callable[[RuleInfo], bool] = lambda info: info.enabled and select(info)
        self.router = Router(ruleset.routing)
        self.views = Views(ruleset.routing, profile, logsource)
        self._shards = [shard for shard in ruleset.shards if any(map(self._select, shard.infos))]
        if logsource is not None:
            self._shards = [shard for shard in self._shards if shard.logsource.within(logsource)]
        # By log source and number: rules of one log source may lie in several shards.
        self._groups: dict[tuple[LogSource, int], Group] = {}
        self._lanes: dict[Route, list[Lane]] = {}
        self._tables: dict[Columns, _Table] = {}
        self._kinds: dict[tuple[Route, Callable[[str], str]], _Kind] = {}
        self._room = Room(_ROOM)
        #: The fields that say of what kind an event is.
        self.key_fields = ruleset.routing.key_fields()

    @property
    def selected(self) -> list[RuleInfo]:
        """The rules that this matcher can apply."""
        return [info for shard in self._shards for info in shard.infos if self._select(info)]

    def unmapped(self) -> list[RuleInfo]:
        """Selected rules whose log source no event can be known to have."""
        if self.logsource is not None:
            return []
        is_mapped = self.ruleset.routing.is_mapped
        shards = [shard for shard in self._shards if not is_mapped(shard.logsource)]
        return [info for shard in shards for info in shard.infos if self._select(info)]

    def match(self, columns: Columns, cells: Sequence[Cell]) -> list[Match]:
        """The rules that match one event, highest level first, then by id.

        Pass the same ``columns`` for all rows of a table.
        """
        plan = self._plan_of(columns, cells)
        matches: list[Match] | None = None
        while matches is None:
            try:
                matches = plan.match(cells)
            except BrokenTestError as broken:
                # Found where a new value was looked at: take the test out of service and look again.
                self._leave_out(broken)
                plan = self._plan_of(columns, cells)
        counts = self.counts
        counts.events += 1
        counts.routed += plan.is_routed
        if matches and self.exceptions is not None:
            matches = self.wanted(matches, Event(columns, cells))
        if matches:
            counts.matched += 1
        return matches

    def _plan_of(self, columns: Columns, cells: Sequence[Cell]) -> _Plan:
        table = self._tables.get(columns) or self._new_table(columns)
        key = table.key(cells)
        return table.plans.get(key) or table.find_plan(key, cells)

    def _new_table(self, columns: Columns) -> _Table:
        if len(self._tables) >= _TABLES:
            self._tables.clear()
        table = self._tables[columns] = _Table(self, columns)
        return table

    def _leave_out(self, broken: BrokenTestError) -> None:
        for group in self._groups.values():
            if broken.field in group.fields:
                group.leave_out(broken.field, broken)
        # They were made for what was wanted before.
        self._tables.clear()
        self._kinds.clear()
        self._room = Room(_ROOM)

    def match_plainly(self, columns: Columns, cells: Sequence[Cell]) -> list[Match]:
        """What ``match`` gives, by evaluating one rule after the other: its oracle, and slow."""
        event = Event(columns, cells)
        found: dict[str, Match] = {}
        for group, view in self.lanes_of(self.router.route(event)):
            for position in group.positions:
                match = group.match(position, view)
                if match.plain().matches(*lookups(view, event)):
                    found.setdefault(match.info.id, match)
        return self.wanted(sorted(found.values(), key=lambda match: match.order), event)

    def wanted(self, matches: list[Match], event: Event) -> list[Match]:
        """Those of the matches of an event that no exception is about."""
        return self.exceptions.kept(matches, event) if self.exceptions else matches

    @staticmethod
    def evidence(match: Match, columns: Columns, cells: Sequence[Cell]) -> list[Evidence]:
        """Why ``match`` matched the event that it was found in."""
        return match.plain().evidence(*lookups(match.view, Event(columns, cells)))

    def blind(self) -> dict[str, list[str]]:
        """Rules that could not match because fields they need never had a value: id -> those fields.

        Of rules that were tried on at least one event.
        """
        found: dict[str, list[str]] = {}
        for group in self._groups.values():
            found.update(group.blind())
        return found

    def fields(self) -> list[str]:
        """Every column that the selected rules, correlations of theirs and the routing can look at, sorted.

        Keywords search the whole event, which is ``_raw``.
        """
        table = self.ruleset.routing
        needed = set(self.key_fields)
        correlated = self.ruleset.correlated_fields()
        for shard in self._shards:
            listed = [correlated[info.id] for info in shard.infos if info.id in correlated and self._select(info)]
            needed.update(MATCH_COLUMNS if listed else ())
            more = {field for fields in listed for field in fields}
            # Each kind of events by itself: a name that one sets aside is another's own.
            source = shard.logsource
            kinds = self.views.contributing(source, tuple(range(len(table.alternatives))))
            for view in [self.views.view_of(source, (kind,)) for kind in kinds] or [self.views.view_of(source, ())]:
                for field in [*shard.fields, *more, *(self.exceptions.fields if self.exceptions else ())]:
                    for candidate in view.candidates(field):
                        needed.update([candidate[0]] if view.xml else array_forms(candidate[0]))
                if shard.keywords or view.xml:
                    needed.add("_raw")
        return sorted(needed)

    # --- lanes ----------------------------------------------------------------------------------

    def lanes_of(self, route: Route) -> list[Lane]:
        """The rules to try on events of a route, and how their fields are looked up there."""
        lanes = self._lanes.get(route)
        if lanes is None:
            lanes = self._lanes[route] = [
                Lane(self._group(shard), view) for shard in self._shards if (view := self._view(shard, route))
            ]
        return lanes

    def kind_of(self, route: Route, columns: Columns) -> _Kind:
        """What is tried on events of a route in such tables."""
        kind = self._kinds.get((route, columns.text_of))
        if kind is None:
            lanes = [lane for lane in self.lanes_of(route) if lane.group.wanted]
            kind = self._kinds[route, columns.text_of] = _Kind(lanes, columns, self._room)
        return kind

    def _view(self, shard: Shard, route: Route) -> FieldView | None:
        """How the fields of a shard's rules are looked up in events of ``route``; None if they are not its."""
        source = shard.logsource
        if self.logsource is None and any(source) and not self.views.contributing(source, route):
            return None
        return self.views.view(source, route)

    def _group(self, shard: Shard) -> Group:
        key = shard.logsource, shard.number
        group = self._groups.get(key)
        if group is None:
            positions = [place for place, info in enumerate(shard.infos) if self._select(info)]
            group = self._groups[key] = Group(self.ruleset, shard, positions, self.left_out)
        return group


class _Table:
    """How the kind of a table's rows is known, and what is tried on each kind."""

    def __init__(self, matcher: Matcher, columns: Columns) -> None:
        self.matcher, self._columns = matcher, columns
        places = sorted({place for field in matcher.key_fields for place in columns.positions.get(field, ())})
        #: What decides the kind of a row, as one key.
        self.key: Callable[[Sequence[Cell]], Any] = itemgetter(*places) if places else lambda cells: ()
        #: By such keys.
        self.plans: dict[Any, _Plan] = {}
        self._plans_of_routes: dict[Route, _Plan] = {}

    def find_plan(self, key: Any, cells: Sequence[Cell]) -> _Plan:
        """What is tried on a row of a key that is new."""
        route = self.matcher.router.route(Event(self._columns, cells))
        plan = self._plans_of_routes.get(route)
        if plan is None:
            plan = self._plans_of_routes[route] = _Plan(self.matcher.kind_of(route, self._columns), self._columns)
        if len(self.plans) >= _ROUTES:
            self.plans.clear()
        self.plans[key] = plan
        return plan


class _Kind:
    """A kind of events: the lanes that are tried on them, as a diagram. It serves all tables of one sort."""

    def __init__(self, lanes: Sequence[Lane], columns: Columns, room: Room) -> None:
        self.lanes, self.room = lanes, room
        self.is_xml = any(lane.view.xml for lane in lanes)
        self.fields = fields_by_column(lanes)
        self.of_cells = CellDiagram(lanes, columns.text_of, room)
        self._of_events: EventDiagram | None = None

    @property
    def of_events(self) -> EventDiagram:
        """For events that hold more than their columns show."""
        if self._of_events is None:
            self._of_events = EventDiagram(self.lanes, self.room)
        return self._of_events


class _Plan:
    """A kind of events in one table: which cells are asked for."""

    def __init__(self, kind: _Kind, columns: Columns) -> None:
        self.kind, self.columns = kind, columns
        self.is_routed = bool(kind.lanes)
        raw = columns.positions.get("_raw")
        self._raw = raw[0] if raw and kind.is_xml else None
        self._watch = Watch(kind.fields, columns)
        of_cells = kind.of_cells
        self._keys, self._run, self._outcome = of_cells.keys(columns), of_cells.run, of_cells.outcome
        self._event_keys: Mapping[int, Key] | None = None

    def match(self, cells: Sequence[Cell]) -> list[Match]:
        """The rules that match a row. Raises BrokenTestError."""
        watch = self._watch
        if watch.is_looking:
            watch.look(cells)
        if self._raw is not None:
            raw = cells[self._raw]
            if may_have_unextracted(raw if isinstance(raw, str) else raw[0]):
                return self._match_event(cells)
        state = self._run(cells, self._keys)
        outcome: Outcome = state.meaning or self._outcome(state)
        certain = outcome.certain
        return outcome.matches(self.columns, cells) if certain is None else certain

    def _match_event(self, cells: Sequence[Cell]) -> list[Match]:
        of_events = self.kind.of_events
        if self._event_keys is None:
            self._event_keys = of_events.keys(self.columns)
        event = Event(self.columns, cells)
        self._watch.see(event.unextracted())
        state = of_events.run(event, self._event_keys)
        return of_events.outcome(state).matches(self.columns, cells)
