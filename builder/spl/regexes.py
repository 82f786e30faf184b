r"""Which of Python's regular expressions mean the same to PCRE, whatever text they are tried on.

Not those that ask for letters, digits or blanks by name (``\w``, ``\d``, ``\s``, ``\b``): Python means those of all
scripts, PCRE those of ASCII unless it is told otherwise.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from sigmaengine.modifiers import REGEX_FLAGS

from .values import ENTITIES

# What one of the two reads otherwise, or not at all: POSIX classes, "{,5}", code points by number or name, "\v",
# a comment or a condition in parentheses; a backquote begins a macro of Splunk's.
_ODD = re.compile(r"\[[:.=]|\{,|\\[uUNvZ0-9]|\(\?[#(]|`")


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
    return _all_agree(tree, xml)


def _agrees(operator: str, argument: Any, xml: bool) -> bool:
    if operator in _PARTS:
        return _PARTS[operator](argument, xml)
    # One character that is any, or is not another, may be an entity.
    return not xml and operator in ("ANY", "NOT_LITERAL")


def _all_agree(tree: Iterable[tuple[Any, Any]], xml: bool) -> bool:
    return all(_agrees(str(operator), argument, xml) for operator, argument in tree)


def _character_agrees(code_point: int, xml: bool) -> bool:
    character = chr(code_point)
    return character.isascii() and not (xml and (character in ENTITIES or not character.isprintable()))


def _repeat_agrees(argument: Any, xml: bool) -> bool:
    least, most, inner = argument
    # Any number of any characters is any number of entities too.
    endless = str(most) == "MAXREPEAT" and least <= 1 and [str(one) for one, _ in inner] == ["ANY"]
    return endless or _all_agree(inner, xml)


def _class_agrees(members: Any, xml: bool) -> bool:
    return all(_member_agrees(str(kind), value, xml) for kind, value in members)


def _member_agrees(kind: str, value: Any, xml: bool) -> bool:
    if kind == "RANGE":
        return all(_character_agrees(one, xml) for one in range(value[0], value[1] + 1))
    return _character_agrees(value, xml) if kind == "LITERAL" else kind == "NEGATE" and not xml


_PARTS: dict[str, Callable[[Any, bool], bool]] = {
    "LITERAL": _character_agrees,
    "IN": _class_agrees,
    "MAX_REPEAT": _repeat_agrees,
    "MIN_REPEAT": _repeat_agrees,
    "SUBPATTERN": lambda argument, xml: _all_agree(argument[3], xml),
    "BRANCH": lambda argument, xml: all(_all_agree(branch, xml) for branch in argument[1]),
    "AT": lambda argument, _: str(argument) in ("AT_BEGINNING", "AT_BEGINNING_STRING", "AT_END"),
}
