r"""Sigma strings: escapes and wildcards, and how a text is compared with them.

A parsed string is a tuple of *parts*: literal text, or one of the integers ``ANY`` (``*``, any
length), ``ONE`` (``?``, exactly one code point) and ``DASH`` (a windash position: one of five
characters). Integers and strings survive JSON, so parts are also the compiled form.

Escapes, as the Sigma specification has them: a backslash is plain text unless it stands before
``*``, ``?`` or another backslash. ``\*`` is a literal star, ``\\*`` a backslash and a wildcard,
``\\\*`` a backslash and a literal star, ``\\`` and ``\`` one backslash each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Callable, Union

from .folding import fold

ANY = 0
ONE = 1
DASH = 2

Part = Union[str, int]
Parts = tuple[Part, ...]
#: Says whether a text satisfies a pattern. The text is already folded unless the pattern is cased.
TextTest = Callable[[str], bool]

#: The characters that ``windash`` makes interchangeable: hyphen, slash, en dash, em dash, horizontal bar.
DASHES = "-/\u2013\u2014\u2015"

_SPECIAL = re.compile(r"\\([*?\\])|([*?])")
_WILDCARDS = {"*": ANY, "?": ONE}
# pySigma's \B[-/]\b: no word character before, one after.
_WINDASH = re.compile(rf"(?<!\w)[{DASHES}](?=\w)")


def parse(text: str) -> Parts:
    """Read a Sigma string with its escapes and wildcards."""
    parts: list[Part] = []
    position = 0
    for special in _SPECIAL.finditer(text):
        parts.append(text[position : special.start()])
        escaped, wildcard = special.groups()
        parts.append(escaped if wildcard is None else _WILDCARDS[wildcard])
        position = special.end()
    parts.append(text[position:])
    return join(parts)


def join(parts: Sequence[Part]) -> Parts:
    """``parts`` with neighbouring literals joined, empty ones dropped and ``**`` read as ``*``."""
    joined: list[Part] = []
    for part in parts:
        if part == "" and isinstance(part, str):
            continue
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        elif not (part == ANY and joined and joined[-1] == ANY):
            joined.append(part)
    return tuple(joined)


def is_plain(parts: Parts) -> bool:
    """True if ``parts`` is literal text alone (or nothing)."""
    return all(isinstance(part, str) for part in parts)


def plain_text(parts: Parts) -> str:
    """The literal text of plain parts."""
    return "".join(part for part in parts if isinstance(part, str))


def with_windash(parts: Parts) -> Parts:
    """Each dash that starts a word becomes a DASH; positions are sought between wildcards, as pySigma does."""
    dashed: list[Part] = []
    for part in parts:
        if not isinstance(part, str):
            dashed.append(part)
            continue
        for index, text in enumerate(_WINDASH.split(part)):
            if index:
                dashed.append(DASH)
            dashed.append(text)
    return join(dashed)


def folded(parts: Parts) -> Parts:
    """``parts`` with its literals case folded."""
    return tuple(fold(part) if isinstance(part, str) else part for part in parts)


def as_text(parts: Parts) -> str:
    """``parts`` written as a Sigma string again, for people to read; a DASH is written ``-``."""
    written = {ANY: "*", ONE: "?", DASH: "-"}
    return "".join(
        re.sub(r"([*?]|\\(?=[*?\\]|\Z))", r"\\\1", part) if isinstance(part, str) else written[part] for part in parts
    )


def compile_parts(parts: Parts) -> TextTest:
    """A function that says whether a text as a whole satisfies ``parts``.

    Literals are compared as they stand: fold parts and text before, or neither. The time is
    bounded by length of text x length of pattern: segments between ``*`` are found leftmost, one
    after the other, so no text makes it backtrack.
    """
    if ANY not in parts:
        return _whole(parts)
    first, *middle, last = _split_at_any(parts)
    return _compile_segments(first, [segment for segment in middle if segment], last)


def _split_at_any(parts: Parts) -> list[Parts]:
    segments: list[list[Part]] = [[]]
    for part in parts:
        if part == ANY:
            segments.append([])
        else:
            segments[-1].append(part)
    return [tuple(segment) for segment in segments]


def _whole(parts: Parts) -> TextTest:
    if is_plain(parts):
        return plain_text(parts).__eq__
    matches = re.compile(_regex(parts) + r"\Z", re.DOTALL).match
    return lambda text: matches(text) is not None


def _compile_segments(first: Parts, middle: list[Parts], last: Parts) -> TextTest:
    """The common shapes as one string method each, the rest by the general loop."""
    if len(middle) == 1 and not first and not last and is_plain(middle[0]):
        literal = plain_text(middle[0])
        return lambda text: literal in text
    if not middle and is_plain(first) and is_plain(last):
        prefix, suffix = plain_text(first), plain_text(last)
        if not suffix:
            return lambda text: text.startswith(prefix)
        if not prefix:
            return lambda text: text.endswith(suffix)
    return _general(first, middle, last)


def _general(first: Parts, middle: list[Parts], last: Parts) -> TextTest:
    first_length, last_length = _length(first), _length(last)
    starts, ends = _whole(first), _whole(last)
    finders = [_finder(segment) for segment in middle]

    def test(text: str) -> bool:
        limit = len(text) - last_length
        if limit < first_length or not starts(text[:first_length]) or not ends(text[limit:]):
            return False
        position = first_length
        for find in finders:
            end = find(text, position, limit)
            if end is None:
                return False
            position = end
        return True

    return test


def _length(segment: Parts) -> int:
    return sum(len(part) if isinstance(part, str) else 1 for part in segment)


def _finder(segment: Parts) -> Callable[[str, int, int], int | None]:
    """A function (text, start, limit) -> end of the leftmost occurrence inside text[start:limit], or None."""
    if is_plain(segment):
        literal = plain_text(segment)
        length = len(literal)

        def find(text: str, start: int, limit: int) -> int | None:
            found = text.find(literal, start, limit)
            return None if found < 0 else found + length

        return find
    search = re.compile(_regex(segment), re.DOTALL).search

    def find_with_wildcards(text: str, start: int, limit: int) -> int | None:
        found = search(text, start, limit)
        return found.end() if found else None

    return find_with_wildcards


def _regex(segment: Parts) -> str:
    """The regular expression of parts without ANY."""
    one = {ONE: ".", DASH: f"[{DASHES}]"}
    return "".join(re.escape(part) if isinstance(part, str) else one[part] for part in segment)
