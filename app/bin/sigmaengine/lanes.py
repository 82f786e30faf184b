"""Rules of several log sources on the rows of one table: their fields as the steps of a diagram."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, Callable, NamedTuple

from .diagram import Diagram, Key, Share, Step
from .fieldmasks import FieldMasks, ReferenceMasks, mask_of
from .fields import Cell, Columns, Event, FieldView, Values, with_decoded
from .groups import Group, Match, lookups
from .windowsxml import decode_entities


class Lane(NamedTuple):
    """One log source's rules, and the names that their fields have in the events that they are tried on."""

    group: Group
    view: FieldView


class Outcome:
    """What bits mean: the rules that match, and those that have to be evaluated plainly to know."""

    def __init__(self, matches: Iterable[Match], rechecked: Iterable[Match]) -> None:
        self._matches, self._rechecked = list(matches), list(rechecked)
        self._sorted = _in_order(self._matches)

    def matches(self, columns: Columns, cells: Sequence[Cell]) -> list[Match]:
        """The rules that match a row with these bits, highest level first, then by id."""
        if not self._rechecked:
            return self._sorted
        event = Event(columns, cells)
        held = [match for match in self._rechecked if match.plain().matches(*lookups(match.view, event))]
        return _in_order([*self._matches, *held])


def _in_order(matches: Sequence[Match]) -> list[Match]:
    by_id: dict[str, Match] = {}
    for match in matches:
        by_id.setdefault(match.info.id, match)
    return sorted(by_id.values(), key=lambda match: match.order)


#: What tells rows apart for a field: (what it is, to be shared by fields; the key; the field's masks by it).
Source = tuple[Any, Key, Callable[[Any, int], tuple[int, bool]]]


class LaneDiagram:
    """Lanes as one diagram. Subclasses say by what a row is asked for a field."""

    def __init__(self, lanes: Sequence[Lane], columns: Columns) -> None:
        self.lanes, self.columns = lanes, columns
        self._offsets: list[int] = []
        self._standing: list[int] = []  # by lane: without the bits that need a field which no row has
        sources: dict[Any, tuple[Key, list[Share]]] = {}
        offset = 0
        for lane in lanes:
            standing = lane.group.all
            for field in lane.group.fields:
                source = self._source(lane.view, field)
                if source is None:
                    standing &= field.without_value
                else:
                    identity, key, mask = source
                    sources.setdefault(identity, (key, []))[1].append(Share(offset, field, mask))
            self._offsets.append(offset)
            self._standing.append(standing)
            offset += lane.group.bits
        steps = [Step(key, shares) for key, shares in sources.values()]
        # What the cheap ones rule out need not be asked of the others.
        steps.sort(key=_cost)
        start = self._joined(lane.group.wanted for lane in lanes)
        blocked = self._joined(mask_of(lane.group.blockers) for lane in lanes)
        self.run = Diagram(steps, start, blocked, self._blockers_of).run

    def _source(self, view: FieldView, field: FieldMasks) -> Source | None:
        """By what rows are asked for a field; None if none of this table can have it."""
        raise NotImplementedError

    def _joined(self, masks: Iterable[int]) -> int:
        """Masks of the lanes, in their order, as one of the diagram."""
        joined = 0
        for mask, standing, offset in zip(masks, self._standing, self._offsets):
            joined |= (mask & standing) << offset
        return joined

    def _blockers_of(self, bits: int) -> int:
        return self._joined(
            lane.group.blockers_of(bits >> offset & lane.group.all) for lane, offset in zip(self.lanes, self._offsets)
        )

    def outcome(self, alive: int) -> Outcome:
        """What the bits mean that are alive after all steps."""
        found = [
            (lane.group, place, lane.group.match(place, lane.view))
            for lane, offset in zip(self.lanes, self._offsets)
            for place in lane.group.places(alive >> offset & lane.group.all)
        ]
        rechecked = [place in group.recheck for group, place, _ in found]
        matches = [match for _, _, match in found]
        return Outcome(
            (match for match, again in zip(matches, rechecked) if not again),
            (match for match, again in zip(matches, rechecked) if again),
        )


def _cost(step: Step) -> tuple[bool, bool, int]:
    fields = [share.field for share in step.shares]
    return (
        any(field.name is None for field in fields),
        any(field.is_text for field in fields),
        sum(field.cost for field in fields),
    )


