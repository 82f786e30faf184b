"""What one test says about another: that it holds whenever the other does, or never with it.

Only what can be proven is said. Both speak of one value of a field; a field may have several.
A *test* is the engine's (see ``sigmaengine.modifiers``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from ipaddress import ip_network
from typing import Any

from sigmaengine.folding import fold
from sigmaengine.modifiers import Test
from sigmaengine.numbers import parse_number
from sigmaengine.patterns import ANY, DASH, DASHES, ONE, Part, compile_parts

#: Literals longer than this are compared as wholes only, so that the time is bounded.
_MAX_LITERAL = 300
#: Patterns with inner wildcards are compared symbol by symbol up to this many symbols each.
_MAX_SYMBOLS = 300
#: Tests without an index that are compared one by one.
_MAX_OTHERS = 300

_Symbols = list[Any]


def implies(one: Test, other: Test) -> bool:
    """True if every value that passes ``one`` is known to pass ``other``."""
    if one == other:
        return True
    relation = _IMPLIES.get((one[0], other[0]))
    return relation is not None and relation(one, other)


def excludes(one: Test, other: Test) -> bool:
    """True if no single value is known to pass both."""
    relation = _EXCLUDES.get((one[0], other[0]))
    if relation is not None:
        return relation(one, other)
    relation = _EXCLUDES.get((other[0], one[0]))
    return relation is not None and relation(other, one)


# --- text -----------------------------------------------------------------------------------------


def _text_implies(one: Test, other: Test) -> bool:
    if other[1] and not one[1]:
        return False
    parts = one[2] if other[1] else _folded(one[2])
    return contained(parts, other[2])


def contained(parts: Sequence[Part], others: Sequence[Part]) -> bool:
    """True if every text of the pattern ``parts`` is known to be one of the pattern ``others``."""
    if all(isinstance(part, str) for part in parts):
        return compile_parts(tuple(others))("".join(str(part) for part in parts))
    mine, theirs = _symbols(parts), _symbols(others)
    if len(mine) > _MAX_SYMBOLS or len(theirs) > _MAX_SYMBOLS:
        return False
    # reach[i]: the first i of mine can be one of the first j of theirs.
    reach = [True] + [False] * len(mine)
    for symbol in theirs:
        reach = _stepped(reach, mine, symbol)
    return reach[-1]


def _stepped(reach: list[bool], mine: _Symbols, symbol: Any) -> list[bool]:
    if symbol == ANY:
        first = reach.index(True) if True in reach else len(reach)
        return [index >= first for index in range(len(reach))]
    stepped = [False] * len(reach)
    for index, own in enumerate(mine):
        stepped[index + 1] = reach[index] and _within(own, symbol)
    return stepped


def _symbols(parts: Sequence[Part]) -> _Symbols:
    return [symbol for part in parts for symbol in (part if isinstance(part, str) else [part])]


def _within(symbol: Any, other: Any) -> bool:
    """True if what one symbol stands for (not ``*``) is among what the other does."""
    if symbol == ANY:
        return False
    if other in (ONE, symbol):
        return True
    return other == DASH and isinstance(symbol, str) and symbol in DASHES


def _text_excludes(one: Test, other: Test) -> bool:
    mine, theirs = _symbols(_folded(one[2])), _symbols(_folded(other[2]))
    if _ends_differ(mine, theirs) or _ends_differ(mine[::-1], theirs[::-1]):
        return True
    for literal, pattern in ((one, other), (other, one)):
        if all(isinstance(part, str) for part in literal[2]):
            return not compile_parts(tuple(_folded(pattern[2])))("".join(_folded(literal[2])))
    return False


def _ends_differ(mine: _Symbols, theirs: _Symbols) -> bool:
    """True if the beginnings of two patterns, up to the first ``*``, cannot be those of one text."""
    for own, other in zip(mine, theirs, strict=False):
        if ANY in (own, other):
            return False
        if not (_within(own, other) or _within(other, own)):
            return True
    shorter, longer = sorted((mine, theirs), key=len)
    return ANY not in shorter and any(symbol != ANY for symbol in longer[len(shorter) :])


def _folded(parts: Iterable[Part]) -> list[Any]:
    return [fold(part) if isinstance(part, str) else part for part in parts]


def _plain(test: Test) -> str | None:
    """The text that a test compares whole values with, or None if it is a pattern."""
    parts = test[2]
    return str(parts[0]) if len(parts) == 1 and isinstance(parts[0], str) else None


# --- numbers and networks -------------------------------------------------------------------------


def _number(test: Test) -> Decimal | None:
    """The one number that a test compares with, or None."""
    text = test[1] if test[0] == "num" else _plain(test)
    return None if text is None else parse_number(text)


def _is_number(one: Test, other: Test) -> bool:
    """That a test for whole values means the number of the other one."""
    number = _number(one)
    return number is not None and number == _number(other)


def _is_another_number(one: Test, other: Test) -> bool:
    if one[0] == "str" and _plain(one) is None:
        return False
    number, second = _number(one), _number(other)
    return number is None or (second is not None and number != second)


_COMPARED: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "lt": lambda number, limit: number < limit,
    "lte": lambda number, limit: number <= limit,
    "gt": lambda number, limit: number > limit,
    "gte": lambda number, limit: number >= limit,
}


def _number_in_range(one: Test, other: Test) -> bool:
    number, limit = _number(one), parse_number(other[2])
    return number is not None and limit is not None and _COMPARED[other[1]](number, limit)


def _number_out_of_range(one: Test, other: Test) -> bool:
    if one[0] == "str" and _plain(one) is None:
        return False
    return parse_number(other[2]) is not None and not _number_in_range(one, other)


def _range_implies(one: Test, other: Test) -> bool:
    mine, theirs = parse_number(one[2]), parse_number(other[2])
    if mine is None or theirs is None or one[1][0] != other[1][0]:
        return False
    # x < 5 implies x <= 5; x <= 5 implies x < 6.
    inside = mine < theirs if one[1][0] == "l" else mine > theirs
    return inside or (mine == theirs and (one[1] == other[1] or other[1].endswith("e")))


def _range_excludes(one: Test, other: Test) -> bool:
    mine, theirs = parse_number(one[2]), parse_number(other[2])
    if mine is None or theirs is None or one[1][0] == other[1][0]:
        return False
    below, above = (mine, theirs) if one[1][0] == "l" else (theirs, mine)
    return below < above or (below == above and not (one[1].endswith("e") and other[1].endswith("e")))


def _network_implies(one: Test, other: Test) -> bool:
    mine, theirs = ip_network(one[1]), ip_network(other[1])
    return mine.version == theirs.version and mine.subnet_of(theirs)  # type: ignore[arg-type]


def _networks_exclude(one: Test, other: Test) -> bool:
    mine, theirs = ip_network(one[1]), ip_network(other[1])
    # A network of IPv6 may hold IPv4 addresses, written in it.
    return mine.version == theirs.version and not mine.overlaps(theirs)


def _always(one: Test, other: Test) -> bool:  # noqa: ARG001 - of the relations' form
    return True


_Relation = Callable[[Test, Test], bool]
_IMPLIES: dict[tuple[str, str], _Relation] = {
    ("str", "str"): _text_implies,
    ("str", "num"): _is_number,
    ("num", "num"): _is_number,
    ("str", "cmp"): _number_in_range,
    ("num", "cmp"): _number_in_range,
    ("cmp", "cmp"): _range_implies,
    ("cidr", "cidr"): _network_implies,
}
_EXCLUDES: dict[tuple[str, str], _Relation] = {
    ("str", "str"): _text_excludes,
    ("str", "num"): _is_another_number,
    ("num", "num"): _is_another_number,
    ("str", "cmp"): _number_out_of_range,
    ("num", "cmp"): _number_out_of_range,
    ("cmp", "cmp"): _range_excludes,
    ("cidr", "cidr"): _networks_exclude,
    **{("null", kind): _always for kind in ("str", "num", "cmp", "cidr", "re", "ref", "part")},
}


# --- many tests -----------------------------------------------------------------------------------


class Cover:
    """Finds, among many tests, those that a test implies, without comparing with each of them.

    ``tests`` are pairs of a test and the position that it is known by.
    """

    def __init__(self, tests: Iterable[tuple[Test, int]]) -> None:
        self._literals: dict[tuple[bool, str], dict[str, list[int]]] = {}
        self._lengths: dict[tuple[bool, str], list[int]] = {}
        self._numbers: dict[Decimal | None, list[int]] = {}
        others: list[tuple[Test, int]] = []
        for test, position in tests:
            shape, literal = _shape(test)
            if shape:
                self._literals.setdefault((test[1], shape), {}).setdefault(literal, []).append(position)
            elif test[0] == "num":
                self._numbers.setdefault(_number(test), []).append(position)
            else:
                others.append((test, position))
        # What has no index is compared with everything: of very many nothing is said.
        self._others = others if len(others) <= _MAX_OTHERS else []
        for key, literals in self._literals.items():
            self._lengths[key] = sorted({len(literal) for literal in literals})

    def of(self, test: Test) -> Iterator[int]:
        """The positions of tests that ``test`` implies, itself included; some may come twice."""
        if test[0] == "str":
            for cased, shape in self._literals:
                if test[1] or not cased:
                    yield from self._in_shape(test[2] if cased else _folded(test[2]), cased, shape)
        if self._numbers and test[0] in ("str", "num"):
            number = _number(test)
            yield from self._numbers.get(number, ()) if number is not None else ()
        for other, position in self._others:
            if implies(test, other):
                yield position

    def _in_shape(self, parts: Sequence[Part], cased: bool, shape: str) -> Iterator[int]:
        literals = self._literals[cased, shape]
        for text in _pieces(parts, shape, self._lengths[cased, shape]):
            yield from literals.get(text, ())


def _shape(test: Test) -> tuple[str, str]:
    """How a simple pattern is anchored, and its literal; ("", "") for any other test."""
    if test[0] != "str":
        return "", ""
    literals = [part for part in test[2] if isinstance(part, str)]
    if len(literals) != 1 or len(literals[0]) > _MAX_LITERAL:
        return "", ""
    shape = _SHAPES.get(tuple(part if part in (ANY, ONE, DASH) else "x" for part in test[2]), "")
    return shape, literals[0] if shape else ""


_SHAPES = {("x",): "whole", ("x", ANY): "start", (ANY, "x"): "end", (ANY, "x", ANY): "inside"}


def _pieces(parts: Sequence[Part], shape: str, lengths: list[int]) -> Iterator[str]:
    """The texts of the given lengths that are anchored so in every text of a pattern."""
    ends = {"whole": parts if len(parts) == 1 else (), "start": parts[:1], "end": parts[-1:], "inside": parts}[shape]
    for literal in ends:
        if not isinstance(literal, str):
            continue
        if shape == "whole":
            yield literal
        elif shape == "inside":
            within = literal[: 10 * _MAX_LITERAL]
            for length in lengths:
                yield from {within[start : start + length] for start in range(len(within) - length + 1)}
        else:
            for length in lengths:
                if length <= len(literal):
                    yield literal[:length] if shape == "start" else literal[len(literal) - length :]
