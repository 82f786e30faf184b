r"""A regular expression of Python's -> one of .NET's that is found in the same texts.

It is written anew from what Python's own parser makes of it, since the two languages differ in what
they write alike: ``\Z``, ``\w``, ``\s``, ``\b``. .NET sees UTF-16, so that a character beyond U+FFFF is two: what takes
exactly one character is written as a pair or one that is no half of a pair. The result is printable ASCII.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from sigmaengine.modifiers import REGEX_FLAGS

from .language import RefusedError

#: One character beyond U+FFFF, and what is no half of one, within a class.
_PAIR = r"[\uD800-\uDBFF][\uDC00-\uDFFF]"
_HALVES = r"\uD800-\uDFFF"
#: Any one character.
ONE_CHARACTER = rf"(?:{_PAIR}|[^{_HALVES}])"
#: Any characters.
ANYTHING = r"[\s\S]*"

# What Python takes for letters, digits and their like, and for blanks; .NET's \w and \s are others.
_WORD = r"\p{L}\p{N}_"
_SPACE = r"\t-\r\x1C- \x85\xA0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
_CATEGORIES = {"CATEGORY_DIGIT": r"\d", "CATEGORY_WORD": _WORD, "CATEGORY_SPACE": _SPACE}
_OPPOSITES = {f"CATEGORY_NOT_{name.removeprefix('CATEGORY_')}": text for name, text in _CATEGORIES.items()}

_SPECIAL = frozenset(r"\.^$*+?{}[]|()#")
_SPECIAL_IN_CLASS = frozenset(r"\^-[]")
_BEYOND = 0x10000


class Expression(NamedTuple):
    """An expression of .NET's, and whether it is to be looked for without case."""

    text: str
    ignores_case: bool


