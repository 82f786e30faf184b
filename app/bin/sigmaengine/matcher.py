"""Events in, matching rules out.

``Matcher`` joins the pieces: the router says which kinds of events a row belongs to; a *lane* is
one log source's rules together with the names that their fields have in such rows; a *plan* is a
lane for one table's columns. A row is matched by the masks of its cells (see ``program``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Callable, NamedTuple

from .fieldmasks import BrokenTestError, FieldMasks, Memory, mask_of
from .fields import Cell, Columns, Event, FieldView, Values, array_forms, with_decoded
from .plain import Evidence, PlainRule
from .program import compile_program
from .routing import Alternative, Route, Router, merged_aliases
from .rule import LEVELS, LogSource, Rule
from .ruleset import RuleSet, Shard
from .selection import RuleInfo

# Below this share of a shard's rules, compiling the selected ones anew is cheaper than running all.
_FEW = 0.25
# Kinds of events (by the values of the routing keys) that are remembered for one table.
_ROUTES = 20_000
# Tables that are remembered: chunks of one search mostly have the same header.
_TABLES = 500


class Match(NamedTuple):
    """A rule that matches an event, and what is needed to say why."""

    info: RuleInfo
    plain: Callable[[], PlainRule]
    view: FieldView

    @property
    def order(self) -> tuple[int, str]:
        """Sorts as results do: highest level first, then by id."""
        return -LEVELS.index(self.info.level), self.info.id


class Counts:
    """What a matcher has seen: ``routed`` events had rules to try, ``matched`` ones matched a rule."""

    def __init__(self) -> None:
        self.events = self.routed = self.matched = 0


class Matcher:
    """Matches events against the selected rules of a rule set.

    ``select``: which rules (by RuleInfo); ``profile``: the field profile; ``logsource``: what all
    events are, instead of working it out for each. Rules that this Python cannot run are left out
    and stand in ``left_out`` as (rule, reason) pairs.
    """

    def __init__(
        self,
        ruleset: RuleSet,
        select: Callable[[RuleInfo], bool] = lambda _: True,
        profile: str = "auto",
        logsource: LogSource | None = None,
    ) -> None:
        self.ruleset, self.profile, self.logsource = ruleset, profile, logsource
        self.counts = Counts()
        self.left_out: list[tuple[RuleInfo, str]] = []
        self._select = select
        self.router = Router(ruleset.routing)
        self._shards = [shard for shard in ruleset.shards if any(map(select, shard.infos))]
        if logsource is not None:
            self._shards = [shard for shard in self._shards if shard.logsource.within(logsource)]
        self._groups: dict[LogSource, _Group] = {}
        self._lanes: dict[Route, list[_Lane]] = {}
        self._tables: dict[Columns, _Table] = {}

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
        table = self._tables.get(columns)
        if table is None:
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            table = self._tables[columns] = _Table(self, columns)
        return table.match(cells)

    def match_plainly(self, columns: Columns, cells: Sequence[Cell]) -> list[Match]:
        """What ``match`` gives, by evaluating one rule after the other: its oracle, and slow."""
        event = Event(columns, cells)
        found: dict[str, Match] = {}
        for group, view in self.lanes_of(self.router.route(event)):
            for position in group.positions:
                match = group.match(position, view)
                if match.plain().matches(*lookups(view, event)):
                    found.setdefault(match.info.id, match)
        return sorted(found.values(), key=lambda match: match.order)

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
        """Every column that the selected rules and the routing can look at, sorted.

        Keywords search the whole event, which is ``_raw``.
        """
        table = self.ruleset.routing
        needed = set(table.key_fields())
        for shard in self._shards:
            # Each kind of events by itself: a name that one sets aside is another's own.
            kinds = self._alternatives(shard, tuple(range(len(table.alternatives))))
            for view in [self._view_of(shard, [kind]) for kind in kinds] or [self._view_of(shard, [])]:
                for field in shard.fields:
                    for candidate in view.candidates(field):
                        needed.update([candidate[0]] if view.xml else array_forms(candidate[0]))
                if shard.keywords or view.xml:
                    needed.add("_raw")
        return sorted(needed)

    # --- lanes ----------------------------------------------------------------------------------

    def lanes_of(self, route: Route) -> list[_Lane]:
        """The rules to try on events of a route, and how their fields are looked up there."""
        lanes = self._lanes.get(route)
        if lanes is None:
            lanes = self._lanes[route] = [
                _Lane(self._group(shard), view) for shard in self._shards if (view := self._view(shard, route))
            ]
        return lanes

    def _view(self, shard: Shard, route: Route) -> FieldView | None:
        """How the fields of a shard's rules are looked up in events of ``route``; None if they are not its."""
        alternatives = self._alternatives(shard, route)
        if not alternatives and any(shard.logsource) and self.logsource is None:
            return None
        return self._view_of(shard, alternatives)

    def _view_of(self, shard: Shard, alternatives: Sequence[Alternative]) -> FieldView:
        aliases = merged_aliases([alternative.aliases for alternative in alternatives], shard.logsource)
        return FieldView(aliases, self.profile, any(alternative.xml for alternative in alternatives))

    def _alternatives(self, shard: Shard, route: Route) -> list[Alternative]:
        """What makes events of ``route`` ones of the shard's log source."""
        table = self.ruleset.routing
        if self.logsource is None:
            found = table.contributors(shard.logsource, route)
        else:
            # The search says what the events are; what they look like still tells the names apart.
            overlap = table.contributors(self.logsource, range(len(table.alternatives)))
            found = tuple(index for index in route if index in overlap) or overlap
        return [table.alternatives[index] for index in found]

    def _group(self, shard: Shard) -> _Group:
        group = self._groups.get(shard.logsource)
        if group is None:
            positions = [place for place, info in enumerate(shard.infos) if self._select(info)]
            group = self._groups[shard.logsource] = _Group(self.ruleset, shard, positions, self.left_out)
        return group


