"""One field's part of a program: the values of an event -> the bits that they leave standing.

A value that was seen before costs one look-up. A new one is looked up in an index of the field's
tests: whole values and numbers in dicts, beginnings and ends by length, everything else by the
literal text it needs, found by four-byte groups. Only tests whose text is there are run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Callable

from .addresses import read_address, read_network
from .fields import Values
from .folding import fold
from .modifiers import Test
from .numbers import parse_number
from .predicates import ValueTest, compile_folded
from .textsearch import TextSearch

#: Characters of cells that are remembered for one field, each entry taking more than these.
ROOM = 4_000_000
_ENTRY = 200
# Values longer than this are not remembered: they do not come again, and they fill the memory.
_LONG = 4_000


class BrokenTestError(Exception):
    """A test cannot be run on this Python. ``position`` is its place in the tests of ``field``."""

    field: FieldMasks

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


class TestIndex:
    """Which of a field's tests a value passes. ``index`` is that of ``indexing.build_index(tests)``."""

    def __init__(self, tests: Sequence[Test], index: dict[str, Any]) -> None:
        self.tests = tests
        self.absent: list[int] = index["absent"]
        self.present: list[int] = index["present"]
        self._whole: dict[str, list[int]] = index["whole"]
        self._numbers: dict[Decimal, list[int]] = {}
        for text, places in index["numbers"].items():
            self._numbers.setdefault(Decimal(text), []).extend(places)  # 1 and 1.0 are one number
        self._starts = [(int(length), table) for length, table in index["starts"].items()]
        self._ends = [(-int(length), table) for length, table in index["ends"].items()]
        self._always: list[int] = index["always"]
        self._beyond_ascii: list[int] = index["beyond_ascii"]
        # Finding a literal decides its test, or (as ~test) is a reason to run it.
        self._texts = TextSearch(
            [(literal, place if sure else ~place, offset) for literal, place, sure, offset in index["texts"]],
            index["covers"],
        )
        self._networks = [(read_network(text), places) for text, places in index["networks"].items()]
        self._run: dict[int, tuple[bool, ValueTest]] = {}

    def passed(self, value: str, passed: set[int]) -> None:
        """Add to ``passed`` the tests that one value passes. Raises BrokenTestError."""
        folded = fold(value)
        passed.update(self.present)
        self._look_up(value, folded, passed)
        if self._networks:
            address = read_address(value)
            for network, places in self._networks:
                if network.holds(address):
                    passed.update(places)
        candidates = set(self._always)
        if self._beyond_ascii and not value.isascii():
            candidates.update(self._beyond_ascii)
        for code in self._texts.find(folded):
            if code >= 0:
                passed.add(code)
            else:
                candidates.add(~code)
        for place in candidates:
            takes_folded, test = self._run.get(place) or self._compiled(place)
            if test(folded if takes_folded else value):
                passed.add(place)

    def _look_up(self, value: str, folded: str, passed: set[int]) -> None:
        """What dicts tell: whole texts, numbers, texts at either end."""
        if folded in self._whole:
            passed.update(self._whole[folded])
        if self._numbers:
            number = parse_number(value)
            if number is not None:
                passed.update(self._numbers.get(number, ()))
        for length, table in self._starts:
            start = folded[:length]
            if start in table:
                passed.update(table[start])
        for length, table in self._ends:
            end = folded[length:]
            if end in table:
                passed.update(table[end])

    def _compiled(self, place: int) -> tuple[bool, ValueTest]:
        try:
            compiled = self._run[place] = compile_folded(self.tests[place])
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise BrokenTestError(place, str(error)) from None
        return compiled

    def never_passes(self, place: int) -> None:
        """Take a test out of service."""
        self._run[place] = (True, lambda _: False)


class FieldMasks:
    """One entry of a program's ``fields``. ``bits`` is the program's number of bits."""

    def __init__(self, field: Sequence[Any], bits: int) -> None:
        self.name: str | None = field[0]
        tests, literals = field[1], field[2]
        self.bits = bits
        self.seen = False  # whether the field ever had a value
        self.index = TestIndex(tests, field[3])
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
        self._memories: dict[Any, Memory] = {}
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

    def memory(self, kind: Any, work_out: Callable[[Any], int]) -> Memory:
        """The memory of cells of one kind (a key); it serves every table that has such cells."""
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
        self._room = ROOM
        # Most values leave the same bits standing: one number serves them all.
        self._masks: dict[int, int] = {}

    def learn(self, cell: Any) -> int:
        """The mask of a cell that is not in ``known``."""
        mask = self._work_out(cell)
        mask = self._masks.setdefault(mask, mask)
        size = len(cell) if isinstance(cell, str) else sum(map(len, cell))
        if size <= _LONG:
            self._room -= size + _ENTRY
            if self._room < 0:
                self._forget()
            self.known[cell] = mask
        return mask

    def _forget(self) -> None:
        """Forget the older half; dicts keep the order in which they were filled."""
        for old in list(self.known)[: len(self.known) // 2]:
            del self.known[old]
        self._masks = {mask: mask for mask in self.known.values()}
        self._room = ROOM // 2
