"""The tests of a field -> the index by which a value is looked up in them (see ``fieldmasks``).

An index is JSON, part of a program::

    {"present": tests that pass where there is a value, "absent": tests that pass where there is none,
     "whole": {text: tests}, "numbers": {number: tests}, "networks": {network: tests},
     "starts": {length: {text: tests}}, "ends": {length: {text: tests}},
     "texts": {"singly": [[text, code], ...], to be looked for one by one,
               "covers": {substring: texts of these that share it},
               "groups": {"4": {group: [[text, code], ...]}, "2": {group: ...}}},
     "beyond_ascii": tests to be run on every value that is not ASCII}

where a test is its position; a *code* is a test that finding the text passes, or ~test of one that is
then to be run; a *group* is that many bytes of a text, the rarest of them, as a little-endian number.
Text is folded. What is found by text alone needs no function call; everything else is run only where
text that it cannot do without is there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .gates import gate_of_parts, gate_of_regex, ignores_case
from .modifiers import Test
from .patterns import ANY

Index = dict[str, Any]

#: Bytes of a group, as a memoryview reads them off as one integer; those of texts too short for four.
GROUP, SHORT_GROUP = 4, 2
#: Up to so many texts are looked for one by one; beyond, reading off a value's groups is cheaper.
MANY = 120
# The same for those that are too short for the longer groups.
_SOME_SHORT = 48

# A cover pays if it stands for at least so many literals and is seldom in a text that holds none of
# them: it is long, or a cluster of signs such as "::".
_COVERED, _COVER_LENGTHS, _LONG_COVER = 3, range(2, 9), 4

# Text that stands in a raw cell as in its value, decoded or not.
_PLAIN = re.compile(r"[ !#-%(-+\--;=?-~]+")
_SHORTEST_SIGN = 4

_TABLES = {"num": "numbers", "cidr": "networks"}


def build_index(tests: Sequence[Test], places: Iterable[int], rarity: Rarity) -> Index:
    """The index of the tests at ``places``, none of which has to be run on every value."""
    index = _empty()
    for place in places:
        _add(index, place, tests[place])
    index["texts"] = _arranged(index["texts"], rarity)
    return index


def _empty() -> Index:
    tables: Index = {name: {} for name in ("whole", "numbers", "networks", "starts", "ends")}
    lists: Index = {name: [] for name in ("present", "absent", "texts", "beyond_ascii")}
    return {**tables, **lists}


def _arranged(texts: Sequence[tuple[str, int]], rarity: Rarity) -> Index:
    singly: list[tuple[str, int]] = []
    groups: dict[int, dict[int, list[tuple[str, int]]]] = {GROUP: {}, SHORT_GROUP: {}}
    short = [entry for entry in texts if len(encode(entry[0])) < GROUP]
    by_themselves = {*short} if len(short) < _SOME_SHORT else set()
    for entry in texts:
        data = encode(entry[0])
        _, offset = rarity.rarest(entry[0])
        if len(texts) <= MANY or offset < 0 or entry in by_themselves:
            singly.append(entry)
            continue
        size = group_of(data)
        group = int.from_bytes(data[offset : offset + size], "little")
        groups[size].setdefault(group, []).append(entry)
    covering = covers(sorted({text for text, _ in singly})) if len(texts) <= MANY else {}
    return {
        "singly": singly,
        "covers": covering,
        "groups": {str(size): table for size, table in groups.items() if table},
    }


def texts_of_test(test: Test) -> list[str] | None:
    """The texts by which an index finds a test: none if dicts tell, None if it has to be run on every value."""
    index = _empty()
    return [text for text, _ in index["texts"]] if _add(index, 0, test) else None


def is_run(test: Test) -> bool:
    """Whether finding a test's text is not yet passing it."""
    index = _empty()
    return not _add(index, 0, test) or any(code < 0 for _, code in index["texts"])


def _add(index: Index, place: int, test: Test) -> bool:
    """Add a test; False if nothing can be looked up for it."""
    kind = test[0]
    if kind in ("null", "exists"):
        index["present" if kind == "exists" and test[1] else "absent"].append(place)
    elif kind in _TABLES:
        index[_TABLES[kind]].setdefault(test[1], []).append(place)
    elif kind != "str" or test[1] or not _add_by_shape(index, place, test[2]):
        return _add_by_gate(index, place, test)
    return True


