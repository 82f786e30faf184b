"""Case folding as Sigma Match compares strings: simple folding, code point by code point.

Simple folding (statuses C and S of Unicode's CaseFolding.txt) never changes the length of a
string, so that a fold of a part is the part of the fold. ``str.lower`` and ``str.casefold``
of a whole string do not have that property: ``'ΟΔΟΣΑ'.lower()`` does not start with
``'ΟΔΟΣ'.lower()``, ``'İ'.lower()`` is two code points long, ``'ß'.casefold()`` is ``'ss'``.
"""

from __future__ import annotations

# Status S entries that CaseFolding.txt gained with Unicode 15.1: given here so that every Python
# folds alike. str.lower and str.casefold offer no single code point for them.
_ADDED_LATER = {0x1FD3: 0x0390, 0x1FE3: 0x03B0, 0xFB05: 0xFB06}


def _fold_code_point(code_point: int) -> int:
    if code_point in _ADDED_LATER:
        return _ADDED_LATER[code_point]
    character = chr(code_point)
    folded = character.casefold()
    if len(folded) == 1:
        return ord(folded)
    # A full folding of several code points: the simple one, where it exists, is the lower case.
    lowered = character.lower()
    return ord(lowered) if len(lowered) == 1 else code_point


class _FoldTable(dict[int, int]):
    """Filled as code points are met: building it whole would cost a search 0.3 s at its start."""

    def __missing__(self, code_point: int) -> int:
        folded = self[code_point] = _fold_code_point(code_point)
        return folded


_TABLE = _FoldTable()
_ASCII = bytes(range(128))
_LONG = 500


def fold(text: str) -> str:
    """``text`` with each code point replaced by its simple case folding; same length."""
    if text.isascii():
        # Bytes are lowered twice as fast.
        return text.lower() if len(text) < _LONG else text.encode("ascii").lower().decode("ascii")
    # Bytes are lowered as ASCII alone. What is beyond ASCII is mostly a sign or two that stay.
    data = text.encode("utf-8", "surrogatepass")
    beyond = data.translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if beyond.translate(_TABLE) == beyond:
        return data.lower().decode("utf-8", "surrogatepass")
    return text.translate(_TABLE)
