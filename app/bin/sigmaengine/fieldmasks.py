"""One field's part of a program: the values of an event -> the bits that they leave standing.

A new value is looked up in an index of the field's tests: whole values and numbers in dicts,
beginnings and ends by length, other text by four-byte groups. The index holds what anchors bits (see
``anchors``); what else a bit asks of the value is tried if the bit still stands then, and if the
fields before have left it standing. A value that is met again is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from itertools import product
from operator import or_
from struct import iter_unpack
from typing import Any, Callable

from .addresses import read_address, read_network
from .folding import fold
from .indexing import text_inside
from .modifiers import Test
from .numbers import parse_number
from .predicates import PairTest, ValueTest, compile_folded, compile_reference
from .textsearch import TextSearch

#: Characters of cells that are remembered for one field, each entry taking more than these.
ROOM = 4_000_000
ENTRY = 200
# Asking a value for one bit's literals, in look-ups of a text.
_ASKING_COST = 4
#: Values longer than this are not remembered: they do not come again, and they fill the memory.
LONG = 4_000
#: A value as (folded, as it is).
Text = tuple[str, str]


#: What a value that passes has: one of some texts (or there are none; do they speak of ASCII values alone?), so often
#: at least, so many characters at least.
_Gate = tuple[list[str], bool, int, int]
_NO_GATE: _Gate = ([], False, 0, 0)
#: A literal's tests: texts that pass by being in a value; tests to be run, and their gates; whether there is a value.
_Asking = tuple[list[str], list[tuple[int, _Gate]], list[bool]]


class BrokenTestError(Exception):
    """A test cannot be run on this Python. ``position`` is its place in the tests of ``field``."""

    field: FieldMasks

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position


class TestIndex:
    """Which tests a value passes: those at once that ``index`` (see ``indexing.build_index``) is of, any if asked."""

    def __init__(self, tests: Mapping[str, Test], index: Mapping[str, Any]) -> None:
        self.tests = tests
        self.absent: list[int] = index["absent"]
        self.present: list[int] = index["present"]
        self._whole: dict[str, list[int]] = index["whole"]
        self._numbers: dict[Decimal, list[int]] = {}
        for text, places in index["numbers"].items():
            self._numbers.setdefault(Decimal(text), []).extend(places)  # 1 and 1.0 are one number
        self._starts = [(int(length), table) for length, table in index["starts"].items()]
        self._ends = [(-int(length), table) for length, table in index["ends"].items()]
        self._beyond_ascii: list[int] = index["beyond_ascii"]
        # Finding a literal decides its test, or (as ~test) is a reason to run it.
        self._texts = TextSearch(index["texts"])
        self._networks = [(read_network(text), places) for text, places in index["networks"].items()]
        self._run: dict[int, tuple[bool, ValueTest]] = {}

    def add_passed(self, text: Text, passed: set[int], matters: Callable[[int], bool]) -> None:
        """Add to ``passed`` the indexed tests that a value passes.

        A test that has to be run and does not matter may be left out. Raises BrokenTestError.
        """
        folded, value = text
        passed.update(self.present)
        self._look_up(value, folded, passed)
        if self._networks:
            address = read_address(value)
            for network, places in self._networks:
                if network.holds(address):
                    passed.update(places)
        candidates: set[int] = set()
        if self._beyond_ascii and not value.isascii():
            candidates.update(self._beyond_ascii)
        for code in self._texts.find(folded):
            if code >= 0:
                passed.add(code)
            else:
                candidates.add(~code)
        for place in candidates:
            if matters(place) and self.passes(place, text):
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

    def passes(self, place: int, text: Text) -> bool:
        """Whether a value passes a test, by running it. Raises BrokenTestError."""
        takes_folded, test = self._run.get(place) or self._compiled(place)
        return test(text[0] if takes_folded else text[1])

    def _compiled(self, place: int) -> tuple[bool, ValueTest]:
        try:
            compiled = self._run[place] = compile_folded(self.tests[str(place)])
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise BrokenTestError(place, str(error)) from None
        return compiled

    def never_passes(self, place: int) -> None:
        """Take a test out of service."""
        self._run[place] = (True, lambda _: False)


class FieldMasks:
    """One entry of a program's ``fields``. ``bits`` is the program's number of bits.

    Masks are right for the bits that the caller calls *alive*, and have no other set.
    """

    def __init__(self, field: Mapping[str, Any], bits: int) -> None:
        self.name: str | None = field["field"]
        self.all = (1 << bits) - 1
        self.seen = False  # whether the field ever had a value
        self.index = TestIndex(field["tests"], field["index"])
        #: Of keywords: texts of which one is in every event that passes a test; None where that is not known.
        self.signs: list[str] | None = field["signs"]
        self._gates: dict[int, _Gate] = {test: tuple(gate) for test, *gate in field["gates"]}
        self._literals: list[list[int]] = field["literals"]
        self._indexed = frozenset(field["indexed"])
        self._literals_of: dict[int, list[int]] = {}
        for literal in field["indexed"]:
            for test in self._literals[literal]:
                self._literals_of.setdefault(test, []).append(literal)
        self._stands = _Masks(field["stands"])
        self._backs = _Masks(field["backs"])
        self._falls = _Masks(field["falls"])
        self._needed: dict[int, list[int]] = {bit: needed for bit, needed, _ in field["further"] if needed}
        self._refused: dict[int, list[int]] = {bit: refused for bit, _, refused in field["further"] if refused}
        self._asked = mask_of(self._needed)
        anchored = mask_of(bit for _, bits in field["stands"] for bit in bits)
        self._free = self.all & ~anchored
        #: The bits that ``of_values`` has a say in, and those that ``unrefused`` has.
        self.says = anchored | self._asked | mask_of(bit for _, bits in field["falls"] for bit in bits)
        self.refuses = mask_of(self._refused)
        self._asking: dict[int, _Asking] = {}
        self._says: dict[int, int] = {}
        self._memories: dict[Any, _Memory] = {}
        self._last_values: Any = ()
        self._last_texts: Sequence[Text] = ()
        self.without_value = self._standing(self.index.absent, (), self.all)
        #: How dear a new value is, roughly.
        self.cost: int = field["texts"] + _ASKING_COST * len(self._needed)
        #: Whether values are searched rather than compared: such a field has many.
        self.is_text: bool = field["is_text"]

    def of_values(self, values: Any, alive: int) -> int:
        """The bits of ``alive`` that these values leave standing, refused literals that are not indexed aside.

        Raises BrokenTestError.
        """
        texts = self._texts(values)
        if not texts:
            return self.without_value & alive
        self.seen = True
        passed: set[int] = set()
        try:
            for text in texts:
                self.index.add_passed(text, passed, lambda test: bool(self._say(test) & alive))
            return self._standing(passed, texts, alive)
        except BrokenTestError as broken:
            broken.field = self
            raise

    def unrefused(self, values: Any, alive: int) -> int:
        """The bits of ``alive`` but for those that refuse a literal that holds and is not indexed.

        They are mostly filters, and dear to ask for: better of few bits. Raises BrokenTestError.
        """
        texts = self._texts(values)
        known: dict[int, bool] = {}
        standing = alive
        try:
            for bit in bits_of(alive & self.refuses):
                for literal in self._refused[bit]:
                    holds = known.get(literal)
                    if holds is None:
                        holds = known[literal] = self._holds(literal, texts)
                    if holds:
                        standing ^= 1 << bit
                        break
        except BrokenTestError as broken:
            broken.field = self
            raise
        return standing

    def _texts(self, values: Any) -> Sequence[Text]:
        """Values as the tests of the field take them.

        Those of the last call are kept: an event is asked what it needs, and then what it refuses.
        """
        if values is not self._last_values:
            self._last_values, self._last_texts = values, self._prepared(values)
        return self._last_texts

    def _prepared(self, values: Any) -> Sequence[Text]:
        return [(fold(value), value) for value in values]

    def _standing(self, passed: Iterable[int], texts: Sequence[Text], alive: int) -> int:
        holding = {literal for test in passed for literal in self._literals_of[test]}
        standing, fallen = self._free, 0
        for literal in holding:
            standing |= self._stands[literal]
            fallen |= self._falls[literal]
        standing &= alive & ~fallen
        asked = standing & self._asked
        if not asked:
            return standing
        standing ^= asked
        known = dict.fromkeys(holding, True)
        for bit in bits_of(asked):
            if self._comes_through(bit, known, texts):
                standing |= 1 << bit
        return standing

    def _comes_through(self, bit: int, known: dict[int, bool], texts: Sequence[Text]) -> bool:
        """Whether a bit gets what else it needs. ``known``: literals whose truth is known; grows."""
        for literal in self._needed[bit]:
            holds = known.get(literal)
            if holds is None:
                holds = known[literal] = literal not in self._indexed and self._holds(literal, texts)
            if not holds:
                return False
        return True

    def _holds(self, literal: int, texts: Sequence[Text]) -> bool:
        """Whether one of a literal's tests passes for one of the values."""
        asking = self._asking.get(literal)
        if asking is None:
            asking = self._asking[literal] = self._split(literal)
        contained, others, by_presence = asking
        if bool(texts) in by_presence:
            return True
        for text in texts:
            folded = text[0]
            for one in contained:
                if one in folded:
                    return True
            for test, gate in others:
                if _is_open(gate, text) and self.index.passes(test, text):
                    return True
        return False

    def _split(self, literal: int) -> _Asking:
        contained: list[str] = []
        others: list[tuple[int, _Gate]] = []
        by_presence: list[bool] = []
        for place in self._literals[literal]:
            test = self.index.tests[str(place)]
            text = text_inside(test)
            if text is not None:
                contained.append(text)
            elif test[0] in ("null", "exists"):
                by_presence.append(test[0] == "exists" and test[1])
            else:
                others.append((place, self._gates.get(place, _NO_GATE)))
        return contained, others, by_presence

    def _say(self, test: int) -> int:
        """The bits that an indexed test has a say in, by itself, as a mask."""
        bits = self._says.get(test)
        if bits is None:
            literals = self._literals_of[test]
            masks = [self._stands[place] | self._backs[place] | self._falls[place] for place in literals]
            bits = self._says[test] = reduce(or_, masks)
        return bits

    def memory(self, kind: Any, work_out: WorkOut) -> WorkOut:
        """``work_out`` with a memory, where values are few, that serves all tables with cells of one kind (a key)."""
        if self.is_text:
            return work_out
        memory = self._memories.get(kind)
        if memory is None:
            memory = self._memories[kind] = _Memory(work_out, self.all)
        return memory.mask

    def bits_of_test(self, test: int) -> set[int]:
        """The bits that a test has a say in."""
        literals = {place for place, tests in enumerate(self._literals) if test in tests}
        bits = {bit for place in literals for bit in bits_of(self._stands[place] | self._falls[place])}
        further = [*self._needed.items(), *self._refused.items()]
        return bits | {bit for bit, asked in further if literals.intersection(asked)}