class _Group:
    """The selected rules of one shard: their program, ready to run.

    ``positions`` are the selected rules' places in the shard.
    """

    def __init__(
        self, ruleset: RuleSet, shard: Shard, positions: list[int], left_out: list[tuple[RuleInfo, str]]
    ) -> None:
        self._ruleset, self.shard, self.positions = ruleset, shard, positions
        self._left_out = left_out
        self._rules: list[Rule] | None = None
        self._plain: dict[int, PlainRule] = {}
        if len(positions) < _FEW * len(shard.infos):
            program = compile_program([self.rules[place] for place in positions])
            places = positions
        else:
            program, places = ruleset.program_of(shard), list(range(len(shard.infos)))
        chosen = set(positions)
        self.owners = {int(bit): places[owner] for bit, owner in program["owners"].items()}
        self.wanted = mask_of(bit for bit, owner in self.owners.items() if owner in chosen)
        self.blockers: dict[int, list[int]] = {int(bit): bits for bit, bits in program["blockers"].items()}
        self.recheck = {places[owner] for owner in program["recheck"]}
        fields = [FieldMasks(field, program["bits"]) for field in program["fields"]]
        # What the cheap ones rule out need not be asked of the others.
        self.fields = sorted(fields, key=lambda field: field.index.cost)
        #: The bits of the selected rules, and of what can block them.
        self.concerned = self.wanted | mask_of(self._blockers_of(self.wanted))

    @property
    def rules(self) -> list[Rule]:
        """The shard's rules in full; read when first asked for."""
        if self._rules is None:
            self._rules = self._ruleset.rules_of(self.shard)
        return self._rules

    def plain(self, place: int) -> PlainRule:
        """The plain form of a rule."""
        found = self._plain.get(place)
        if found is None:
            found = self._plain[place] = PlainRule(self.rules[place])
        return found

    def match(self, place: int, view: FieldView) -> Match:
        """The match of a rule of the shard."""
        return Match(self.shard.infos[place], lambda: self.plain(place), view)

    def _blockers_of(self, wanted: int) -> Iterator[int]:
        waiting = [other for bit, others in self.blockers.items() if wanted >> bit & 1 for other in others]
        while waiting:
            bit = waiting.pop()
            yield bit
            waiting += self.blockers.get(bit, ())

    def holds(self, bit: int, standing: int) -> bool:
        """Whether a standing bit's conjunction holds: none of its blockers may."""
        blockers = self.blockers.get(bit)
        return not blockers or not any(standing >> other & 1 and self.holds(other, standing) for other in blockers)

    def leave_out(self, field: FieldMasks, broken: BrokenTestError) -> None:
        """Take the rules that use a test which cannot be run out of service, and say so."""
        field.index.never_passes(broken.position)
        parents = {other: bit for bit, others in self.blockers.items() for other in others}
        for bit in field.bits_of(broken.position):
            owned = bit
            while owned not in self.owners:
                owned = parents[owned]
            owner = self.owners[owned]
            bits = mask_of(other for other, place in self.owners.items() if place == owner)
            if self.wanted & bits:
                self._left_out.append((self.shard.infos[owner], str(broken)))
            self.wanted &= ~bits

    def blind(self) -> dict[str, list[str]]:
        """See Matcher.blind."""
        unseen = [field for field in self.fields if field.name is not None and not field.seen]
        if len(unseen) == len(self.fields):
            return {}  # no event was tried
        possible = self.wanted
        for field in unseen:
            possible &= field.without_value
        bits_of: dict[int, int] = {}
        for bit, place in self.owners.items():
            if self.wanted >> bit & 1:
                bits_of[place] = bits_of.get(place, 0) | 1 << bit
        return {
            self.shard.infos[place].id: sorted(str(field.name) for field in unseen if bits & ~field.without_value)
            for place, bits in bits_of.items()
            if not bits & possible
        }


