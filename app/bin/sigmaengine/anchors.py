"""Which literals of a field are looked up in its index, and which are asked for when they matter.

A conjunction that needs several literals of one field does not hold where one of them is absent. So
one is enough to be looked up in every value: the conjunction's *anchor*, the one that is looked up
best. What else it needs of the field, and what it refuses, is asked *further* for the few
conjunctions that still stand then. The result is JSON, part of a program (see ``program``)::

    {"indexed": literals whose truth the index tells,
     "stands": [[literal, bits that it anchors], ...],
     "backs": [[literal, bits that need it too], ...],    of indexed literals
     "falls": [[literal, bits that refuse it], ...],      of indexed literals
     "further": [[bit, needed literals, refused literals], ...],
     "gates": [[test to be run when asked for, its gate, whether that is for ASCII values alone,
                how often the gate's texts are in a value that passes, at least,
                how many characters such a value has, at least], ...]}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .gates import repetitions, shortest
from .indexing import Rarity, gate_of_test, is_gated_loosely, is_looked_up, text_inside, texts_of_test
from .modifiers import Test

# A literal of at least so many texts is looked up with the others: asking for each would be dearer.
_LONG_LIST = 8

#: [positions of its tests, bits that need it, bits that refuse it]
LiteralEntry = Sequence[Sequence[int]]


def choose_anchors(tests: Sequence[Test], literals: Sequence[LiteralEntry], rarity: Rarity) -> dict[str, list[Any]]:
    """Choose the anchors of a field."""
    texts = [texts_of_test(test) for test in tests]
    costs = [_cost([texts[place] for place in positions], rarity) for positions, _, _ in literals]
    dear = [_DEAR + sum(texts[place] is None for place in positions) for positions, _, _ in literals]
    needed, refused = _by_bit(literals, 1), _by_bit(literals, 2)
    stands: dict[int, list[int]] = {}
    for bit, places in needed.items():
        best = min(places, key=lambda place: (costs[place] or (_DEAR,), place))
        if costs[best]:
            stands.setdefault(best, []).append(bit)
    indexed = {place for place, cost in enumerate(costs) if cost and (place in stands or _is_for_all(cost))}
    further = []
    for bit in sorted({*needed, *refused}):
        # The cheap ones first: one that does not hold settles the matter.
        left = sorted(
            (place for place in needed.get(bit, ()) if bit not in stands.get(place, ())),
            key=lambda place: (costs[place] or (dear[place],), place),
        )
        never = [place for place in refused.get(bit, ()) if place not in indexed]
        if left or never:
            further.append([bit, left, never])
    backs = {place: [bit for bit in literals[place][1] if bit not in stands.get(place, ())] for place in indexed}
    falls = {place: list(literals[place][2]) for place in indexed}
    return {
        "indexed": sorted(indexed),
        "stands": _listed(stands),
        "backs": _listed(backs),
        "falls": _listed(falls),
        "further": further,
        "gates": _gates(tests, [positions for place, (positions, _, _) in enumerate(literals) if place not in indexed]),
    }


#: (0 if dicts tell, 1 if groups do, 2 if texts have to be looked for; how often one is found; number of texts).
_Cost = tuple[int, int, int]
# What comes first in place of it where a literal is not looked up.
_DEAR = 3
# Text shorter than this is in too many values to say anything.
_SHORTEST = 2


def _cost(texts: Sequence[list[str] | None], rarity: Rarity) -> _Cost | None:
    """What it costs to look a literal up; None if it has to be asked for."""
    found: list[str] = []
    for test in texts:
        if test is None:
            return None
        found += test
    if not found:
        return 0, 0, 0
    by_groups = all(map(is_looked_up, found))
    if not by_groups and min(map(len, found)) < _SHORTEST:
        return None
    return 1 if by_groups else 2, sum(rarity.rarest(text)[0] for text in found), len(found)


def _is_for_all(cost: _Cost) -> bool:
    return cost[0] == 0 or (cost[0] == 1 and cost[2] >= _LONG_LIST)


def _gates(tests: Sequence[Test], asked: Sequence[Sequence[int]]) -> list[Any]:
    run = sorted({place for positions in asked for place in positions if text_inside(tests[place]) is None})
    gates = [(place, gate_of_test(tests[place])) for place in run]
    return [
        [place, gate, is_gated_loosely(tests[place]), *_least(tests[place], gate)]
        for place, gate in gates
        if gate or tests[place][0] == "re"
    ]


def _least(test: Test, gate: Sequence[str]) -> tuple[int, int]:
    if test[0] != "re":
        return 1, 0
    return max(1, repetitions(test[1], test[2], gate[0]) if len(gate) == 1 else 1), shortest(test[1], test[2])


def _listed(bits: dict[int, list[int]]) -> list[Any]:
    return [[place, bits[place]] for place in sorted(bits) if bits[place]]


def _by_bit(literals: Sequence[LiteralEntry], slot: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place, literal in enumerate(literals):
        for bit in literal[slot]:
            found.setdefault(bit, []).append(place)
    return found
