"""Placeholders in the values of rules: ``%name%`` -> the values that a file or a lookup gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product

from . import patterns
from .patterns import Parts
from .problems import RuleError, Where

#: Placeholder name -> its values, each a Sigma string.
Placeholders = Mapping[str, Sequence[str]]

#: The code of a placeholder without a value.
UNDEFINED = "placeholder-undefined"
_MAX_EXPANSIONS = 10_000

# "\%" is a percent sign, "\\%name%" a backslash and a placeholder.
PLACEHOLDER = re.compile(r"(?P<skip>\\\\|\\%)|%(?P<name>[\w-]+)%")


def expanded(text: str, placeholders: Placeholders, where: Where) -> list[Parts]:
    """Every combination of the values of the placeholders in a Sigma string. Raises RuleError."""
    choices = _choices(text, placeholders, where, "%")
    return [patterns.join([part for piece in choice for part in patterns.parse(piece)]) for choice in product(*choices)]


def expanded_expressions(expression: str, placeholders: Placeholders, where: Where) -> list[str]:
    """The same of a regular expression: values are put in as they are written. Raises RuleError."""
    return ["".join(choice) for choice in product(*_choices(expression, placeholders, where, r"\%"))]


def _choices(text: str, placeholders: Placeholders, where: Where, percent: str) -> list[Sequence[str]]:
    """What stands between placeholders and what for them, in turn; ``percent`` stands for an escaped percent sign."""
    choices: list[Sequence[str]] = []
    literal, position = "", 0
    total = 1
    for found in PLACEHOLDER.finditer(text):
        literal += text[position : found.start()]
        position = found.end()
        name = found["name"]
        if name is None:
            literal += percent if found["skip"] == r"\%" else found["skip"]
            continue
        values = placeholders.get(name)
        if not values:
            raise RuleError(UNDEFINED, f"the placeholder '%{name}%' has no value", where)
        total *= len(values)
        if total > _MAX_EXPANSIONS:
            raise RuleError("placeholder-count", f"the placeholders give over {_MAX_EXPANSIONS} values", where)
        choices += [(literal,), values]
        literal = ""
    return [*choices, (literal + text[position:],)]