class _Lane(NamedTuple):
    group: _Group
    view: FieldView


class _Table:
    """A matcher for the rows of one table."""

    def __init__(self, matcher: Matcher, columns: Columns) -> None:
        self.matcher, self.columns = matcher, columns
        self.counts = matcher.counts
        fields = matcher.ruleset.routing.key_fields()
        places = sorted({place for field in fields for place in columns.positions.get(field, ())})
        # What decides the kind of an event, as one key.
        self._key: Callable[[Sequence[Cell]], Any] = itemgetter(*places) if places else lambda cells: ()
        self._plans_of: dict[Any, list[_Plan]] = {}
        self._plans: dict[Route, list[_Plan]] = {}

    def match(self, cells: Sequence[Cell]) -> list[Match]:
        counts = self.counts
        counts.events += 1
        key = self._key(cells)
        plans = self._plans_of.get(key)
        if plans is None:
            plans = self._find_plans(key, cells)
        if not plans:
            return []
        counts.routed += 1
        found: dict[str, Match] | None = None
        for plan in plans:
            standing = plan.standing(cells)
            if standing & plan.group.wanted:
                found = found or {}
                for match in plan.matches(standing, cells):
                    found.setdefault(match.info.id, match)
        if not found:
            return []
        counts.matched += 1
        return sorted(found.values(), key=lambda match: match.order)

    def _find_plans(self, key: Any, cells: Sequence[Cell]) -> list[_Plan]:
        route = self.matcher.router.route(Event(self.columns, cells))
        plans = self._plans.get(route)
        if plans is None:
            lanes = self.matcher.lanes_of(route)
            plans = self._plans[route] = [_Plan(lane, self.columns) for lane in lanes if lane.group.wanted]
        if len(self._plans_of) >= _ROUTES:
            self._plans_of.clear()
        self._plans_of[key] = plans
        return plans


