"""A text that a regular expression finds something in, mostly: read from Python's own parse of the expression."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as parser
else:  # pragma: no cover - Python 3.10
    import sre_parse as parser

_CATEGORIES = {"DIGIT": "07", "SPACE": " \t", "WORD": "aZ_9", "NOT_DIGIT": "a.", "NOT_SPACE": "a/", "NOT_WORD": " -"}
_MOST = 3


def word(expression: str, random: Random) -> str:
    """The text. Looking around and anchors are not heeded, so it may not be found after all."""
    return _sequence(parser.parse(expression), random)


def _sequence(nodes: Any, random: Random) -> str:
    return "".join(_NODES[str(kind)](argument, random) for kind, argument in nodes)


def _any_of(choices: Any, random: Random) -> str:
    """A character of a class."""
    if str(choices[0][0]) == "NEGATE":
        refused = {_any_of([choice], random) for choice in choices[1:]}
        return random.choice([letter for letter in "aZ9 -./\\\u00e9" if letter not in refused])
    kind, argument = random.choice(choices)
    return _NODES[str(kind)](argument, random)


def _repeated(argument: Any, random: Random) -> str:
    least, most, nodes = argument
    return "".join(_sequence(nodes, random) for _ in range(random.randint(least, min(int(most), least + _MOST))))


def _category(argument: Any, random: Random) -> str:
    return random.choice(_CATEGORIES[str(argument).removeprefix("CATEGORY_")])


_NODES: dict[str, Callable[[Any, Random], str]] = {
    "LITERAL": lambda code, _: chr(code),
    "NOT_LITERAL": lambda code, _: "x" if chr(code) != "x" else "y",
    "ANY": lambda _, random: random.choice("x ."),
    "RANGE": lambda ends, random: chr(random.randint(*ends)),
    "CATEGORY": _category,
    "IN": _any_of,
    "BRANCH": lambda branches, random: _sequence(random.choice(branches[1]), random),
    "SUBPATTERN": lambda group, random: _sequence(group[3], random),
    "ATOMIC_GROUP": _sequence,
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
    "POSSESSIVE_REPEAT": _repeated,
    "AT": lambda _, __: "",
    "ASSERT": lambda argument, random: _sequence(argument[1], random),
    "ASSERT_NOT": lambda _, __: "",
    "GROUPREF": lambda _, __: "",
}
