"""The rules of a kind of events as a decision diagram over its columns, drawn as events need it.

The state of a row's evaluation is the set of bits (see ``program``) that the columns seen so far have
left standing. A *node* is such a state and the next column that has a say in it; each value that was
met there leads to another node. So a row costs one look-up a column, and only the columns that can
still change something; it does not matter how many rules there are. What a value that is new to a
node leaves standing is told by ``fieldmasks``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional

from .fieldmasks import ENTRY, FieldMasks, size_of

# Characters of the values that a diagram's nodes lead on by, each taking more than these; then it is drawn anew.
_ROOM = 16_000_000

#: What a row says at a node; how it is known.
Key = Callable[[Any], Any]


class Share(NamedTuple):
    """A field of one of the diagram's programs: ``mask(cell, alive)`` is its answer, in the program's own bits.

    ``offset``: where the program's bits begin in the diagram's.
    """

    offset: int
    field: FieldMasks
    mask: Callable[[Any, int], tuple[int, bool]]


class Step:
    """A column (or what takes its place) and the fields that it decides."""

    def __init__(self, key: Key, shares: Sequence[Share]) -> None:
        self.key, self.shares = key, shares
        self.says = 0
        for share in shares:
            self.says |= share.field.says << share.offset

    def ask(self, cell: Any, alive: int) -> tuple[int, bool]:
        """The bits of ``alive`` that a cell leaves standing, and whether it is worth remembering."""
        lasting = True
        for offset, field, mask in self.shares:
            concerned = alive >> offset & field.all
            if concerned & field.says:
                standing, is_lasting = mask(cell, concerned)
                lasting = lasting and is_lasting
                alive ^= (concerned ^ standing) << offset
        return alive, lasting


class State:
    """What is standing at a node.

    ``number``: the step to be asked there, or how many steps there are. ``pending``: those of the bits
    that are ``alive`` which the steps to come are to decide; all of them, until blockers are asked for.
    """

    __slots__ = ("alive", "leads", "meaning", "number", "pending")

    def __init__(self, number: int, alive: int, pending: int) -> None:
        self.number, self.alive, self.pending = number, alive, pending
        #: Values -> the nodes that they lead to.
        self.leads: dict[Any, Node] = {}
        #: What a last state means to the user of the diagram, who may leave it here.
        self.meaning: Any = None


#: (what a row is asked for, None at the end; what its answer leads to; the state)
Node = tuple[Optional[Key], Callable[[Any], Any], State]


class Diagram:
    """Runs rows through ``steps``.

    ``start``: the bits that stand before any step. ``blocked``: the bits that have blockers;
    ``blockers_of`` gives the blockers of some bits. They are asked for, from the first step on, where
    bits that they block have come through all steps.
    """

    def __init__(self, steps: Sequence[Step], start: int, blocked: int, blockers_of: Callable[[int], int]) -> None:
        self._steps, self._start = steps, start
        self._blocked, self._blockers_of = blocked, blockers_of
        self._draw()

    def _draw(self) -> None:
        self._nodes: dict[tuple[int, int, int], Node] = {}
        self._room = _ROOM
        self._first = self._node(0, self._start, self._start)

    def run(self, row: Any) -> State:
        """The last state of a row: what is ``alive`` in it holds, but for what is blocked by another."""
        key, get, state = self._first
        while key is not None:
            value = key(row)
            node = get(value)
            if node is None:
                node = self._next(state, value)
            key, get, state = node
        return state

    def _next(self, state: State, value: Any) -> Node:
        alive, lasting = self._steps[state.number].ask(value, state.alive)
        node = self._node(state.number + 1, alive, state.pending & alive)
        if lasting:
            self._room -= ENTRY + size_of(value)
            if self._room < 0:
                self._draw()
            else:
                state.leads[value] = node
        return node

    def _node(self, number: int, alive: int, pending: int) -> Node:
        steps = self._steps
        while number < len(steps) and not pending & steps[number].says:
            number += 1
        if number == len(steps) and pending == alive:
            blockers = self._blockers_of(alive & self._blocked) if alive & self._blocked else 0
            if blockers:
                return self._node(0, alive | blockers, blockers)
        known = self._nodes.get((number, alive, pending))
        if known is None:
            state = State(number, alive, pending)
            key = steps[number].key if number < len(steps) else None
            known = self._nodes[number, alive, pending] = key, state.leads.get, state
        return known
