"""Python's regular expressions in an alphabet, as PCRE reads them."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Sequence
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from builder.queries.language import RefusedError
from sigmaengine.modifiers import REGEX_FLAGS

from .alphabets import ANYTHING, NEVER, NO_BREAK, Alphabet, Class, bracketed

#: Python's names for classes, which are of all scripts, as PCRE writes them inside of brackets.
_DIGITS, _WORD = "\\p{Nd}", "\\p{L}\\p{N}_"
_BLANKS = (
    "\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}"
    "\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
)


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum()


_CATEGORIES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": (_DIGITS, lambda character: unicodedata.category(character) == "Nd"),
    "CATEGORY_SPACE": (_BLANKS, str.isspace),
    "CATEGORY_WORD": (_WORD, _is_word),
}
_NOT_CATEGORIES = {"CATEGORY_NOT_DIGIT": "CATEGORY_DIGIT", "CATEGORY_NOT_WORD": "CATEGORY_WORD"}
_NOT_BLANK = (
    "\\x{0}-\\x{8}\\x{e}-\\x{1b}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"
)
#: By these the names of classes mean ASCII alone, or what the machine says.
_REFUSED_FLAGS = re.ASCII | re.LOCALE


def regex(flags: str, expression: str, alphabet: Alphabet) -> str:
    """An expression, found anywhere from the beginning of the value on. Raises RefusedError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        tree = parser.parse(expression, sum(REGEX_FLAGS[flag] for flag in flags))
    if tree.state.flags & _REFUSED_FLAGS:
        raise RefusedError("regex", expression)
    if _copies(tree) > _MOST:
        raise RefusedError("length", expression)
    found = _Writer(expression, alphabet).whole(tree, tree.state.flags)
    return f"(?i:{found})" if tree.state.flags & re.IGNORECASE else found


