"""Which of many texts are in a value.

Texts carry *codes*, numbers that mean something to whoever asks. They are looked for one by one, or by
the value's groups of a few bytes (see ``indexing``). Long values are taken apart where hardly a text
can lie across, and the pieces are remembered, because a script block, a PowerShell context or an event's
XML says mostly what another one has said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from .indexing import GROUP, SHORT_GROUP, encode

Codes = tuple[int, ...]
#: A text and its code.
Entry = Sequence[Any]

# Values shorter than this, or of fewer pieces, are not taken apart; nor are they if so few texts are to be looked
# for one by one that texts times characters are less than that.
_LONG, _PIECES, _VERY_LONG = 160, 4, 4_000
_SEPARATORS = ("\n", "<", ",")
# Pieces have hardly more characters than these, on average.
_PIECE = 500
# Characters of pieces that are remembered for one separator.
_MEMORY = 4_000_000
# What an entry takes beside its characters.
_ENTRY = 100
# How a memoryview reads off integers of so many bytes.
_FORMATS: dict[int, Literal["I", "H"]] = {GROUP: "I", SHORT_GROUP: "H"}


class TextSearch:
    """Finds the texts of an index's ``texts``."""

    def __init__(self, texts: Mapping[str, Any]) -> None:
        self._texts = texts
        self._whole = _Search(texts["singly"], texts["covers"], texts["groups"])
        # Few texts are soon looked for.
        count = len(texts["singly"])
        self._long = _LONG if texts["groups"] else max(_LONG, _VERY_LONG // max(count, 1))
        self._by_separator: dict[str, _Pieces] = {}

    def find(self, value: str) -> Iterable[int]:
        """The codes of the texts in ``value``; a code may come more than once."""
        size = len(value)
        if size >= self._long:
            for separator in _SEPARATORS:
                count = value.count(separator)
                if count >= _PIECES and count * _PIECE >= size:
                    pieces = self._by_separator.get(separator)
                    if pieces is None:
                        pieces = self._by_separator[separator] = _Pieces(self._texts, separator)
                    return pieces.find(value)
        return self._whole.find(value)


class _Pieces:
    """Searches the pieces of a value between separators; texts that hold one are sought in the whole."""

    def __init__(self, texts: Mapping[str, Any], separator: str) -> None:
        self._separator = separator
        inside = [entry for entry in texts["singly"] if separator not in entry[0]]
        groups = {
            size: {
                group: kept
                for group, entries in table.items()
                if (kept := [entry for entry in entries if separator not in entry[0]])
            }
            for size, table in texts["groups"].items()
        }
        self._inside = _Search(inside, {}, groups)
        self._across = _Search([entry for entry in _all_entries(texts) if separator in entry[0]], {}, {})
        self._memory: dict[str, Codes] = {}
        self._room = _MEMORY

    def find(self, value: str) -> Iterable[int]:
        found = set(self._across.find(value))
        memory = self._memory
        for piece in value.split(self._separator):
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


def _all_entries(texts: Mapping[str, Any]) -> Iterator[Entry]:
    yield from texts["singly"]
    for table in texts["groups"].values():
        for entries in table.values():
            yield from entries


class _Search:
    """Looks for texts ``singly``, and for those of ``groups`` where the value has their group.

    ``covers`` are substrings that several texts share, with those texts: they need not be looked for
    where their cover is not. The groups of a value are read off as integers, which a memoryview does
    without making a string of each.
    """

    def __init__(
        self,
        singly: Sequence[Entry],
        covers: Mapping[str, Sequence[str]],
        groups: Mapping[str, Mapping[str, Sequence[Entry]]],
    ) -> None:
        codes: dict[str, list[int]] = {}
        for text, code in singly:
            codes.setdefault(text, []).append(code)
        self._covered = [(cover, [(text, codes.pop(text)) for text in covers[cover]]) for cover in covers]
        self._ascii = [entry for entry in codes.items() if entry[0].isascii()]
        # An ASCII value holds none of these.
        self._beyond = [entry for entry in codes.items() if not entry[0].isascii()]
        self._by_size: list[tuple[int, Literal["I", "H"], frozenset[int], dict[int, Sequence[Entry]]]] = []
        for name, table in groups.items():
            size = int(name)
            by_group = {_native(int(group), size): entries for group, entries in table.items()}
            self._by_size.append((size, _FORMATS[size], frozenset(by_group), by_group))

    def find(self, value: str) -> list[int]:
        found = [code for text, codes in self._ascii if text in value for code in codes]
        if self._beyond and not value.isascii():
            found += [code for text, codes in self._beyond if text in value for code in codes]
        for cover, texts in self._covered:
            if cover in value:
                found += [code for text, codes in texts if text in value for code in codes]
        if self._by_size:
            data = memoryview(encode(value))
            length = len(data)
            for size, form, groups, table in self._by_size:
                for shift in range(min(size, length)):
                    end = shift + ((length - shift) & -size)
                    for group in groups.intersection(data[shift:end].cast(form)):
                        for text, code in table[group]:
                            if text in value:
                                found.append(code)
        return found


def _native(group: int, size: int) -> int:
    """A little-endian number as this machine reads it."""
    return group if sys.byteorder == "little" else int.from_bytes(group.to_bytes(size, "little"), "big")