def translated(flags: str, expression: str) -> Expression:
    """An expression of .NET's that is found where this one is. Raises RefusedError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        tree = parser.parse(expression, sum(REGEX_FLAGS[flag] for flag in flags))
    try:
        text = _sequence(tree, tree.state.flags)
    except _UnlikeError:
        raise RefusedError("regex", expression) from None
    return Expression(text, bool(tree.state.flags & re.IGNORECASE))


def literal(text: str) -> str:
    """A text that is looked for as it stands."""
    return "".join(_character(one, _SPECIAL) for one in text)


def in_class(characters: Iterable[str]) -> str:
    """Characters up to U+FFFF, as they stand in a class."""
    return "".join(_character(one, _SPECIAL_IN_CLASS) for one in characters)


class _UnlikeError(Exception):
    """A part that the two languages read differently, or that one of them does not know."""


def _character(character: str, special: frozenset[str]) -> str:
    if character in special:
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02X}{units[place + 1]:02X}" for place in range(0, len(units), 2))


def _sequence(tree: Iterable[tuple[Any, Any]], flags: int) -> str:
    return "".join(_part(str(operator), argument, flags) for operator, argument in tree)


def _part(operator: str, argument: Any, flags: int) -> str:
    if operator not in _PARTS or flags & (re.ASCII | re.LOCALE):
        raise _UnlikeError
    return _PARTS[operator](argument, flags)


class _Class(NamedTuple):
    """What takes one unit of UTF-16; ``open``: characters beyond U+FFFF too, if there are two of it."""

    text: str
    open: bool = False

    def once(self) -> str:
        """What takes one character."""
        if not self.open:
            return self.text
        if self.text.startswith("[^"):
            return rf"(?:{_PAIR}|{self.text[:-1]}{_HALVES}])"
        return rf"(?:{_PAIR}|(?![{_HALVES}]){self.text})"


def _literal(code_point: int, flags: int) -> str:
    if code_point > ord("~") and flags & re.IGNORECASE:
        raise _UnlikeError
    text = literal(chr(code_point))
    return f"(?:{text})" if code_point >= _BEYOND else text


def _class(operator: str, argument: Any, flags: int) -> _Class | None:
    """The class that a part of an expression is, if it is one."""
    return _CLASSES[operator](argument, flags) if operator in _CLASSES else None


def _listed(argument: Any, flags: int) -> _Class:
    negated = str(argument[0][0]) == "NEGATE"
    members = argument[1:] if negated else argument
    opposites = [_OPPOSITES[str(value)] for kind, value in members if _is_opposite(kind, value)]
    rest = _members([(kind, value) for kind, value in members if not _is_opposite(kind, value)], flags)
    if not opposites:
        return _Class(f"[^{rest}]" if negated else f"[{rest}]", open=negated)
    if negated:
        raise _UnlikeError
    if rest in opposites:
        return _Class(r"[\s\S]", open=True)
    choices = [*(f"[^{one}]" for one in opposites), *([f"[{rest}]"] if rest else [])]
    return _Class(choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})", open=True)


_CLASSES: dict[str, Callable[[Any, int], _Class]] = {
    "ANY": lambda _, flags: _Class(r"[\s\S]" if flags & re.DOTALL else r"[^\n]", open=True),
    "NOT_LITERAL": lambda code_point, flags: _Class(f"[^{_member(code_point, flags)}]", open=True),
    "IN": _listed,
}


def _is_opposite(kind: Any, value: Any) -> bool:
    return str(kind) == "CATEGORY" and str(value) in _OPPOSITES


def _members(members: Sequence[tuple[Any, Any]], flags: int) -> str:
    return "".join(_MEMBERS[str(kind)](value, flags) for kind, value in members)


def _member(code_point: int, flags: int) -> str:
    if code_point >= _BEYOND or (code_point > ord("~") and flags & re.IGNORECASE):
        raise _UnlikeError
    return in_class(chr(code_point))


_MEMBERS: dict[str, Callable[[Any, int], str]] = {
    "LITERAL": _member,
    "RANGE": lambda ends, flags: f"{_member(ends[0], flags)}-{_member(ends[1], flags)}",
    "CATEGORY": lambda value, _: _CATEGORIES[str(value)],
}


def _once(operator: str) -> Callable[[Any, int], str]:
    return lambda argument, flags: _CLASSES[operator](argument, flags).once()


def _repeat(argument: Any, flags: int, lazy: str = "") -> str:
    least, most, inner = argument
    endless = str(most) == "MAXREPEAT"
    single = _class(str(inner[0][0]), inner[0][1], flags) if len(inner) == 1 else None
    # Any number of characters is any number of units.
    body = single.text if single and endless and least <= 1 else _sequence(inner, flags)
    if len(inner) != 1 or str(inner[0][0]) not in _ATOMS:
        body = f"(?:{body})"
    return body + _TIMES.get((least, None if endless else most), _counted(least, most, endless)) + lazy


#: Parts that a number of times can follow as they are.
_ATOMS = ("LITERAL", "NOT_LITERAL", "ANY", "IN", "SUBPATTERN", "BRANCH")
_TIMES = {(0, None): "*", (1, None): "+", (0, 1): "?"}


def _counted(least: int, most: Any, endless: bool) -> str:
    if least == most:
        return f"{{{least}}}"
    return f"{{{least},}}" if endless else f"{{{least},{most}}}"


def _group(argument: Any, flags: int) -> str:
    _, added, removed, inner = argument
    inside = (flags | added) & ~removed
    switch = ("i" if inside & re.IGNORECASE else "-i") if (inside ^ flags) & re.IGNORECASE else ""
    return f"(?{switch}:{_sequence(inner, inside)})"


def _branch(argument: Any, flags: int) -> str:
    return f"(?:{'|'.join(_sequence(branch, flags) for branch in argument[1])})"


def _look(ahead: str, behind: str) -> Callable[[Any, int], str]:
    return lambda argument, flags: f"(?{ahead if argument[0] > 0 else behind}{_sequence(argument[1], flags)})"


def _at(place: Any, flags: int) -> str:
    text = _PLACES[str(place)]
    return f"(?m:{text})" if flags & re.MULTILINE and text in "^$" else text


_IN = f"[{_WORD}]"
_PLACES = {
    "AT_BEGINNING": "^",
    "AT_END": "$",
    "AT_BEGINNING_STRING": r"\A",
    "AT_END_STRING": r"\z",
    "AT_BOUNDARY": f"(?:(?<={_IN})(?!{_IN})|(?<!{_IN})(?={_IN}))",
    "AT_NON_BOUNDARY": f"(?:(?<={_IN})(?={_IN})|(?<!{_IN})(?!{_IN}))",
}

_PARTS: dict[str, Callable[[Any, int], str]] = {
    "LITERAL": _literal,
    **{operator: _once(operator) for operator in _CLASSES},
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": lambda argument, flags: _repeat(argument, flags, "?"),
    "SUBPATTERN": _group,
    "BRANCH": _branch,
    "ASSERT": _look("=", "<="),
    "ASSERT_NOT": _look("!", "<!"),
    "AT": _at,
}
