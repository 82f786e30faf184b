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
# Running a test, in look-ups of a literal.
_RUN_COST = 30
# Values longer than this are not remembered: they do not come again, and they fill the memory.
_LONG = 4_000
# Cells of which it is remembered that they were met once.
_ONCE = 50_000


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
        #: How dear a new value is, roughly: what has to be looked for, and what has to be run at any rate.
        self.cost = len(index["texts"]) + _RUN_COST * len(self._always)

    def passed(self, value: str, passed: set[int], matters: Callable[[int], bool]) -> bool:
        """Add to ``passed`` the tests that one value passes; True if all were tried.

        A test that has to be run and does not matter may be left out. Raises BrokenTestError.
        """
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
        complete = True
        for place in candidates:
            if not matters(place):
                complete = False
                continue
            takes_folded, test = self._run.get(place) or self._compiled(place)
            if test(folded if takes_folded else value):
                passed.add(place)
        return complete

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
        self._free = ((1 << bits) - 1) & ~mask_of(needs)
        self._single: dict[int, int] = {}
        self._refused: dict[int, int] = {}
        self._says: dict[int, int] = {}
        self._memories: dict[Any, Memory] = {}
        self.without_value = self._standing(self.index.absent)

    def of_values(self, values: Values, alive: int) -> tuple[int, bool]:
        """The bits that these values leave standing, and whether that is right for every bit.

        ``alive``: the bits that other fields have left standing; only for these it has to be right
        (-1: for all). Raises BrokenTestError.
        """
        if not values:
            return self.without_value, True
        self.seen = True
        passed: set[int] = set()
        complete = True
        matters = _everything_matters if alive == -1 else lambda test: bool(self._say(test) & alive)
        try:
            for value in values:
                complete &= self.index.passed(value, passed, matters)
        except BrokenTestError as broken:
            broken.field = self
            raise
        return self._standing(passed), complete

    def _say(self, test: int) -> int:
        """The bits that a test has a say in, as a mask."""
        bits = self._says.get(test)
        if bits is None:
            bits = self._says[test] = mask_of(self.bits_of(test))
        return bits

    def memory(self, kind: Any, work_out: WorkOut) -> Memory:
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
                self._single[literal] = mask_of(bit for bit in needed if bit not in self._needs)
                self._refused[literal] = mask_of(refusing)
            standing |= self._single[literal]
            refused |= self._refused[literal]
            for bit in needed:
                if bit in self._needs and self._needs[bit] <= hold:
                    standing |= 1 << bit
        return standing & ~refused


def _everything_matters(_: int) -> bool:
    return True


def mask_of(bits: Iterable[int]) -> int:
    """The number in which these bits are set."""
    mask = 0
    for bit in bits:
        mask |= 1 << bit
    return mask


#: (cell, alive) -> (mask, whether it is right for every bit); see FieldMasks.of_values.
WorkOut = Callable[[Any, int], tuple[int, bool]]


class Memory:
    """Cells -> masks, bounded. ``work_out`` gives the mask of a cell that is not remembered.

    A cell met for the first time may never come again: what is worked out of it is what the event at
    hand needs, and no more. At the second time all of it is, to be remembered.
    """

    def __init__(self, work_out: WorkOut) -> None:
        self.known: dict[Any, int] = {}
        self._once: set[int] = set()
        self._work_out = work_out
        self._room = ROOM
        # Most values leave the same bits standing: one number serves them all.
        self._masks: dict[int, int] = {}

    def learn(self, cell: Any, alive: int) -> int:
        """The mask of a cell that is not in ``known``, right for the bits ``alive``."""
        mask, complete = self._work_out(cell, alive)
        if not complete:
            if self._is_first(cell):
                return mask
            mask, _ = self._work_out(cell, -1)
        mask = self._masks.setdefault(mask, mask)
        size = len(cell) if isinstance(cell, str) else sum(map(len, cell))
        if size <= _LONG:
            self._room -= size + _ENTRY
            if self._room < 0:
                self._forget()
            self.known[cell] = mask
        return mask

    def _is_first(self, cell: Any) -> bool:
        known = hash(cell)
        if known in self._once:
            return False
        if len(self._once) >= _ONCE:
            self._once.clear()
        self._once.add(known)
        return True

    def _forget(self) -> None:
        """Forget the older half; dicts keep the order in which they were filled."""
        for old in list(self.known)[: len(self.known) // 2]:
            del self.known[old]
        self._masks = {mask: mask for mask in self.known.values()}
        self._room = ROOM // 2
