"""Sigma strings in an alphabet: what stands from a value's beginning on, without backtracking over the value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from sigmaengine.patterns import ANY, DASH, DASHES, ONE, Part

from .alphabets import ANYTHING, NEVER, Alphabet, one_of

_ENTITY_END = re.compile(r"(?:amp|lt|gt|quot|apos|#x?[0-9a-f]+);", re.IGNORECASE)


class Reading(Protocol):
    """How the characters of a value are written."""

    def __call__(self, *, cased: bool) -> Alphabet:
        """``cased``: whether they are compared with case."""


#: (whether with case, parts)
Text = tuple[bool, Sequence[Part]]


def tells_entities_apart(parts: Sequence[Part]) -> bool:
    """Whether it matters that an entity is one character, or several, in all of the text alike.

    A text of XML is compared as it stands and with its entities decoded. One expression says both, unless
    a part of an entity could be taken for what the rule asks for beside another entity.
    """
    return ONE in parts or any(isinstance(part, str) and _ENTITY_END.search(part) is not None for part in parts)


def texts(listed: Sequence[Text], reading: Reading) -> str:
    """One of some Sigma strings, from the beginning of the value on."""
    alternatives = []
    for cased in (False, True):
        found = _of_one_case([parts for one, parts in listed if one == cased], reading(cased=cased))
        if found != NEVER:
            alternatives.append(found if cased else f"(?i:{found})")
    return one_of(alternatives)


def _of_one_case(listed: Sequence[Sequence[Part]], alphabet: Alphabet) -> str:
    """Texts of one shape share what is around them."""
    shapes: dict[tuple[bool, bool], list[str]] = {}
    others: list[str] = []
    for parts in listed:
        segments = _segments(parts)
        said = [segment for segment in segments if segment]
        if len(said) == 1:
            shape = (not segments[0], not segments[-1])
            shapes.setdefault(shape, []).append(_segment(said[0], alphabet))
        else:
            others.append(_globbed(segments, alphabet))
    return one_of([*(_shaped(shape, cores, alphabet) for shape, cores in shapes.items()), *others])


def _segments(parts: Sequence[Part]) -> list[list[Part]]:
    """What stands between ``*``."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        if part == ANY:
            segments.append([])
        else:
            segments[-1].append(part)
    return segments


def _shaped(shape: tuple[bool, bool], cores: Sequence[str], alphabet: Alphabet) -> str:
    core = one_of(cores)
    if core == NEVER:
        return NEVER
    begins, ends = shape
    return (alphabet.run(ANYTHING) if begins else "") + core + ("" if ends else alphabet.closing)


def _globbed(segments: Sequence[Sequence[Part]], alphabet: Alphabet) -> str:
    """Segments one after the other, each at the first place where it is: no other place would do better."""
    first, *middle, last = segments
    if not any(segments):
        return f"(?!{alphabet.closing})"
    steps = [_segment(segment, alphabet) for segment in (first, *filter(None, middle), last)]
    if NEVER in steps:
        return NEVER
    head, *inner, tail = steps
    sought = "".join(f"(?>{alphabet.lazy()}{step})" for step in inner)
    return head + sought + (alphabet.run(ANYTHING) + tail + alphabet.closing if last else "")


def _segment(segment: Sequence[Part], alphabet: Alphabet) -> str:
    said = [_part(part, alphabet) for part in segment]
    return NEVER if any(NEVER in one for one in said) else "".join(said)


def _part(part: Part, alphabet: Alphabet) -> str:
    if isinstance(part, str):
        return alphabet.literal(part)
    if part == DASH:
        return one_of(map(alphabet.character, DASHES))
    return alphabet.one(ANYTHING)