class _Writer:
    def __init__(self, expression: str, alphabet: Alphabet) -> None:
        self.expression, self.alphabet = expression, alphabet

    def refused(self) -> RefusedError:
        return RefusedError("regex", self.expression)

    def whole(self, tree: Sequence[tuple[Any, Any]], flags: int) -> str:
        """The expression behind what may stand before it in the value."""
        if tree and str(tree[0][0]) == "AT" and str(tree[0][1]) in _BEGINNINGS and not flags & re.MULTILINE:
            return self.needed(tree, flags) + self.sequence(tree[1:], flags)
        return self.needed(tree, flags) + self.alphabet.lazy() + self.sequence(tree, flags)

    def needed(self, tree: Sequence[tuple[Any, Any]], flags: int) -> str:
        """That the texts which are in every match stand one after the other, for expressions that try many places.

        It is found out by going over the value once; without it PCRE might give up on long ones.
        """
        texts = [self.sequence(run, flags) for run in _texts(tree)] if _unlimited(tree) > 1 else []
        steps = "".join(f"(?>{self.alphabet.lazy()}{text})" for text in texts if NEVER not in text)
        return f"(?={steps})" if steps else ""

    def sequence(self, tree: Iterable[tuple[Any, Any]], flags: int) -> str:
        return "".join(self.operation(str(operator), argument, flags) for operator, argument in tree)

    def operation(self, operator: str, argument: Any, flags: int) -> str:
        method = _OPERATIONS.get(operator)
        if method is None:
            raise self.refused()
        return method(self, argument, flags)

    def literal(self, code_point: int, _: int) -> str:
        return self.alphabet.character(chr(code_point))

    def not_literal(self, code_point: int, _: int) -> str:
        return self.alphabet.one(_class([("NEGATE", None), ("LITERAL", code_point)]))

    def any(self, _: None, flags: int) -> str:
        return self.alphabet.one(ANYTHING if flags & re.DOTALL else NO_BREAK)

    def one(self, members: Any, _: int) -> str:
        return self.alphabet.one(_class([(str(kind), value) for kind, value in members]))

    def repeated(self, argument: Any, flags: int, greed: str = "") -> str:
        least, most, inner = argument
        unlimited = most is constants.MAXREPEAT
        if unlimited and least <= 1 and len(inner) == 1 and str(inner[0][0]) == "ANY":
            return (self.any(None, flags) if least else "") + self.alphabet.run(
                ANYTHING if flags & re.DOTALL else NO_BREAK
            )
        repeated = self.sequence(inner, flags)
        times = least if unlimited else most
        if len(repeated) > _LONG and times > _OFTEN and _is_character(inner):
            return _often(repeated, least, None if unlimited else most)
        return f"(?:{repeated}){_limits(least, None if unlimited else most)}{greed}"

    def lazily(self, argument: Any, flags: int) -> str:
        return self.repeated(argument, flags, "?")

    def group(self, argument: Any, flags: int) -> str:
        _, added, removed, inner = argument
        changed = (flags | added) & ~removed
        case = {True: "i", False: "-i"}[bool(changed & re.IGNORECASE)]
        prefix = f"(?{case}:" if (changed ^ flags) & re.IGNORECASE else "(?:"
        return f"{prefix}{self.sequence(inner, changed)})"

    def branch(self, argument: Any, flags: int) -> str:
        return f"(?:{'|'.join(self.sequence(inner, flags) for inner in argument[1])})"

    def at(self, place: Any, flags: int) -> str:
        name = str(place)
        if name in _BEGINNINGS and not flags & re.MULTILINE:
            return self.alphabet.begin
        if name == "AT_END" and not flags & re.MULTILINE:
            line_break = self.alphabet.character("\n")
            return f"(?={'' if line_break == NEVER else f'(?:{line_break})?'}{self.alphabet.end})"
        if name == "AT_END_STRING":
            return self.alphabet.end
        if name in _BOUNDARIES and self.alphabet.looks_behind:
            return _BOUNDARIES[name]
        raise self.refused()

    def ahead(self, argument: Any, flags: int, operator: str = "=") -> str:
        direction, inner = argument
        if direction < 0:
            return self.behind(inner, flags, operator)
        return f"(?{operator}{self.sequence(inner, flags)})"

    def not_ahead(self, argument: Any, flags: int) -> str:
        return self.ahead(argument, flags, "!")

    def behind(self, inner: Any, flags: int, operator: str) -> str:
        """Of one character alone, which is written as it is, and none that ends what is written otherwise."""
        said = self.sequence(inner, flags)
        if not self.alphabet.looks_behind or len(inner) != 1 or str(inner[0][0]) not in ("LITERAL", "IN"):
            raise self.refused()
        of = _class(
            [(str(inner[0][0]), inner[0][1])]
            if str(inner[0][0]) == "LITERAL"
            else [(str(kind), value) for kind, value in inner[0][1]]
        )
        if any(map(of.has, "&<>\"';\t\n\r")):
            raise self.refused()
        return f"(?<{operator}{said})"


def _unlimited(nodes: Any) -> int:
    """How many repetitions without a limit there are."""
    count = 0
    for operator, argument in nodes:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            count += (argument[1] is constants.MAXREPEAT) + _unlimited(argument[2])
        elif name == "SUBPATTERN":
            count += _unlimited(argument[3])
        elif name == "BRANCH":
            count += max(map(_unlimited, argument[1]))
    return count


def _copies(nodes: Any) -> int:
    """How many parts there are once PCRE has copied those that are repeated."""
    count = 0
    for operator, argument in nodes:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            times = least if most is constants.MAXREPEAT else most
            count += 1 if _is_character(inner) else max(times, 1) * _copies(inner)
        elif name == "SUBPATTERN":
            count += _copies(argument[3])
        elif name == "BRANCH":
            count += sum(map(_copies, argument[1]))
        else:
            count += 1
    return count


