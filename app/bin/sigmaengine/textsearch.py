"""Which of many literals are in a text.

Literals carry *codes*, numbers that mean something to whoever asks. Three ways to find them:
``_Few`` looks for each; ``_Many`` looks at the text's groups of four bytes; ``TextSearch`` takes long
texts apart where no literal can lie across, and remembers the pieces, because a script block, a
PowerShell context or an event's XML says mostly what another one has said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .indexing import GROUP, MANY, encode

Codes = tuple[int, ...]

# Texts shorter than this, or of fewer pieces, are not taken apart.
_LONG, _PIECES = 160, 4
_SEPARATORS = ("\n", "<", ",")
# Characters of pieces that are remembered for one separator.
_MEMORY = 4_000_000
# What an entry takes beside its characters.
_ENTRY = 100


#: Literals of an index: (literal, code, offset of its rarest group or -1).
Texts = Sequence[tuple[str, int, int]]


class TextSearch:
    """Finds literals.

    ``covers`` are substrings that several literals share, with those literals: a literal need not be
    looked for where its cover is not.
    """

    def __init__(self, texts: Texts, covers: Mapping[str, Sequence[str]]) -> None:
        self._texts = texts
        self._whole: _Few | _Many = _Many(texts) if len(texts) > MANY else _Few(texts, covers)
        self._by_separator: dict[str, _Pieces] = {}

    def find(self, text: str) -> Iterable[int]:
        """The codes of the literals in ``text``; a code may come more than once."""
        if len(text) >= _LONG and isinstance(self._whole, _Many):
            separator = max(_SEPARATORS, key=text.count)
            if text.count(separator) >= _PIECES:
                pieces = self._by_separator.get(separator)
                if pieces is None:
                    pieces = self._by_separator[separator] = _Pieces(self._texts, separator)
                return pieces.find(text)
        return self._whole.find(text)


class _Pieces:
    """Searches the pieces of a text between separators; literals that hold one are sought in the whole."""

    def __init__(self, texts: Texts, separator: str) -> None:
        self._separator = separator
        self._inside = _Many([entry for entry in texts if separator not in entry[0]])
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
    """Looks for the literals one of whose groups of four bytes is in the text.

    Each literal is listed under one of its groups, the one that fewest literals have. The groups of
    a text are read off as 32-bit integers, which a memoryview does without making a string of each.
    """

    def __init__(self, texts: Texts) -> None:
        self._short = _Few([entry for entry in texts if entry[2] < 0])
        self._table: dict[Any, list[tuple[str, int]]] = {}
        for literal, code, offset in texts:
            if offset >= 0:
                group = int.from_bytes(encode(literal)[offset : offset + GROUP], sys.byteorder)
                self._table.setdefault(group, []).append((literal, code))
        self._groups = frozenset(self._table)

    def find(self, text: str) -> list[int]:
        found = self._short.find(text)
        data = memoryview(encode(text))
        size = len(data)
        for shift in range(min(GROUP, size)):
            length = (size - shift) & -GROUP
            for group in self._groups.intersection(data[shift : shift + length].cast("I")):
                found += [code for literal, code in self._table[group] if literal in text]
        return found