class _Plan:
    """A lane for the rows of one table: which cell is looked up where."""

    def __init__(self, lane: _Lane, columns: Columns) -> None:
        self.group, self.view = lane
        self.columns = columns
        self._base = self.group.concerned
        #: One cell decides: (its position, memory, what to do with a new one).
        self._cells: list[tuple[int, Callable[[Cell], int | None], Callable[[Cell, int], int]]] = []
        #: The first of several cells that says something decides.
        self._choices: list[tuple[Sequence[int], Callable[[Cell], int | None], Callable[[Cell, int], int]]] = []
        #: The values have to be worked out from the event.
        self._worked_out: list[tuple[FieldMasks, Memory]] = []
        #: All fields, for events that hold more than their fields show.
        self._all: list[tuple[FieldMasks, Memory]] = []
        raw = columns.positions.get("_raw")
        self._raw = raw[0] if raw and self.view.xml else None
        for field in self.group.fields:
            self._add(field)

    def _add(self, field: FieldMasks) -> None:
        by_values = (field, field.memory("values", field.of_values))
        self._all.append(by_values)
        if field.name is None:
            self._worked_out.append(by_values)
            return
        candidates = self.view.candidates(field.name)
        present = [candidate for candidate in candidates if candidate[0] in self.columns.positions]
        if any(len(candidate) > 1 for candidate in present):
            self._worked_out.append(by_values)
            return
        places = [place for candidate in present for place in self.columns.positions[candidate[0]]]
        places = list(dict.fromkeys(places))
        if not places:
            self._base &= field.without_value
            return
        memory = self._memory_of_cells(field)
        if len(places) == 1:
            self._cells.append((places[0], memory.known.get, memory.learn))
        else:
            self._choices.append((places, memory.known.get, memory.learn))

    def _memory_of_cells(self, field: FieldMasks) -> Memory:
        values_of = self.columns.values
        if self.view.xml:
            return field.memory(
                (True, self.columns.text_of), lambda cell, alive: field.of_values(with_decoded(values_of(cell)), alive)
            )
        return field.memory((False, self.columns.text_of), lambda cell, alive: field.of_values(values_of(cell), alive))

    def standing(self, cells: Sequence[Cell]) -> int:
        """The bits that an event leaves standing."""
        while True:
            try:
                return self._standing(cells)
            except BrokenTestError as broken:
                # Raised while a new value was looked at: take the test out of service and look again.
                self.group.leave_out(broken.field, broken)

    def _standing(self, cells: Sequence[Cell]) -> int:
        if self._raw is not None:
            raw = cells[self._raw]
            if "<Data>" in raw or "<UserData>" in raw:
                return self._of_fields(self._all, cells, self.group.concerned)
        standing = self._base
        for place, get, learn in self._cells:
            cell = cells[place]
            mask = get(cell)
            standing &= learn(cell, standing) if mask is None else mask
        for places, get, learn in self._choices:
            cell = next((cells[place] for place in places if cells[place]), "")
            mask = get(cell)
            standing &= learn(cell, standing) if mask is None else mask
        if self._worked_out:
            standing = self._of_fields(self._worked_out, cells, standing)
        return standing

    def _of_fields(self, fields: list[tuple[FieldMasks, Memory]], cells: Sequence[Cell], standing: int) -> int:
        event = Event(self.columns, cells)
        for field, memory in fields:
            if field.name is None:
                standing &= field.of_values(event.texts(), standing)[0]  # whole events do not come again
                continue
            values = self.view.values(event, field.name)
            mask = memory.known.get(values)
            standing &= memory.learn(values, standing) if mask is None else mask
        return standing

    def matches(self, standing: int, cells: Sequence[Cell]) -> list[Match]:
        """The rules that match, given the bits that an event leaves standing."""
        group = self.group
        places: set[int] = set()
        bits = standing & group.wanted
        while bits:
            bit = bits.bit_length() - 1
            bits ^= 1 << bit
            place = group.owners[bit]
            if place not in places and group.holds(bit, standing) and self._rechecked(place, cells):
                places.add(place)
        return [group.match(place, self.view) for place in places]

    def _rechecked(self, place: int, cells: Sequence[Cell]) -> bool:
        if place not in self.group.recheck:
            return True
        return self.group.plain(place).matches(*lookups(self.view, Event(self.columns, cells)))


def lookups(view: FieldView, event: Event) -> tuple[Callable[[str], Values], Callable[[], Values]]:
    """What a plain rule asks an event by: values of a field, and the texts that keywords search."""
    known: dict[str, Values] = {}

    def values(field: str) -> Values:
        found = known.get(field)
        if found is None:
            found = known[field] = view.values(event, field)
        return found

    return values, event.texts
