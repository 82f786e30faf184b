"""Literal text that a value must hold for a test to pass: cheap to look for, and usually not there.

A *gate* is a set of literals (folded text) of which at least one is in every folded value that
passes. An empty gate says nothing: the test has to be run on every value.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from .folding import fold
from .modifiers import REGEX_FLAGS
from .patterns import Part

Gate = frozenset[str]
_NO_GATE: Gate = frozenset()
_MAX_GATE = 40


def gate_of_parts(parts: Sequence[Part]) -> Gate:
    """The gate of a pattern: its longest literal."""
    literals = [fold(part) for part in parts if isinstance(part, str)]
    return frozenset([max(literals, key=len)]) if literals else _NO_GATE


def gate_of_regex(flags: str, expression: str) -> Gate:
    """The gate of a regular expression, from its parse tree.

    Where case is ignored the gate holds for ASCII values alone: Python lets ``i`` match U+0131.
    """
    return _of_sequence(_parse(flags, expression), ignores_case(flags, expression))


def repetitions(flags: str, expression: str, text: str) -> int:
    """How often a regular expression needs a (folded) text, at least, one beside the other; 0 if that is not known."""
    run, count = "", 0
    for operator, argument in [*_parse(flags, expression), ("END", None)]:
        if str(operator) == "LITERAL":
            run += chr(argument)
            continue
        count += fold(run) == text
        run = ""
    return count


def shortest(flags: str, expression: str) -> int:
    """The least number of characters that a regular expression matches."""
    width: int = _parse(flags, expression).getwidth()[0]
    return width


def ignores_case(flags: str, expression: str) -> bool:
    """Whether a regular expression ignores case, in all of it or in a part."""
    if "i" in flags:
        return True
    if "(?" not in expression:
        return False
    tree = _parse(flags, expression)
    return bool(tree.state.flags & re.IGNORECASE) or _has_inline_flags(tree)


def _parse(flags: str, expression: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sre_parse is deprecated where re._parser exists
        parser: Any
        if sys.version_info >= (3, 11):
            from re import _parser as parser  # type: ignore[attr-defined]
        else:
            import sre_parse as parser
        return parser.parse(expression, sum(REGEX_FLAGS[flag] for flag in flags))


def _has_inline_flags(tree: Any) -> bool:
    for operator, argument in tree:
        name = str(operator)
        if name == "SUBPATTERN" and argument[1]:
            return True
        if any(_has_inline_flags(inner) for inner in _inner(name, argument)):
            return True
    return False


def _inner(name: str, argument: Any) -> list[Any]:
    if name == "SUBPATTERN":
        return [argument[3]]
    if name == "BRANCH":
        return list(argument[1])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [argument[2]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if name == "ATOMIC_GROUP":
        return [argument]
    return []


def _of_sequence(tree: Any, loosely: bool) -> Gate:
    """The best gate of the parts of a sequence; neighbouring characters make one literal.

    ``loosely``: case is ignored somewhere, so that characters beyond ASCII may match others.
    """
    gates: list[Gate] = []
    run = ""
    for operator, argument in tree:
        name = str(operator)
        if name == "LITERAL" and not (loosely and argument > 127):
            run += chr(argument)
            continue
        gates.append(frozenset([fold(run)]) if run else _NO_GATE)
        run = ""
        gates.append(_of_part(name, argument, loosely))
    gates.append(frozenset([fold(run)]) if run else _NO_GATE)
    return max(gates, key=_strength)


def _of_part(name: str, argument: Any, loosely: bool) -> Gate:
    if name == "SUBPATTERN" and not argument[2]:
        return _of_sequence(argument[3], loosely)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0] > 0:
        return _of_sequence(argument[2], loosely)
    if name == "ATOMIC_GROUP":
        return _of_sequence(argument, loosely)
    if name == "BRANCH":
        branches = [_of_sequence(branch, loosely) for branch in argument[1]]
        if all(branches) and sum(map(len, branches)) <= _MAX_GATE:
            return frozenset().union(*branches)
    return _NO_GATE


def _strength(gate: Gate) -> tuple[int, int]:
    """Long literals first, few of them next."""
    return (min(map(len, gate)), -len(gate)) if gate else (0, 0)
