"""Rules of several log sources on a kind of events: their fields as the steps of a diagram."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Callable, NamedTuple

from .diagram import Diagram, Key, Room, Share, State, Step
from .fieldmasks import LONG, FieldMasks, ReferenceMasks, WorkOut, mask_of
from .fields import Cell, Columns, Event, FieldView, Values, candidate_values, values_by, with_decoded
from .groups import Group, Match, lookups
from .signsearch import SignSearch


class Lane(NamedTuple):
    """One log source's rules, and the names that their fields have in the events that they are tried on."""

    group: Group
    view: FieldView


class Outcome:
    """What bits mean: the rules that match, and those that have to be evaluated plainly to know."""

    def __init__(self, matches: Iterable[Match], rechecked: Iterable[Match]) -> None:
        self._matches, self._rechecked = list(matches), list(rechecked)
        #: The rules that match any row with these bits; None where that differs from row to row.
        self.certain = None if self._rechecked else _in_order(self._matches)

    def matches(self, columns: Columns, cells: Sequence[Cell]) -> list[Match]:
        """The rules that match a row with these bits, highest level first, then by id."""
        if self.certain is not None:
            return self.certain
        event = Event(columns, cells)
        held = [match for match in self._rechecked if match.plain().matches(*lookups(match.view, event))]
        return _in_order([*self._matches, *held])


def _in_order(matches: Sequence[Match]) -> list[Match]:
    by_id: dict[str, Match] = {}
    for match in matches:
        by_id.setdefault(match.info.id, match)
    return sorted(by_id.values(), key=lambda match: match.order)


class Asked(NamedTuple):
    """What a step asks a row for: the values of fields, or (no names) what keywords search.

    ``signs``: what tells that no keyword can be in an event, where that can be told.
    """

    view: FieldView
    names: tuple[str, ...]
    signs: SignSearch | None = None

    @property
    def identity(self) -> str:
        """The same for fields that are looked up alike: they are asked for once."""
        candidates = [self.view.candidates(name) for name in self.names]
        return str((candidates, self.signs is None, self.view.xml and self.names))


class _Step(NamedTuple):
    """A step in the making. ``late``: it says what bits refuse, which is asked when they have all they need."""

    asked: Asked
    late: bool
    fields: list[FieldMasks]
    shares: list[Share]

    def rank(self) -> tuple[bool, bool, bool, int]:
        """What the cheap ones rule out need not be asked of the others."""
        is_text = any(field.is_text for field in self.fields)
        return not self.asked.names, self.late, is_text, sum(field.cost for field in self.fields)


class LaneDiagram(ABC):
    """Lanes as one diagram; it serves all tables. Subclasses say what the answers of rows mean."""

    def __init__(self, lanes: Sequence[Lane], room: Room) -> None:
        self.lanes = lanes
        self._offsets: list[int] = []
        keywords = [field for lane in lanes for field in lane.group.fields if field.name is None]
        signs = SignSearch(sorted({sign for field in keywords for sign in field.signs or ()}))
        steps: dict[str, _Step] = {}
        offset = 0
        for group, view in lanes:
            for field in group.fields:
                asked = _asked(view, field, signs)
                for says, late in ((field.says, False), (field.refuses, True)):
                    if says:
                        step = steps.setdefault(f"{late} {asked.identity}", _Step(asked, late, [], []))
                        step.fields.append(field)
                        step.shares.append(Share(offset, group.all, says, self._mask(view, field, late=late)))
            self._offsets.append(offset)
            offset += group.bits
        in_order = sorted(steps.values(), key=_Step.rank)
        self.asked = [step.asked for step in in_order]
        self._diagram = Diagram(
            [Step(step.shares, LONG if step.asked.names else 0) for step in in_order],
            self._joined(group.wanted for group, _ in lanes),
            self._joined(mask_of(group.blockers) for group, _ in lanes),
            self._blockers_of,
            room,
        )
        #: See Diagram.run.
        self.run: Callable[[Any, Mapping[int, Key]], State] = self._diagram.run

    @abstractmethod
    def _mask(self, view: FieldView, field: FieldMasks, *, late: bool) -> WorkOut:
        """What the answer of a row leaves standing of a field's bits; ``late``: what it refuses, not what it needs."""

    @abstractmethod
    def keys(self, columns: Columns) -> Mapping[int, Key]:
        """How rows of a table are asked at each step."""

    def _joined(self, masks: Iterable[int]) -> int:
        """Masks of the lanes, in their order, as one of the diagram."""
        joined = 0
        for mask, offset in zip(masks, self._offsets):
            joined |= mask << offset
        return joined

    def _blockers_of(self, bits: int) -> int:
        return self._joined(
            group.blockers_of(bits >> offset & group.all) for (group, _), offset in zip(self.lanes, self._offsets)
        )

    def outcome(self, state: State) -> Outcome:
        """What the last state of a row means."""
        if state.meaning is None:
            state.meaning = self._outcome(state.alive)
        outcome: Outcome = state.meaning
        return outcome

    def _outcome(self, alive: int) -> Outcome:
        found = [
            (place in group.recheck, group.match(place, view))
            for (group, view), offset in zip(self.lanes, self._offsets)
            for place in group.places(alive >> offset & group.all)
        ]
        return Outcome((match for again, match in found if not again), (match for again, match in found if again))


