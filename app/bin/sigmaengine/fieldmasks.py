"""One field's part of a program: the values of an event -> the bits that they leave standing.

A value that was seen before costs one look-up. A new one is looked up in an index of the field's
tests: whole values and numbers in dicts, beginnings and ends by length, everything else by the
literal text it needs, found by four-byte groups. Only tests whose text is there are run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Callable

from .fields import Values
from .folding import fold
from .modifiers import Test
from .numbers import parse_number
from .patterns import ANY
from .predicates import ValueTest, compile_test

#: Masks that are remembered for one field; the oldest half is forgotten when there are more.
MEMORY = 20_000
# Values longer than this are not remembered: they do not come again, and they fill the memory.
_LONG = 4_000

_GROUP = 4
_NATIVE = sys.byteorder


class BrokenTestError(Exception):
    """A test cannot be run on this Python. ``position`` is its place in the tests of ``field``."""

    field: FieldMasks

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


class TestIndex:
    """Which of a field's tests a value passes.

    ``tests`` are the program's ``[test, gate]`` pairs. Tests on presence are answered by
    ``passed_without_value`` and in ``passed``.
    """

    def __init__(self, tests: Sequence[Sequence[Any]]) -> None:
        self.tests = tests
        self.absent = [place for place, (test, _) in enumerate(tests) if _on_presence(test) is False]
        self.present = [place for place, (test, _) in enumerate(tests) if _on_presence(test) is True]
        self._whole: dict[str, list[int]] = {}
        self._numbers: dict[Decimal, list[int]] = {}
        self._starts = _ByLength(start=True)
        self._ends = _ByLength(start=False)
        self._texts: list[tuple[str, int, bool]] = []  # (literal, test, whether finding it is passing)
        self._always: list[int] = []
        # Gates that non-ASCII values can pass without: see gates.gate_of_regex.
        self._ascii_gated: list[int] = []
        self._run: dict[int, ValueTest] = {}
        for place, (test, gate) in enumerate(tests):
            self._add(place, test, gate)
        self._groups = _Groups(self._texts)

    def _add(self, place: int, test: Test, gate: Sequence[str]) -> None:
        if _on_presence(test) is not None:
            return
        if test[0] == "num":
            self._numbers.setdefault(Decimal(test[1]), []).append(place)
        elif test[0] == "str" and not test[1] and self._add_by_shape(place, test[2]):
            return
        elif gate:
            self._texts += [(literal, place, False) for literal in gate]
            if test[0] == "re" and "i" in test[1]:
                self._ascii_gated.append(place)
        else:
            self._always.append(place)

    def _add_by_shape(self, place: int, parts: Sequence[Any]) -> bool:
        """Text at a fixed end, or anywhere: no function needs to be called for it."""
        literals = [part for part in parts if part != ANY]
        if len(literals) != 1 or not isinstance(literals[0], str):
            return False
        literal = literals[0]
        if parts[0] == ANY and parts[-1] == ANY:
            self._texts.append((literal, place, True))
        elif parts[0] == ANY:
            self._ends.add(literal, place)
        elif parts[-1] == ANY:
            self._starts.add(literal, place)
        else:
            self._whole.setdefault(literal, []).append(place)
        return True

    def passed(self, value: str, passed: set[int]) -> None:
        """Add to ``passed`` the tests that one value passes. Raises BrokenTestError."""
        folded = fold(value)
        passed.update(self.present)
        passed.update(self._whole.get(folded, ()))
        if self._numbers:
            number = parse_number(value)
            if number is not None:
                passed.update(self._numbers.get(number, ()))
        self._starts.find(folded, passed)
        self._ends.find(folded, passed)
        candidates = set(self._always)
        if self._ascii_gated and not value.isascii():
            candidates.update(self._ascii_gated)
        self._groups.find(folded, passed, candidates)
        for place in candidates:
            if self._passes(place, value):
                passed.add(place)

    def _passes(self, place: int, value: str) -> bool:
        test = self._run.get(place)
        if test is None:
            try:
                test = self._run[place] = compile_test(self.tests[place][0])
            except (re.error, ValueError, OverflowError, RecursionError) as error:
                raise BrokenTestError(place, str(error)) from None
        return test(value)

    def never_passes(self, place: int) -> None:
        """Take a test out of service."""
        self._run[place] = lambda _: False


def _on_presence(test: Test) -> bool | None:
    """True: passes where there is a value; False: where there is none; None: neither."""
    if test[0] == "null":
        return False
    return bool(test[1]) if test[0] == "exists" else None


class _ByLength:
    """Literals that a text begins (or ends) with: a dict for each length that occurs."""

    def __init__(self, *, start: bool) -> None:
        self._start = start
        self._tables: dict[int, dict[str, list[int]]] = {}

    def add(self, literal: str, place: int) -> None:
        self._tables.setdefault(len(literal), {}).setdefault(literal, []).append(place)

    def find(self, text: str, passed: set[int]) -> None:
        for length, table in self._tables.items():
            found = table.get(text[:length] if self._start else text[-length:])
            if found:
                passed.update(found)


class _Groups:
    """Which of many literals are in a text, by groups of four bytes.

    Each literal is listed under one of its groups, the one that fewest literals have. The groups of
    a text are read off as 32-bit integers, which a memoryview does without making a string of each.
    """

    def __init__(self, texts: Sequence[tuple[str, int, bool]]) -> None:
        encoded = [(literal, literal.encode("utf-8", "surrogatepass"), place, sure) for literal, place, sure in texts]
        self._short = [(literal, place, sure) for literal, data, place, sure in encoded if len(data) < _GROUP]
        common: dict[int, int] = {}
        for _, data, _, _ in encoded:
            for group in set(_groups(data)):
                common[group] = common.get(group, 0) + 1
        self._table: dict[int, list[tuple[str, int, bool]]] = {}
        for literal, data, place, sure in encoded:
            if len(data) >= _GROUP:
                rarest = min(_groups(data), key=lambda group: (common[group], group))
                self._table.setdefault(rarest, []).append((literal, place, sure))
        self._keys: frozenset[int] = frozenset(self._table)

    def find(self, text: str, passed: set[int], candidates: set[int]) -> None:
        """Tests that finding their literal decides go to ``passed``, the others to ``candidates``."""
        for literal, place, sure in self._short:
            if literal in text:
                (passed if sure else candidates).add(place)
        if not self._keys:
            return
        data = memoryview(text.encode("utf-8", "surrogatepass"))
        size = len(data)
        for shift in range(min(_GROUP, size)):
            length = (size - shift) & ~3
            for group in self._keys.intersection(data[shift : shift + length].cast("I")):
                for literal, place, sure in self._table[group]:
                    if literal in text:
                        (passed if sure else candidates).add(place)


def _groups(data: bytes) -> list[int]:
    return [int.from_bytes(data[start : start + _GROUP], _NATIVE) for start in range(len(data) - _GROUP + 1)]


class FieldMasks:
    """One field of a program. ``bits`` is the program's number of bits."""

    def __init__(self, name: str | None, tests: Sequence[Sequence[Any]], literals: Sequence[Any], bits: int) -> None:
        self.name, self.bits = name, bits
        self.seen = False  # whether the field ever had a value
        self.index = TestIndex(tests)
        self.literals = literals
        self._literals_of: list[list[int]] = [[] for _ in tests]
        needs: dict[int, list[int]] = {}
        for place, (positions, needed, _) in enumerate(literals):
            for position in positions:
                self._literals_of[position].append(place)
            for bit in needed:
                needs.setdefault(bit, []).append(place)
        self._needs = {bit: frozenset(places) for bit, places in needs.items() if len(places) > 1}
        self._free = ((1 << bits) - 1) & ~_mask(needs)
        self._single: dict[int, int] = {}
        self._refused: dict[int, int] = {}
        self._memories: dict[str, Memory] = {}
        self.without_value = self._standing(self.index.absent)

    def of_values(self, values: Values) -> int:
        """The bits that these values leave standing. Raises BrokenTestError."""
        if not values:
            return self.without_value
        self.seen = True
        passed: set[int] = set()
        try:
            for value in values:
                self.index.passed(value, passed)
        except BrokenTestError as broken:
            broken.field = self
            raise
        return self._standing(passed)

    def memory(self, kind: str, work_out: Callable[[Any], int]) -> Memory:
        """The memory of cells of one kind; it serves every table that has such cells."""
        memory = self._memories.get(kind)
        if memory is None:
            memory = self._memories[kind] = Memory(work_out)
        return memory

    def bits_of(self, test: int) -> set[int]:
        """The bits that a test has a say in."""
        literals = [self.literals[place] for place in self._literals_of[test]]
        return {bit for _, needed, refused in literals for bit in (*needed, *refused)}

    def _standing(self, passed: Iterable[int]) -> int:
        if not passed:
            return self._free
        hold = {literal for test in passed for literal in self._literals_of[test]}
        standing, refused = self._free, 0
        for literal in hold:
            _, needed, refusing = self.literals[literal]
            if literal not in self._single:
                self._single[literal] = _mask(bit for bit in needed if bit not in self._needs)
                self._refused[literal] = _mask(refusing)
            standing |= self._single[literal]
            refused |= self._refused[literal]
            for bit in needed:
                if bit in self._needs and self._needs[bit] <= hold:
                    standing |= 1 << bit
        return standing & ~refused


def _mask(bits: Iterable[int]) -> int:
    mask = 0
    for bit in bits:
        mask |= 1 << bit
    return mask


class Memory:
    """Cells -> masks, bounded. ``work_out`` gives the mask of a cell that is not remembered."""

    def __init__(self, work_out: Callable[[Any], int]) -> None:
        self.known: dict[Any, int] = {}
        self._work_out = work_out

    def learn(self, cell: Any) -> int:
        """The mask of a cell that is not in ``known``."""
        mask = self._work_out(cell)
        if len(cell) <= _LONG:
            if len(self.known) >= MEMORY:
                # Dicts keep insertion order: the first half is the older one.
                for old in list(self.known)[: MEMORY // 2]:
                    del self.known[old]
            self.known[cell] = mask
        return mask
