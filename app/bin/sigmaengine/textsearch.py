"""Which of many literals are in a text.

Literals carry *codes*, numbers that mean something to whoever asks. Three ways to find them:
``_Few`` looks for each; ``_Many`` looks at the text's groups of a few bytes; ``TextSearch`` takes long
texts apart where no literal can lie across, and remembers the pieces, because a script block, a
PowerShell context or an event's XML says mostly what another one has said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from .indexing import GROUP, MANY, SHORT_GROUP, encode, group_of

Codes = tuple[int, ...]

# Texts shorter than this, or of fewer pieces, are not taken apart; nor, if only some literals are to be looked
# for one by one, texts of fewer characters times literals than that.
_LONG, _PIECES, _VERY_LONG = 160, 4, 4_000
_SEPARATORS = ("\n", "<", ",")
# Characters of pieces that are remembered for one separator.
_MEMORY = 4_000_000
# What an entry takes beside its characters.
_ENTRY = 100
# So many short literals are better found by their groups than one by one.
_SOME_SHORT = 48
# How a memoryview reads off integers of so many bytes.
_FORMATS: dict[int, Literal["I", "H"]] = {GROUP: "I", SHORT_GROUP: "H"}


#: Literals of an index: (literal, code, offset of its rarest group or -1).
Texts = Sequence[tuple[str, int, int]]


class TextSearch:
    """Finds literals.

    ``covers`` are substrings that several literals share, with those literals: a literal need not be
    looked for where its cover is not.
    """

    def __init__(self, texts: Texts, covers: Mapping[str, Sequence[str]]) -> None:
        self._texts = texts
        self._whole = _search(texts, covers)
        # Few texts are soon looked for.
        self._long = _LONG if len(texts) > MANY else max(_LONG, _VERY_LONG // max(len(texts), 1))
        self._by_separator: dict[str, _Pieces] = {}

    def find(self, text: str) -> Iterable[int]:
        """The codes of the literals in ``text``; a code may come more than once."""
        if len(text) >= self._long:
            separator = max(_SEPARATORS, key=text.count)
            if text.count(separator) >= _PIECES:
                pieces = self._by_separator.get(separator)
                if pieces is None:
                    pieces = self._by_separator[separator] = _Pieces(self._texts, separator)
                return pieces.find(text)
        return self._whole.find(text)


def _search(texts: Texts, covers: Mapping[str, Sequence[str]] = MappingProxyType({})) -> _Few | _Many:
    return _Many(texts) if len(texts) > MANY else _Few(texts, covers)


class _Pieces:
    """Searches the pieces of a text between separators; literals that hold one are sought in the whole."""

    def __init__(self, texts: Texts, separator: str) -> None:
        self._separator = separator
        self._inside = _search([entry for entry in texts if separator not in entry[0]])
        self._across = _Few([entry for entry in texts if separator in entry[0]])
        self._memory: dict[str, Codes] = {}
        self._room = _MEMORY

    def find(self, text: str) -> Iterable[int]:
        found = set(self._across.find(text))
        memory = self._memory
        for piece in text.split(self._separator):
            codes = memory.get(piece)
            if codes is None:
                codes = memory[piece] = tuple(self._inside.find(piece))
                self._room -= len(piece) + _ENTRY
                if self._room < 0:
                    memory.clear()
                    self._room = _MEMORY
            if codes:
                found.update(codes)
        return found


class _Few:
    """Looks for each literal."""

    def __init__(self, texts: Texts, covers: Mapping[str, Sequence[str]] = MappingProxyType({})) -> None:
        codes: dict[str, list[int]] = {}
        for literal, code, _ in texts:
            codes.setdefault(literal, []).append(code)
        self._covered = [(cover, [(literal, codes.pop(literal)) for literal in covers[cover]]) for cover in covers]
        self._ascii = [entry for entry in codes.items() if entry[0].isascii()]
        # An ASCII text holds none of these.
        self._beyond = [entry for entry in codes.items() if not entry[0].isascii()]

    def find(self, text: str) -> list[int]:
        found = [code for literal, codes in self._ascii if literal in text for code in codes]
        if self._beyond and not text.isascii():
            found += [code for literal, codes in self._beyond if literal in text for code in codes]
        for cover, literals in self._covered:
            if cover in text:
                found += [code for literal, codes in literals if literal in text for code in codes]
        return found


class _Many:
    """Looks for the literals one of whose groups of four bytes, or two if they are shorter, is in the text.

    Each literal is listed under one of its groups, the one that fewest literals have. The groups of
    a text are read off as integers, which a memoryview does without making a string of each.
    """

    def __init__(self, texts: Texts) -> None:
        by_size: dict[int, list[tuple[str, int, int]]] = {0: [], SHORT_GROUP: [], GROUP: []}
        for entry in texts:
            by_size[group_of(encode(entry[0])) if entry[2] >= 0 else 0].append(entry)
        if len(by_size[SHORT_GROUP]) < _SOME_SHORT:
            by_size[0] += by_size.pop(SHORT_GROUP)
        self._others = _Few(by_size.pop(0))
        tables: dict[int, dict[int, list[tuple[str, int]]]] = {}
        for size, entries in by_size.items():
            table = tables[size] = {}
            for literal, code, offset in entries:
                group = int.from_bytes(encode(literal)[offset : offset + size], sys.byteorder)
                table.setdefault(group, []).append((literal, code))
        self._by_size = [(size, _FORMATS[size], frozenset(table), table) for size, table in tables.items() if table]

    def find(self, text: str) -> list[int]:
        found = self._others.find(text)
        data = memoryview(encode(text))
        length = len(data)
        for size, form, groups, table in self._by_size:
            for shift in range(min(size, length)):
                end = shift + ((length - shift) & -size)
                for group in groups.intersection(data[shift:end].cast(form)):
                    found += [code for literal, code in table[group] if literal in text]
        return found