def _is_open(gate: _Gate, text: Text) -> bool:
    """Whether a value may pass the test that a gate is of."""
    texts, is_for_ascii, count, width = gate
    if len(text[1]) < width:
        return False
    if not texts or (is_for_ascii and not text[1].isascii()):
        return True
    folded = text[0]
    if count > 1:
        return folded.count(texts[0]) >= count
    for one in texts:  # noqa: SIM110 - as a generator it takes three times as long
        if one in folded:
            return True
    return False


class ReferenceMasks(FieldMasks):
    """The masks of two fields whose values are compared, each of ``name`` with each of ``other``.

    Its values are pairs: those of the one field and those of the other.
    """

    def __init__(self, field: Mapping[str, Any], bits: int) -> None:
        self._compared: dict[int, list[PairTest]] = {}
        self.other: str = field["other"]
        super().__init__(field, bits)

    def _prepared(self, values: Any) -> Sequence[Text]:
        return list(product(*values))

    def _holds(self, literal: int, texts: Sequence[Text]) -> bool:
        tests = self._compared.get(literal)
        if tests is None:
            places = self._literals[literal]
            tests = self._compared[literal] = [compile_reference(self.index.tests[str(place)]) for place in places]
        return any(passes(value, other) for value, other in texts for passes in tests)