def _asked(view: FieldView, field: FieldMasks, signs: SignSearch) -> Asked:
    if field.name is None:
        return Asked(view, (), None if field.signs is None else signs)
    names = (field.name, field.other) if isinstance(field, ReferenceMasks) else (field.name,)
    return Asked(view, names)


class CellDiagram(LaneDiagram):
    """For rows whose columns show all that they hold; ``text_of`` as in Columns."""

    def __init__(self, lanes: Sequence[Lane], text_of: Callable[[str], str], room: Room) -> None:
        self._text_of = text_of
        values = values_by(text_of)
        #: What gives the values of a cell, by whether they may be XML.
        self._values_of = {False: _keeping_the_last(values), True: _keeping_the_last(_decoded(values))}
        super().__init__(lanes, room)

    def _mask(self, view: FieldView, field: FieldMasks, *, late: bool) -> WorkOut:
        mask = field.unrefused if late else field.of_values
        if field.name is None:
            return mask
        values_of = self._values_of[view.xml]

        def of_cell(cell: Cell, alive: int) -> int:
            return mask(values_of(cell), alive)

        def of_pair(pair: tuple[Cell, Cell], alive: int) -> int:
            return mask((values_of(pair[0]), values_of(pair[1])), alive)

        work_out: WorkOut = of_pair if isinstance(field, ReferenceMasks) else of_cell
        return work_out if late else field.memory((view.xml, self._text_of), work_out)

    def keys(self, columns: Columns) -> Mapping[int, Key]:
        """How the rows of a table are asked at each step."""
        return _Keys(partial(_key, columns), self.asked)


def _decoded(values_of: Callable[[Cell], Values]) -> Callable[[Cell], Values]:
    return lambda cell: with_decoded(values_of(cell))


def _keeping_the_last(values_of: Callable[[Cell], Values]) -> Callable[[Cell], Values]:
    """What ``values_of`` gives; fields of several programs, and of one twice, are asked about one cell."""
    last: Cell = ""
    found: Values = ()

    def values(cell: Cell) -> Values:
        nonlocal last, found
        if cell is not last:
            last, found = cell, values_of(cell)
        return found

    return values


class _Keys(dict[int, Key]):
    """Keys by the number of their step, each made when it is first used: most steps are asked by few tables."""

    def __init__(self, make: Callable[[Asked], Key], asked: Sequence[Asked]) -> None:
        super().__init__()
        self._make, self._asked = make, asked

    def __missing__(self, number: int) -> Key:
        key = self[number] = self._make(self._asked[number])
        return key


def _key(columns: Columns, asked: Asked) -> Key:
    if not asked.names:
        if asked.signs is None or "_raw" not in columns.positions:
            return lambda cells: Event(columns, cells).texts()
        return _texts_unless_clear(columns, asked.signs)
    keys = [_cell_key(asked.view, name, columns) for name in asked.names]
    if len(keys) == 1:
        return keys[0]
    first, second = keys
    return lambda cells: (first(cells), second(cells))


