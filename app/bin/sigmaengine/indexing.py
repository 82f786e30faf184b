"""The tests of a field -> the index by which a value is looked up in them (see ``fieldmasks``).

An index is JSON, part of a program::

    {"present": tests that pass where there is a value, "absent": tests that pass where there is none,
     "whole": {text: tests}, "numbers": {number: tests}, "networks": {network: tests},
     "starts": {length: {text: tests}}, "ends": {length: {text: tests}},
     "texts": [[text, test, 1 if finding it is passing, offset of its rarest group], ...],
     "covers": {substring: texts that share it},
     "always": tests to be run on every value,
     "beyond_ascii": tests to be run on every value that is not ASCII}

where a test is its position. Text is folded. What is found by text alone needs no function call;
everything else is run only where text that it cannot do without is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .gates import gate_of_parts, gate_of_regex
from .modifiers import Test
from .patterns import ANY

Index = dict[str, Any]

#: Bytes of a group: as many as a memoryview reads off as one integer.
GROUP = 4
#: Up to so many literals are looked for one by one; beyond, reading off a text's groups is cheaper.
MANY = 120

# A cover pays if it stands for at least so many literals and is seldom in a text that holds none of
# them: it is long, or a cluster of signs such as "::".
_COVERED, _COVER_LENGTHS, _LONG_COVER = 3, range(2, 9), 4


_TABLES = {"num": "numbers", "cidr": "networks"}


def build_index(tests: Sequence[Test]) -> Index:
    """The index of some tests."""
    index: Index = {
        "present": [],
        "absent": [],
        "whole": {},
        "numbers": {},
        "networks": {},
        "starts": {},
        "ends": {},
        "texts": [],
        "covers": {},
        "always": [],
        "beyond_ascii": [],
    }
    for place, test in enumerate(tests):
        _add(index, place, test)
    _choose_groups(index["texts"])
    literals = sorted({entry[0] for entry in index["texts"]})
    if len(index["texts"]) <= MANY:
        index["covers"] = _covers(literals)
    return index


def _add(index: Index, place: int, test: Test) -> None:
    kind = test[0]
    if kind in ("null", "exists"):
        index["present" if kind == "exists" and test[1] else "absent"].append(place)
    elif kind in _TABLES:
        index[_TABLES[kind]].setdefault(test[1], []).append(place)
    elif kind != "str" or test[1] or not _add_by_shape(index, place, test[2]):
        _add_by_gate(index, place, test)


def _add_by_shape(index: Index, place: int, parts: Sequence[Any]) -> bool:
    """Text at a fixed end, or anywhere: no function needs to be called for it."""
    literals = [part for part in parts if part != ANY]
    if len(literals) != 1 or not isinstance(literals[0], str):
        return False
    literal = literals[0]
    starts, ends = parts[0] != ANY, parts[-1] != ANY
    if starts and ends:
        index["whole"].setdefault(literal, []).append(place)
    elif starts or ends:
        table = index["starts" if starts else "ends"]
        table.setdefault(str(len(literal)), {}).setdefault(literal, []).append(place)
    else:
        index["texts"].append([literal, place, 1])
    return True


def _add_by_gate(index: Index, place: int, test: Test) -> None:
    gate = gate_of_test(test)
    if not gate:
        index["always"].append(place)
        return
    index["texts"] += [[literal, place, 0] for literal in gate]
    if test[0] == "re" and "i" in test[1]:
        index["beyond_ascii"].append(place)


def gate_of_test(test: Test) -> list[str]:
    """The gate of a test; empty for tests that no text decides."""
    if test[0] == "str":
        return sorted(gate_of_parts(test[2]))
    return sorted(gate_of_regex(test[1], test[2])) if test[0] == "re" else []


def encode(text: str) -> bytes:
    """Text as the bytes that groups are read off."""
    return text.encode("utf-8", "surrogatepass")


def _choose_groups(texts: list[list[Any]]) -> None:
    """Append to each text the offset of the group that fewest texts have, or -1 if it is too short."""
    common: Counter[bytes] = Counter()
    for text, *_ in texts:
        common.update(set(_groups(encode(text))))
    for entry in texts:
        groups = _groups(encode(entry[0]))
        rarest = min(range(len(groups)), key=lambda offset: (common[groups[offset]], offset), default=-1)
        entry.append(rarest)


def _covers(literals: Sequence[str]) -> dict[str, list[str]]:
    """Substrings that several literals share, greedily; each literal is under one of them at most."""
    covers: dict[str, list[str]] = {}
    left = list(literals)
    while True:
        counts = Counter(part for literal in left for part in _cover_candidates(literal))
        best = max(counts, key=lambda part: (counts[part], len(part), part), default="")
        if counts[best] < _COVERED:
            return covers
        covers[best] = [literal for literal in left if best in literal]
        left = [literal for literal in left if best not in literal]


def _cover_candidates(literal: str) -> set[str]:
    parts = {literal[at : at + size] for size in _COVER_LENGTHS for at in range(len(literal) - size + 1)}
    return {part for part in parts if len(part) >= _LONG_COVER or not any(map(str.isalnum, part))}


def _groups(data: bytes) -> list[bytes]:
    return [data[start : start + GROUP] for start in range(len(data) - GROUP + 1)]