def field_masks(field: Mapping[str, Any], bits: int) -> FieldMasks:
    """The masks of an entry of a program's ``fields``."""
    return (FieldMasks if field["other"] is None else ReferenceMasks)(field, bits)


class _Masks(dict[int, int]):
    """Literals -> the masks of their bits, made when first asked for."""

    def __init__(self, entries: Iterable[tuple[int, Sequence[int]]]) -> None:
        super().__init__()
        self._bits = dict(entries)

    def __missing__(self, literal: int) -> int:
        mask = self[literal] = mask_of(self._bits.get(literal, ()))
        return mask


def mask_of(bits: Iterable[int]) -> int:
    """The number in which these bits are set."""
    mask = 0
    for bit in bits:
        mask |= 1 << bit
    return mask


def bits_of(mask: int) -> Iterator[int]:
    """The bits that are set in a number, lowest first."""
    data = mask.to_bytes((mask.bit_length() + 63) // 64 * 8, "little")
    for base, (word,) in enumerate(iter_unpack("<Q", data)):
        left = word
        while left:
            low = left & -left
            left ^= low
            yield base * 64 + low.bit_length() - 1


#: (cell, alive) -> mask; see FieldMasks.of_values.
WorkOut = Callable[[Any, int], int]


class _Memory:
    """Cells -> masks for all bits, bounded. ``work_out`` gives the mask of a cell that is not remembered."""

    def __init__(self, work_out: WorkOut, everything: int) -> None:
        self._known: dict[Any, int] = {}
        self._work_out, self._everything = work_out, everything
        self._room = ROOM
        # Most values leave the same bits standing: one number serves them all.
        self._masks: dict[int, int] = {}

    def mask(self, cell: Any, alive: int) -> int:
        """See FieldMasks.of_values."""
        known = self._known.get(cell)
        if known is not None:
            return known & alive
        size = size_of(cell)
        if size > LONG:
            return self._work_out(cell, alive)
        mask = self._work_out(cell, self._everything)
        mask = self._known[cell] = self._masks.setdefault(mask, mask)
        self._room -= size + ENTRY
        if self._room < 0:
            self._forget()
        return mask & alive

    def _forget(self) -> None:
        """Forget the older half; dicts keep the order in which they were filled."""
        for old in list(self._known)[: len(self._known) // 2]:
            del self._known[old]
        self._masks = {mask: mask for mask in self._known.values()}
        self._room = ROOM // 2


def size_of(cell: Any) -> int:
    """The number of characters of a cell."""
    return len(cell) if isinstance(cell, str) else sum(map(size_of, cell))