def text_inside(test: Test) -> str | None:
    """The folded text that passes a test by being somewhere in a value, if that is what the test is."""
    if test[0] != "str" or test[1] or len(test[2]) != 3:
        return None
    start, text, end = test[2]
    return text if start == ANY and end == ANY and isinstance(text, str) else None


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
        index["texts"].append((literal, place))
    return True


def _add_by_gate(index: Index, place: int, test: Test) -> bool:
    gate = gate_of_test(test)
    index["texts"] += [(literal, ~place) for literal in gate]
    if gate and is_gated_loosely(test):
        index["beyond_ascii"].append(place)
    return bool(gate)


def is_gated_loosely(test: Test) -> bool:
    """True if the test's gate says something of ASCII values alone."""
    return test[0] == "re" and ignores_case(test[1], test[2])


def gate_of_test(test: Test) -> list[str]:
    """The gate of a test; empty for tests that no text decides."""
    if test[0] == "str":
        return sorted(gate_of_parts(test[2]))
    return sorted(gate_of_regex(test[1], test[2])) if test[0] == "re" else []


def signs_of(tests: Sequence[Test]) -> list[str] | None:
    """Plain ASCII texts of which one is in every folded value that passes one of the tests; None if unknown.

    They hold no sign that CSV or XML would write otherwise.
    """
    texts: set[str] = set()
    for test in tests:
        found = texts_of_test(test)
        if not found or is_gated_loosely(test):
            return None
        texts.update(max(_PLAIN.findall(text), key=len, default="") for text in found)
    if min(map(len, texts)) < _SHORTEST_SIGN:
        return None
    # A part that many share has to be seldom in events: "::" and "kiwi" are, ".dll" is not.
    covering = {
        part: shared
        for part, shared in covers(sorted(texts)).items()
        if part.isalpha() or not any(map(str.isalnum, part))
    }
    covered = {text for shared in covering.values() for text in shared}
    return sorted({*covering, *(texts - covered)})


def encode(text: str) -> bytes:
    """Text as the bytes that groups are read off."""
    return text.encode("utf-8", "surrogatepass")


def is_looked_up(text: str) -> bool:
    """Whether an index need not look for a text by itself: its groups tell, or in ASCII values the alphabet."""
    return not text.isascii() or len(text) >= GROUP


class Rarity:
    """How seldom some texts are in values, as far as the texts of a field tell: people look for what is there."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._common: Counter[bytes] = Counter()
        for text in texts:
            data = encode(text)
            self._common.update({*_groups(data, GROUP), *_groups(data, SHORT_GROUP)})

    def rarest(self, text: str) -> tuple[int, int]:
        """(how many texts have the group of ``text`` that fewest have, its offset); offset -1 if it has none."""
        data = encode(text)
        groups = _groups(data, group_of(data))
        return min(((self._common[group], offset) for offset, group in enumerate(groups)), default=(0, -1))


def covers(literals: Sequence[str]) -> dict[str, list[str]]:
    """Substrings that several literals share, greedily; each literal is under one of them at most."""
    found: dict[str, list[str]] = {}
    left = list(literals)
    while True:
        counts = Counter(part for literal in left for part in _cover_candidates(literal))
        best = max(counts, key=lambda part: (counts[part], len(part), part), default="")
        if counts[best] < _COVERED:
            return found
        found[best] = [literal for literal in left if best in literal]
        left = [literal for literal in left if best not in literal]


def _cover_candidates(literal: str) -> set[str]:
    parts = {literal[at : at + size] for size in _COVER_LENGTHS for at in range(len(literal) - size + 1)}
    return {part for part in parts if len(part) >= _LONG_COVER or not any(map(str.isalnum, part))}


def group_of(data: bytes) -> int:
    """The number of bytes of the groups by which a text is found."""
    return GROUP if len(data) >= GROUP else SHORT_GROUP


def _groups(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(len(data) - size + 1)]
