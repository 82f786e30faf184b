"""The rules of a kind of events as a decision diagram over their columns, drawn as events need it.

The state of a row's evaluation is the set of bits (see ``program``) that the columns seen so far have
left standing. A *node* is such a state and the next column that has a say in it; each value that was
met there leads to another node. So a row costs one look-up a column, and only the columns that can
still change something. What a value that is new to a node leaves standing is told by ``fieldmasks``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple

from .fieldmasks import ENTRY, WorkOut, size_of

#: What a row answers when a step asks it.
Key = Callable[[Any], Any]


class Share(NamedTuple):
    """What an answer does to the bits of one of the diagram's programs.

    ``offset``: where the program's bits begin in the diagram's; ``all``: these bits; ``says``: those that
    ``mask`` has a say in, which gives what an answer leaves standing of some of them.
    """

    offset: int
    all: int
    says: int
    mask: WorkOut


class Step:
    """What a row is asked for, a column mostly, and the fields that the answer decides.

    Answers of more characters than ``longest`` do not come again, and are not remembered.
    """

    def __init__(self, shares: Sequence[Share], longest: int) -> None:
        self.shares, self.longest = shares, longest
        self.says = 0
        for share in shares:
            self.says |= share.says << share.offset

    def standing(self, value: Any, alive: int) -> int:
        """The bits of ``alive`` that a value leaves standing."""
        for offset, everything, says, mask in self.shares:
            concerned = alive >> offset & everything
            if concerned & says:
                alive ^= (concerned ^ mask(value, concerned)) << offset
        return alive


# What a node takes, in characters: two numbers of some thousand bits, and a dict.
_NODE = 1_500


class Room:
    """How much diagrams may still remember, in characters; when it is used up, all of them are drawn anew."""

    def __init__(self, characters: int) -> None:
        self._characters = self.left = characters
        self._diagrams: list[Diagram] = []

    def add(self, diagram: Diagram) -> None:
        """Let a diagram use the room."""
        self._diagrams.append(diagram)

    def empty(self) -> None:
        """Draw the diagrams anew."""
        self.left = self._characters
        for diagram in self._diagrams:
            diagram.draw()


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


#: (number of the step, -1 at the end; what an answer leads to; the state)
Node = tuple[int, Callable[[Any], Any], State]


class Diagram:
    """Runs rows through ``steps``.

    ``start``: the bits that stand before any step. ``blocked``: the bits that have blockers;
    ``blockers_of`` gives the blockers of some bits. They are asked for, from the first step on, where
    bits that they block have come through all steps.
    """

    def __init__(
        self, steps: Sequence[Step], start: int, blocked: int, blockers_of: Callable[[int], int], room: Room
    ) -> None:
        self._steps, self._start, self._room = steps, start, room
        self._blocked, self._blockers_of = blocked, blockers_of
        self.draw()
        room.add(self)

    def draw(self) -> None:
        """Begin anew: forget all nodes."""
        self._nodes: dict[tuple[int, int, int], Node] = {}
        self._first = self._node(0, self._start, self._start)

    def run(self, row: Any, keys: Mapping[int, Key]) -> State:
        """The last state of a row: what is ``alive`` in it holds, but for what is blocked by another.

        ``keys``: how such a row is asked at each of the steps, by their numbers.
        """
        number, get, state = self._first
        while number >= 0:
            value = keys[number](row)
            node = get(value)
            if node is None:
                node = self._next(state, value)
            number, get, state = node
        return state

    def _next(self, state: State, value: Any) -> Node:
        step, room = self._steps[state.number], self._room
        alive = step.standing(value, state.alive)
        node = self._node(state.number + 1, alive, state.pending & alive)
        size = size_of(value)
        if size <= step.longest:
            state.leads[value] = node
            room.left -= size + ENTRY
        if room.left < 0:
            room.empty()
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
            asked = number if number < len(steps) else -1
            known = self._nodes[number, alive, pending] = asked, state.leads.get, state
            self._room.left -= _NODE
        return known
