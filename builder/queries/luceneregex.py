r"""Texts and Python's regular expressions as Lucene's.

Lucene's expressions take a whole value, know neither flags nor ``^ $ \b``, and have operators of their own
(``~ & # @ < >``). So every character that could be one is escaped, case is said by classes (``[pP]``), and
an expression that is only looked for gets ``.*`` on both sides. In a query they stand between slashes, and
a backslash before the last of these would belong to it, so none stands at the end.

Nothing escapes control characters there. Classes that hold all of them are written by what they do not hold
(``\s`` as ``[^!-...]``); anything else that needs one is refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from sigmaengine.folding import fold
from sigmaengine.modifiers import REGEX_FLAGS
from sigmaengine.patterns import ANY, DASH, DASHES, ONE, Part, Parts

from .language import RefusedError

_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~/^-')
_BLANK, _LAST = 0x20, 0x10FFFF
#: What is written for the last code point: the last one that is a character.
_LAST_WRITTEN = 0x10FFFD
#: More of one thing than this takes Lucene's automaton to its limit.
_MOST_REPEATED = 1000
#: So many times a class may follow a character that it takes itself, where that may begin anywhere: the automaton's
#: states double with each, and from ten on it takes minutes, or Lucene refuses it.
_MOST_UNSETTLED = 6

#: Code points as ranges, both ends inside, in order and apart from each other.
Ranges = list[tuple[int, int]]


# --- texts ------------------------------------------------------------------------------------------


def has_case(text: str) -> bool:
    """Whether a text is another one in another case."""
    return any(len(variants(one)) > 1 for one in text)


def variants(character: str) -> str:
    """What differs from a character by its case alone, and itself.

    Of ASCII letters these are two: an event's Kelvin sign or long s is taken for no k and no s.
    """
    if character.isascii():
        return character if character.lower() == character.upper() else character.lower() + character.upper()
    return _variants_beyond_ascii().get(fold(character), character)


@cache
def _variants_beyond_ascii() -> dict[str, str]:
    found: dict[str, str] = {}
    for code in range(0x80, 0x1FFFF):
        one = chr(code)
        folded = fold(one)
        if folded != one:
            found[folded] = found.get(folded, folded) + one
    return found


def literal(text: str, cased: bool) -> str:
    """Text as an expression. Raises RefusedError: it has a control character."""
    return "".join(_one_of(one if cased else variants(one)) for one in text)


def _one_of(characters: str) -> str:
    escaped = "".join(map(_escaped, characters))
    return escaped if len(characters) == 1 else f"[{escaped}]"


def _escaped(character: str) -> str:
    code = ord(character)
    if code < _BLANK or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000:
        raise RefusedError("text", f"U+{code:04X}")
    return f"\\{character}" if character in _SPECIAL else character


class Shape(NamedTuple):
    """An expression without the ``.*`` that may stand before and behind it."""

    before: bool
    body: str
    behind: bool


def whole(body: str) -> Shape:
    """An expression that takes the whole value."""
    return Shape(before=False, body=body, behind=False)


def shape(parts: Parts, cased: bool) -> Shape:
    """A Sigma string. Raises RefusedError."""
    before, behind = parts[:1] == (ANY,), parts[-1:] == (ANY,)
    if _unsettled(parts) > _MOST_UNSETTLED:
        raise RefusedError("length", "of '?' behind '*'")
    inner = parts[before : len(parts) - behind]
    return Shape(before, "".join(_part(part, cased) for part in inner), behind)


def _unsettled(parts: Parts) -> int:
    """How many ``?`` stand behind the first text that may begin anywhere."""
    anywhere = parts.index(ANY) if ANY in parts else len(parts)
    begun = next((place for place in range(anywhere, len(parts)) if isinstance(parts[place], str)), len(parts))
    return parts[begun:].count(ONE)


def _part(part: Part, cased: bool) -> str:
    return literal(part, cased) if isinstance(part, str) else _WILDCARDS[part]


_WILDCARDS = {ANY: ".*", ONE: ".", DASH: f"[{''.join(map(_escaped, DASHES))}]"}


def joined(shapes: Sequence[Shape]) -> str:
    """Shapes with the same sides as one expression that has one of them."""
    before, _, behind = shapes[0]
    bodies = list(dict.fromkeys(shape.body for shape in shapes))
    body = bodies[0] if len(bodies) == 1 and not _has_branches(bodies[0]) else f"({'|'.join(bodies)})"
    if not behind and body.endswith("\\" * 2):
        # The query's last slash would be escaped.
        body = f"{body[:-2]}(\\\\)"
    return f"{'.*' if before else ''}{body}{'.*' if behind else ''}"


def _has_branches(body: str) -> bool:
    return "|" in body


# --- Python's expressions ---------------------------------------------------------------------------


class Translated(NamedTuple):
    r"""``by_line``: there is a ``.``, which takes line breaks in Lucene; ``classes``: a ``\d`` or its like."""

    shapes: tuple[Shape, ...]
    by_line: bool
    classes: bool


def translated(flags: str, expression: str) -> Translated:
    """What Python's expression finds somewhere in a value. Raises RefusedError: Lucene cannot say it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parser.parse(expression, sum(REGEX_FLAGS[flag] for flag in flags))
    writer = _Writer(expression, tree.state.flags)
    shapes = tuple(writer.branches(list(tree)))
    return Translated(shapes, writer.by_line, writer.classes)


