"""A Sigma string -> the values of ``field="value"`` that find it.

In Splunk's search language ``*`` is the only wildcard and nothing escapes it; comparison ignores case.
What it cannot say is written as ``*``: that finds more, never less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from sigmaengine.patterns import DASH, DASHES, ONE, Part

#: A value that stands for more texts than this (by windash, by XML entities) is written with a wildcard.
MAX_VARIANTS = 25

#: Characters that Windows writes as entities in an event's XML, or as they are.
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
# A quoted value loses "/../", as if it were a path; a backquote begins a macro, wherever it stands.
_COLLAPSING = re.compile(r"(?<=[/\\])\.\.(?=[/\\])")
_WILD = "*"


class Values(NamedTuple):
    """``lower``: what these find passes; ``upper``: what passes these find. ``reasons``: why they differ."""

    lower: tuple[str, ...]
    upper: tuple[str, ...]
    reasons: frozenset[str] = frozenset()


def search_values(parts: Sequence[Part], cased: bool, xml: bool) -> Values:
    """The values for a pattern; ``xml``: texts may hold characters as XML entities."""
    reasons: set[str] = {"case"} if cased else set()
    choices: list[Sequence[str]] = []
    for part in parts:
        choices += _choices(part, xml, reasons)
    if prod(map(len, choices)) > MAX_VARIANTS:
        reasons.add("variants")
        choices = [choice if len(choice) == 1 else (_WILD,) for choice in choices]
    upper = tuple(dict.fromkeys(_joined(choice) for choice in product(*choices)))
    return Values(() if reasons else upper, upper, frozenset(reasons))


def _choices(part: Part, xml: bool, reasons: set[str]) -> list[Sequence[str]]:
    if not isinstance(part, str):
        if part == ONE:
            reasons.add("question mark")
        return [tuple(DASHES) if part == DASH else (_WILD,)]
    if "/.." in part or "\\.." in part:
        shortened = _COLLAPSING.sub(_WILD, part)
        if shortened != part:
            reasons.add("dots between slashes")
            part = shortened.replace(_WILD, "\0")
    return [_character(character, xml, reasons) for character in part]


def _character(character: str, xml: bool, reasons: set[str]) -> Sequence[str]:
    if character == "\0":
        return (_WILD,)
    if xml and character in ENTITIES:
        return (character, ENTITIES[character])
    reason = _unspeakable(character)
    if reason:
        reasons.add(reason)
        return (_WILD,)
    return (character,)


def _unspeakable(character: str) -> str:
    if character == "*":
        return "star"
    if character == "`":
        return "backquote"
    if character.isascii():
        return "" if character.isprintable() else "control character"
    return "case beyond ASCII" if character.lower() != character.upper() else ""


def _joined(choice: Sequence[str]) -> str:
    return re.sub(r"\*{2,}", _WILD, "".join(choice))