class CellDiagram(LaneDiagram):
    """For rows whose columns show all that they hold. Rows are sequences of cells."""

    def __init__(self, lanes: Sequence[Lane], columns: Columns) -> None:
        fields = [field for lane in lanes for field in lane.group.fields if field.name is None]
        self._signs = sorted({sign for field in fields for sign in field.signs or ()})
        super().__init__(lanes, columns)

    def _source(self, view: FieldView, field: FieldMasks) -> Source | None:
        columns = self.columns
        if field.name is None:
            if field.signs is None or "_raw" not in columns.positions:
                return "texts", lambda cells: Event(columns, cells).texts(), _keyword_masks(field)
            return "gated", _texts_unless_clear(columns, self._signs), _keyword_masks(field)
        if isinstance(field, ReferenceMasks):
            return _pair(view, field, lambda cells: Event(columns, cells))
        candidates = [candidate for candidate in view.candidates(field.name) if candidate[0] in columns.positions]
        if any(len(candidate) > 1 for candidate in candidates):
            name = field.name
            return (
                (id(view), name),
                lambda cells: view.values(Event(columns, cells), name),
                field.memory("values", field.of_values),
            )
        places = list(dict.fromkeys(place for candidate in candidates for place in columns.positions[candidate[0]]))
        if not places:
            return None
        key = itemgetter(*places) if len(places) == 1 else _first_of(places)
        return tuple(places), key, self._memory(view, field)

    def _memory(self, view: FieldView, field: FieldMasks) -> Callable[[Any, int], tuple[int, bool]]:
        values_of = self.columns.values
        if view.xml:
            memory = field.memory(
                (True, self.columns.text_of), lambda cell, alive: field.of_values(with_decoded(values_of(cell)), alive)
            )
        else:
            memory = field.memory(
                (False, self.columns.text_of), lambda cell, alive: field.of_values(values_of(cell), alive)
            )
        return memory


def _pair(view: FieldView, field: ReferenceMasks, event_of: Callable[[Any], Event]) -> Source:
    """The values of two fields."""
    name, other = str(field.name), field.other

    def key(row: Any) -> tuple[Values, Values]:
        event = event_of(row)
        return view.values(event, name), view.values(event, other)

    return (id(view), name, other), key, field.memory("values", field.of_pair)


def _first_of(places: Sequence[int]) -> Key:
    """The first of several cells that says something."""

    def key(cells: Sequence[Cell]) -> Cell:
        for place in places:
            if cells[place]:
                return cells[place]
        return ""

    return key


# The characters beyond ASCII that fold to ASCII ones: the Kelvin sign to k, the long s to s.
_FOLD_TO_ASCII = ("\u212a".encode(), "\u017f".encode())


def _texts_unless_clear(columns: Columns, signs: Sequence[str]) -> Key:
    """What keywords are looked for in; nothing where ``_raw`` has none of the signs, as most have not."""
    place = columns.positions["_raw"][0]
    bytes_of = columns.bytes_of
    sought = [sign.encode("ascii") for sign in signs]

    def key(cells: Sequence[Cell]) -> Values:
        raw = cells[place]
        if raw and type(raw) is str:
            data = bytes_of(raw).lower()
            if b"&#" in data:  # decoded, &#107; is a k; what named entities stand for is in no sign
                data += decode_entities(data.decode("latin-1")).encode("utf-8")
            sought_here = sought if data.isascii() else [*sought, *_FOLD_TO_ASCII]
            for sign in sought_here:
                if sign in data:
                    break
            else:
                return ()
        return Event(columns, cells).texts()

    return key


def _keyword_masks(field: FieldMasks) -> Callable[[Values, int], tuple[int, bool]]:
    return lambda texts, alive: (field.of_values(texts, alive), not texts)


class EventDiagram(LaneDiagram):
    """For rows that hold more than their columns show. Rows are events."""

    def _source(self, view: FieldView, field: FieldMasks) -> Source | None:
        name = field.name
        if name is None:
            return "texts", Event.texts, _keyword_masks(field)
        if isinstance(field, ReferenceMasks):
            return _pair(view, field, lambda event: event)
        return (id(view), name), lambda event: view.values(event, name), field.memory("values", field.of_values)


class Watch:
    """Notes which fields ever have a value; of interest are those that have not had one yet."""

    def __init__(self, lanes: Sequence[Lane], columns: Columns) -> None:
        self._columns = columns
        self._places: dict[FieldMasks, list[int]] = {}
        for group, view in lanes:
            for field in group.fields:
                names = [candidate[0] for candidate in view.candidates(field.name)] if field.name is not None else []
                self._places[field] = [place for name in names for place in columns.positions.get(name, ())]
        self._get: Callable[[Sequence[Cell]], Any] | None = None
        self._nothing: Any = ""
        self._look_for_the_unseen()

    def _look_for_the_unseen(self) -> None:
        self._places = {field: places for field, places in self._places.items() if not field.seen and places}
        places = [place for places in self._places.values() for place in places]
        self._get = itemgetter(*places) if places else None
        self._nothing = ("",) * len(places) if len(places) > 1 else ""

    def look(self, cells: Sequence[Cell]) -> None:
        """Look at a row."""
        if self._get is None or self._get(cells) == self._nothing:
            return
        for field, places in self._places.items():
            field.seen = field.seen or any(cells[place] for place in places)
        self._look_for_the_unseen()
