"""A Sigma string -> the values of ``field="value"`` that find it.

In Splunk's search language ``*`` is the only wildcard and nothing escapes it; comparison ignores case.
What it cannot say is written as ``*``: that finds more, never less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network
from itertools import product
from math import prod
from typing import NamedTuple

from sigmaengine.patterns import DASH, DASHES, ONE, Part

#: A value that stands for more texts than this (by windash, by XML entities) is written with a wildcard.
MAX_VARIANTS = 25

#: Characters that Windows writes as entities in an event's XML, or as they are.
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
# What would be an entity, if an ampersand of the text itself stood before it.
_ENTITY_END = re.compile(r"(?:amp|lt|gt|quot|apos|#x?[0-9A-Fa-f]+);")
# Splunk takes "/../" out of a quoted value, as if it were a path.
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
    if xml and mixes_entities(parts):
        reasons.add("entities")
    choices: list[Sequence[str]] = []
    for part in parts:
        choices += _choices(part, xml, reasons)
    if prod(map(len, choices)) > MAX_VARIANTS:
        reasons.add("variants")
        choices = [choice if len(choice) == 1 else (_WILD,) for choice in choices]
    upper = tuple(dict.fromkeys(_joined(choice, reasons) for choice in product(*choices)))
    return Values(() if reasons else upper, upper, frozenset(reasons))


def mixes_entities(parts: Sequence[Part]) -> bool:
    """Whether a text could be found that is read as it stands in one place and decoded in another.

    That is so where an ampersand may be the beginning of an entity that stands for something else.
    """
    text = "".join(part for part in parts if isinstance(part, str))
    return "&" in text and (any(one in text for one in ENTITIES if one != "&") or bool(_ENTITY_END.search(text)))


def _choices(part: Part, xml: bool, reasons: set[str]) -> list[Sequence[str]]:
    if not isinstance(part, str):
        if part == ONE:
            reasons.add("question mark")
        return [tuple(DASHES) if part == DASH else (_WILD,)]
    choices: list[Sequence[str]] = []
    for number, piece in enumerate(_COLLAPSING.split(part)):
        if number:
            reasons.add("dots between slashes")
            choices.append((_WILD,))
        choices += [_character(character, xml, reasons) for character in piece]
    return choices


def _character(character: str, xml: bool, reasons: set[str]) -> Sequence[str]:
    if xml and character in ENTITIES:
        return (character, ENTITIES[character])
    reason = _unspeakable(character)
    if reason:
        reasons.add(reason)
        return (_WILD,)
    return (character,)


def _unspeakable(character: str) -> str:
    if character in _ODD:
        return _ODD[character]
    if not character.isprintable():
        return "control character"
    return "" if character.isascii() or character.lower() == character.upper() else "case beyond ASCII"


_ODD = {"*": "star", "`": "backquote"}


def _joined(choice: Sequence[str], reasons: set[str]) -> str:
    value = re.sub(r"\*{2,}", _WILD, "".join(choice))
    if "/" in value and _is_network(value):
        # To Splunk it would mean every address in it.
        reasons.add("like a network")
        return value.replace("/", _WILD)
    return value


def _is_network(value: str) -> bool:
    try:
        ip_network(value.strip(), strict=False)
    except ValueError:
        return False
    return True
