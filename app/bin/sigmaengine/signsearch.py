"""Whether keywords can be in an event at all: a quick look at its ``_raw``.

A *sign* is a text of plain ASCII of which one is in every event in which a keyword is found (see
``indexing.signs_of``). Hardly an event has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import AnyStr, Callable

from .windowsxml import decode_entities

# More signs than these are looked for in what an event says that others have not said.
_FEW = 12
# Signs of no more characters are sooner found by an expression, which looks for the first of them.
_SHORT = 4
# Characters of pieces that are remembered, each taking more than these.
_ROOM, _ENTRY = 3_000_000, 100
# The characters beyond ASCII that fold to ASCII ones: the Kelvin sign to k, the long s to s.
_FOLD_TO_ASCII = [re.compile(one.encode()).search for one in ("\u212a", "\u017f")]


class SignSearch:
    """Looks for signs."""

    def __init__(self, signs: Sequence[str]) -> None:
        short = [sign for sign in signs if len(sign) <= _SHORT]
        self._long = [sign for sign in signs if len(sign) > _SHORT]
        self._short = [re.compile(re.escape(sign)).search for sign in short]
        self._long_bytes = [sign.encode("ascii") for sign in self._long]
        self._short_bytes = [re.compile(re.escape(sign.encode("ascii"))).search for sign in short]
        self._takes_apart = len(signs) > _FEW
        #: Pieces that no sign is in.
        self._clear: set[str] = set()
        self._room = _ROOM

    def is_clear(self, raw: str, bytes_of: Callable[[str], bytes]) -> bool:
        """Whether there is no sign in a cell; ``bytes_of`` as in Columns."""
        if self._takes_apart:
            return self._has_clear_pieces(raw, bytes_of)
        # Decoded, &#107; is a k; what named entities stand for is in no sign.
        if not raw.isascii() or ("&" in raw and "&#" in raw):
            return self._is_clear(raw, bytes_of)
        return _has_none(raw.lower(), self._short, self._long)

    def _is_clear(self, text: str, bytes_of: Callable[[str], bytes]) -> bool:
        """The same of any text."""
        data = bytes_of(text).lower()
        if b"&" in data and b"&#" in data:
            data += decode_entities(data.decode("latin-1")).encode("utf-8").lower()
        if not data.isascii() and not _has_none(data, _FOLD_TO_ASCII, ()):
            return False
        return _has_none(data, self._short_bytes, self._long_bytes)

    def _has_clear_pieces(self, raw: str, bytes_of: Callable[[str], bytes]) -> bool:
        """The same, by pieces between characters that are in no sign: XML or JSON says mostly what was said before."""
        clear = self._clear
        separator = "<" if raw[0] == "<" else '"'
        new = [piece for piece in raw.split(separator) if piece not in clear]
        text = separator.join(new)
        if not self._is_clear(text, bytes_of):
            return False
        self._room -= len(text) + _ENTRY * len(new)
        if self._room < 0:
            clear.clear()
            self._room = _ROOM
        clear.update(new)
        return True


def _has_none(text: AnyStr, searches: Iterable[Callable[[AnyStr], object]], others: Iterable[AnyStr]) -> bool:
    for search in searches:
        if search(text):
            return False
    for other in others:  # noqa: SIM110 - see _is_open of fieldmasks
        if other in text:
            return False
    return True