Node = tuple[Any, Any]
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
#: What a count may follow without parentheses around it.
_CLOSED = ("LITERAL", "NOT_LITERAL", "ANY", "IN", "SUBPATTERN", "BRANCH")


class _Writer:
    def __init__(self, expression: str, flags: int) -> None:
        self.expression = expression
        self.by_line = self.classes = self.anywhere = False
        self.any_is_any = bool(flags & re.DOTALL)
        self.by_lines = bool(flags & re.MULTILINE)
        self.ignores_case = bool(flags & re.IGNORECASE)

    def refused(self) -> RefusedError:
        return RefusedError("regex", self.expression)

    def branches(self, tree: list[Node]) -> Iterable[Shape]:
        """The alternatives at the top, each with its own anchors."""
        if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
            for branch in tree[0][1][1]:
                yield from self.branches(list(branch))
            return
        if len(tree) == 1 and str(tree[0][0]) == "SUBPATTERN" and not any(tree[0][1][1:3]):
            yield from self.branches(list(tree[0][1][3]))
            return
        yield self._anchored(tree)

    def _anchored(self, tree: list[Node]) -> Shape:
        before = behind = True
        if tree and self._is_at(tree[0], "AT_BEGINNING", "AT_BEGINNING_STRING"):
            before, tree = False, tree[1:]
        if tree and self._is_at(tree[-1], "AT_END", "AT_END_STRING"):
            behind, tree = False, tree[:-1]
        # Anything may stand there already.
        while before and tree and self._is_anything(tree[0]):
            tree = tree[1:]
        while behind and tree and self._is_anything(tree[-1]):
            tree = tree[:-1]
        if len(tree) == 1 and self._is_of_any_length(tree[0]):
            # More of anything is within it: so the automaton is a chain, which else takes seconds to make.
            before = behind = False
        self.anywhere = before
        return Shape(before, self.sequence(tree), behind)

    def _is_at(self, node: Node, *places: str) -> bool:
        if str(node[0]) != "AT" or str(node[1]) not in places:
            return False
        if self.by_lines and "STRING" not in str(node[1]):
            raise self.refused()
        return True

    @staticmethod
    def _is_anything(node: Node) -> bool:
        return _Writer._is_of_any_length(node) and node[1][0] == 0

    @staticmethod
    def _is_of_any_length(node: Node) -> bool:
        """``.{1000,}``."""
        return str(node[0]) in _REPEATS and str(node[1][1]) == "MAXREPEAT" and (
            len(node[1][2]) == 1 and str(node[1][2][0][0]) == "ANY"
        )  # fmt: skip

    def sequence(self, tree: Iterable[Node]) -> str:
        texts: list[str] = []
        before: Node | None = None
        for node in tree:
            if str(node[0]) in _REPEATS and before is not None:
                self._check_settled(before, *node[1])
            texts.append(self._node(str(node[0]), node[1]))
            before = node
        return "".join(texts)

    def _check_settled(self, before: Node, least: int, most: Any, inner: Any) -> None:
        """Refuse a count behind a character that is among what is counted: it may begin in each place again."""
        unbounded = str(most) == "MAXREPEAT"
        if self.anywhere and (least if unbounded else most) > _MOST_UNSETTLED:
            counted, character = str(inner[0][0]), before[1] if str(before[0]) == "LITERAL" else None
            if len(inner) != 1 or counted == "ANY" or character is None or self._takes(inner[0], character):
                raise self.refused()
        self.anywhere |= unbounded

    def _takes(self, node: Node, character: int) -> bool:
        text = self._node(str(node[0]), node[1])
        return re.fullmatch(text, chr(character), re.DOTALL) is not None

    def _node(self, operator: str, argument: Any) -> str:
        if operator not in self._NODES:
            raise self.refused()
        return self._NODES[operator](self, argument)

    def _literal(self, code: int) -> str:
        try:
            return literal(chr(code), cased=not self.ignores_case)
        except RefusedError:
            raise self.refused() from None

    def _any(self, _: Any) -> str:
        self.by_line |= not self.any_is_any
        return "."

    def _repeat(self, argument: Any) -> str:
        least, most, inner = argument
        unbounded = str(most) == "MAXREPEAT"
        if least > _MOST_REPEATED or (not unbounded and most > _MOST_REPEATED):
            raise self.refused()
        counts = {(0, True): "*", (1, True): "+"}.get((least, unbounded), f"{{{least},}}" if unbounded else "")
        if not unbounded:
            counts = "?" if (least, most) == (0, 1) else f"{{{least},{most}}}"
        return f"({self.sequence(inner)}){counts}" if not self._is_single(inner) else self.sequence(inner) + counts

    @staticmethod
    def _is_single(inner: Any) -> bool:
        return len(inner) == 1 and str(inner[0][0]) in _CLOSED

    def _group(self, argument: Any) -> str:
        _, added, removed, inner = argument
        before = self.ignores_case, self.any_is_any
        if (added | removed) & ~(re.IGNORECASE | re.DOTALL):
            raise self.refused()
        self.ignores_case = bool((before[0] * re.IGNORECASE | added) & ~removed & re.IGNORECASE)
        self.any_is_any = bool((before[1] * re.DOTALL | added) & ~removed & re.DOTALL)
        text = self.sequence(inner)
        if len(inner) != 1 or str(inner[0][0]) not in ("SUBPATTERN", "BRANCH"):
            text = f"({text})" if text else "()"
        self.ignores_case, self.any_is_any = before
        return text

    def _branch(self, argument: Any) -> str:
        return f"({'|'.join(self.sequence(branch) or '()' for branch in argument[1])})"

    def _not_literal(self, code: int) -> str:
        return self._class([("NEGATE", None), ("LITERAL", code)])

    def _class(self, members: Any) -> str:
        found: Ranges = []
        negated = False
        for kind, value in members:
            if str(kind) == "NEGATE":
                negated = True
            else:
                found += self._member(str(kind), value)
        ranges = _union(found)
        try:
            return _class_text(_complement(ranges) if negated else ranges)
        except RefusedError:
            raise self.refused() from None

    def _member(self, kind: str, value: Any) -> Ranges:
        if kind == "CATEGORY":
            self.classes = True
            name = str(value)
            if "LOC" in name or "UNI" in name:
                raise self.refused()
            ranges = _CATEGORIES[name.replace("NOT_", "")]
            return _complement(ranges) if "NOT_" in name else ranges
        ranges = [(value, value) if kind == "LITERAL" else (value[0], value[1])]
        return ranges + self._other_cases(ranges[0]) if self.ignores_case else ranges

    def _other_cases(self, one: tuple[int, int]) -> Ranges:
        if one[1] - one[0] > 0x300:
            raise self.refused()
        return [(ord(other), ord(other)) for code in range(one[0], one[1] + 1) for other in variants(chr(code))]

    _NODES: dict[str, Callable[[_Writer, Any], str]] = {  # noqa: RUF012 - a table that nobody changes
        "LITERAL": _literal,
        "NOT_LITERAL": _not_literal,
        "ANY": _any,
        "IN": _class,
        "MAX_REPEAT": _repeat,
        "MIN_REPEAT": _repeat,
        "SUBPATTERN": _group,
        "BRANCH": _branch,
    }


_DIGITS = [(0x30, 0x39)]
_CATEGORIES: dict[str, Ranges] = {
    "CATEGORY_DIGIT": _DIGITS,
    # All control characters: texts hold no other of them than blanks.
    "CATEGORY_SPACE": [(0, _BLANK)],
    "CATEGORY_WORD": [*_DIGITS, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
}


def _union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    found: Ranges = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _complement(ranges: Ranges) -> Ranges:
    found, start = [], 0
    for first, last in ranges:
        if first > start:
            found.append((start, first - 1))
        start = last + 1
    return [*found, (start, _LAST)] if start <= _LAST else found


def _class_text(ranges: Ranges) -> str:
    """A class. Raises RefusedError: it takes some control characters and not others."""
    if not ranges:
        raise RefusedError("text")
    if ranges == [(0, _LAST)]:
        return "."
    negated = ranges[0][0] == 0
    written = "".join(map(_range_text, _complement(ranges) if negated else ranges))
    return f"[{'^' if negated else ''}{written}]"


def _range_text(one: tuple[int, int]) -> str:
    first, last = chr(one[0]), chr(min(one[1], _LAST_WRITTEN))
    return _escaped(first) if first == last else f"{_escaped(first)}-{_escaped(last)}"