def _texts_unless_clear(columns: Columns, signs: SignSearch) -> Key:
    """What keywords are looked for in; nothing where ``_raw`` tells that they are not there."""
    place, bytes_of, is_clear = columns.positions["_raw"][0], columns.bytes_of, signs.is_clear

    def key(cells: Sequence[Cell]) -> Values:
        raw = cells[place]
        if raw and isinstance(raw, str) and is_clear(raw, bytes_of):
            return ()
        return Event(columns, cells).texts()

    return key


def _cell_key(view: FieldView, name: str, columns: Columns) -> Key:
    candidates = [candidate for candidate in view.candidates(name) if candidate[0] in columns.positions]
    if any(len(candidate) > 1 for candidate in candidates):

        def worked_out(cells: Sequence[Cell]) -> Values:
            event = Event(columns, cells)
            return next(filter(None, (candidate_values(event, candidate) for candidate in candidates)), ())

        return worked_out
    places = list(dict.fromkeys(place for candidate in candidates for place in columns.positions[candidate[0]]))
    if len(places) == 1:
        return itemgetter(places[0])
    if not places:
        return lambda _: ""

    def first_of(cells: Sequence[Cell]) -> Cell:
        for place in places:
            if cells[place]:
                return cells[place]
        return ""

    return first_of


class EventDiagram(LaneDiagram):
    """For rows that hold more than their columns show. Rows are events."""

    def _mask(self, view: FieldView, field: FieldMasks, *, late: bool) -> WorkOut:  # noqa: ARG002 - it gives values
        if late:
            return field.unrefused
        return field.of_values if field.name is None else field.memory("values", field.of_values)

    def keys(self, columns: Columns) -> Mapping[int, Key]:
        """How events of a table are asked at each step."""
        return _Keys(partial(self._key, columns), self.asked)

    @staticmethod
    def _key(columns: Columns, asked: Asked) -> Key:
        view = asked.view
        if not asked.names:
            key = _key(columns, asked)
            return lambda event: key(event.cells)
        if len(asked.names) == 1:
            (name,) = asked.names
            return lambda event: view.values(event, name)
        one, other = asked.names
        return lambda event: (view.values(event, one), view.values(event, other))


def fields_by_column(lanes: Sequence[Lane]) -> dict[str, list[FieldMasks]]:
    """The fields of some lanes by each column in which they may stand."""
    fields: dict[str, list[FieldMasks]] = {}
    for group, view in lanes:
        for field in group.fields:
            if field.name is not None:
                for column in {candidate[0] for candidate in view.candidates(field.name)}:
                    fields.setdefault(column, []).append(field)
    return fields


class Watch:
    """Notes which fields ever have a value; of interest are those that have not had one yet.

    ``fields``: as ``fields_by_column`` gives them.
    """

    def __init__(self, fields: Mapping[str, Sequence[FieldMasks]], columns: Columns) -> None:
        self._fields = fields
        self._unseen: dict[FieldMasks, list[int]] = {}
        for name, places in columns.positions.items():
            for field in fields.get(name, ()):
                if not field.seen:
                    self._unseen.setdefault(field, []).extend(places)
        self._look_for_the_unseen()

    def _look_for_the_unseen(self) -> None:
        self._unseen = {field: places for field, places in self._unseen.items() if places and not field.seen}
        places = [place for places in self._unseen.values() for place in places]
        #: Whether there is anything to look at.
        self.is_looking = bool(places)
        self._get: Callable[[Sequence[Cell]], Any] = itemgetter(*places) if places else len
        self._nothing: Any = ("",) * len(places) if len(places) > 1 else ""

    def see(self, names: Collection[str]) -> None:
        """Note that a row has values of these names which no column shows."""
        for fields in self._fields.values():
            for field in fields:
                if not field.seen and field.name in names:
                    field.seen = True

    def look(self, cells: Sequence[Cell]) -> None:
        """Look at a row, where there is anything to look at."""
        if self._get(cells) == self._nothing:
            return
        for field, places in self._unseen.items():
            field.seen = field.seen or any(cells[place] for place in places)
        self._look_for_the_unseen()