def _texts(nodes: Any) -> list[list[tuple[Any, Any]]]:
    """The characters, one after the other, that are in every match."""
    runs: list[list[tuple[Any, Any]]] = [[]]
    for operator, argument in nodes:
        name = str(operator)
        if name == "LITERAL":
            runs[-1].append((operator, argument))
        elif name == "SUBPATTERN" and not argument[1] and not argument[2]:
            runs += [*_texts(argument[3]), []]
        elif name != "AT":
            runs.append([])
    return [run for run in runs if run]


# PCRE copies what is repeated as often as it is.
_LONG, _OFTEN, _MOST = 12, 8, 5_000
_SHORT_LIMITS = {"{0,}": "*", "{1,}": "+", "{0,1}": "?"}


def _limits(least: int, most: int | None) -> str:
    limits = f"{{{least},{'' if most is None else most}}}"
    return _SHORT_LIMITS.get(limits, limits)


def _is_character(inner: Any) -> bool:
    while len(inner) == 1 and str(inner[0][0]) == "SUBPATTERN" and not inner[0][1][1] and not inner[0][1][2]:
        inner = inner[0][1][3]
    return len(inner) == 1 and str(inner[0][0]) in ("ANY", "IN", "LITERAL", "NOT_LITERAL")


def _often(character: str, least: int, most: int | None) -> str:
    """A character many times: written once, and called."""
    more = f"(?-1){_limits(max(least - 1, 0), None if most is None else most - 1)}"
    return f"(?:({character}){more}){'' if least else '?'}"


_BEGINNINGS = ("AT_BEGINNING", "AT_BEGINNING_STRING")
_IS_BOUNDARY = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_BOUNDARIES = {"AT_BOUNDARY": _IS_BOUNDARY, "AT_NON_BOUNDARY": f"(?!{_IS_BOUNDARY})"}

_OPERATIONS: dict[str, Callable[[_Writer, Any, int], str]] = {
    "LITERAL": _Writer.literal,
    "NOT_LITERAL": _Writer.not_literal,
    "ANY": _Writer.any,
    "IN": _Writer.one,
    "MAX_REPEAT": _Writer.repeated,
    "MIN_REPEAT": _Writer.lazily,
    "SUBPATTERN": _Writer.group,
    "BRANCH": _Writer.branch,
    "AT": _Writer.at,
    "ASSERT": _Writer.ahead,
    "ASSERT_NOT": _Writer.not_ahead,
}


# --- classes ------------------------------------------------------------------------------------


def _class(members: Sequence[tuple[str, Any]]) -> Class:
    negated = members[0][0] == "NEGATE"
    said = [_member(kind, value) for kind, value in members[negated:]]
    return Class("".join(text for text, _ in said), _any_of([holds for _, holds in said]), negated)


def _any_of(tests: Sequence[Callable[[str], bool]]) -> Callable[[str], bool]:
    return lambda character: any(test(character) for test in tests)


def _member(kind: str, value: Any) -> tuple[str, Callable[[str], bool]]:
    if kind == "LITERAL":
        return bracketed(chr(value)), lambda character: ord(character) == value
    if kind == "RANGE":
        low, high = value
        return f"{bracketed(chr(low))}-{bracketed(chr(high))}", lambda character: low <= ord(character) <= high
    return _category(str(value))


def _category(name: str) -> tuple[str, Callable[[str], bool]]:
    if name == "CATEGORY_NOT_SPACE":
        return _NOT_BLANK, lambda character: not character.isspace()
    if name in _NOT_CATEGORIES:
        text, holds = _CATEGORIES[_NOT_CATEGORIES[name]]
        return _OTHERS[text], lambda character: not holds(character)
    return _CATEGORIES[name]


#: What is no digit; what is no letter, digit or underscore (of the connecting punctuation, the others).
_OTHERS = {
    _DIGITS: "\\P{Nd}",
    _WORD: "\\p{M}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}\\p{S}\\p{Z}\\p{C}"
    "\\x{203f}\\x{2040}\\x{2054}\\x{fe33}\\x{fe34}\\x{fe4d}-\\x{fe4f}\\x{ff3f}",
}
