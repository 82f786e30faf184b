r"""Which of Python's regular expressions mean the same to PCRE, whatever text they are tried on.

Not those that ask for letters, digits or blanks by name (``\w``, ``\d``, ``\s``, ``\b``): Python means those of all
scripts, PCRE those of ASCII unless it is told otherwise.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from sigmaengine.modifiers import REGEX_FLAGS

from .values import ENTITIES

# What one of the two reads otherwise, or not at all: POSIX classes, "{,5}", code points by number or name, "\v",
# a comment or a condition in parentheses, Python's flags; a backquote begins a macro of Splunk's.
_ODD = re.compile(r"\[[:.=]|\{,|\\[uUNvZ0-9]|\(\?[#(]|\(\?[a-zA-Z]*[auL]|`")
# PCRE's own limit.
_MOST_REPEATED = 65_535


_SPECIAL = frozenset(r"\.^$*+?{}[]|()")


def escaped(character: str) -> str:
    """One character of a text, as both read it, and as no macro of Splunk's."""
    if character == "`" or not character.isprintable():
        return f"\\x{ord(character):02x}" if ord(character) < 256 else character
    return f"\\{character}" if character in _SPECIAL else character


def portable(flags: str, expression: str, xml: bool) -> bool:
    """True if both find the expression in the same texts.

    ``xml``: texts may hold characters as entities, and it is enough if the decoded text has it; what is
    found there must be found in the text as it stands.
    """
    if not expression.isascii() or not expression.isprintable() or _ODD.search(expression):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        tree = parser.parse(expression, sum(REGEX_FLAGS[flag] for flag in flags))
    by_line = "m" in flags or bool(tree.state.flags & re.MULTILINE)
    anchors = set(_anchors(tree))
    if (anchors and by_line) or (xml and "AT_END" in anchors):
        # Whether a line begins behind the last line break is another question to each; a line break at the
        # end may be an entity.
        return False
    return _all_agree(tree, xml)


def _anchors(part: Any) -> Iterator[str]:
    """What a tree, or part of one, has of ``^``, ``$`` and their like."""
    if isinstance(part, tuple) and len(part) == 2 and str(part[0]) == "AT":
        yield str(part[1])
    elif isinstance(part, (tuple, list, parser.SubPattern)):
        for one in part:
            yield from _anchors(one)


def _agrees(operator: str, argument: Any, xml: bool) -> bool:
    # One character that is any, or is not another, may be an entity, or several bytes.
    return operator in _PARTS and _PARTS[operator](argument, xml)


def _all_agree(tree: Iterable[tuple[Any, Any]], xml: bool) -> bool:
    return all(_agrees(str(operator), argument, xml) for operator, argument in tree)


def _character_agrees(code_point: int, xml: bool) -> bool:
    character = chr(code_point)
    return character.isascii() and not (xml and (character in ENTITIES or not character.isprintable()))


def _repeat_agrees(argument: Any, xml: bool) -> bool:
    least, most, inner = argument
    if str(most) != "MAXREPEAT" and most > _MOST_REPEATED:
        return False
    if str(most) == "MAXREPEAT" and least <= 1 and len(inner) == 1:
        operator, value = inner[0]
        # Any number of any characters is any number of entities too, and of bytes; of other characters, of bytes.
        if str(operator) == "ANY":
            return True
        if str(operator) in ("IN", "NOT_LITERAL") and not xml:
            return _all_but_agree(value if str(operator) == "IN" else [("LITERAL", value)])
    return _all_agree(inner, xml)


def _all_but_agree(members: Any) -> bool:
    return all(str(kind) == "NEGATE" or _member_agrees(str(kind), value, xml=False) for kind, value in members)


def _class_agrees(members: Any, xml: bool) -> bool:
    return all(_member_agrees(str(kind), value, xml) for kind, value in members)


def _member_agrees(kind: str, value: Any, xml: bool) -> bool:
    if kind == "RANGE":
        return all(_character_agrees(one, xml) for one in range(value[0], value[1] + 1))
    return kind == "LITERAL" and _character_agrees(value, xml)


_PARTS: dict[str, Callable[[Any, bool], bool]] = {
    "LITERAL": _character_agrees,
    "IN": _class_agrees,
    "MAX_REPEAT": _repeat_agrees,
    "MIN_REPEAT": _repeat_agrees,
    "SUBPATTERN": lambda argument, xml: _all_agree(argument[3], xml),
    "BRANCH": lambda argument, xml: all(_all_agree(branch, xml) for branch in argument[1]),
    "AT": lambda argument, _: str(argument) in ("AT_BEGINNING", "AT_BEGINNING_STRING", "AT_END"),
}
