"""What is wrong with a rule, where in it, and what its author can do about it.

A problem names its place by a path into the rule's mapping, such as
``("detection", "selection", "Image|endswith", 2)``: whoever holds the rule's text turns
that into a line (see ``ruletext.line_of``), a search shows the path itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Union

#: A path into a rule's mapping: keys and 0-based list positions.
Where = tuple[Union[str, int], ...]

ERROR = "error"
WARNING = "warning"


class Problem(NamedTuple):
    """One finding. ``severity`` is ERROR (the rule cannot be used) or WARNING."""

    severity: str
    code: str
    message: str
    where: Where = ()

    def __str__(self) -> str:
        return f"{self.severity} {self.code}: {self.message}"


class RuleError(ValueError):
    """Raised inside the parser for a fault that ends the reading of one part of a rule."""

    def __init__(self, code: str, message: str, where: Where = ()) -> None:
        super().__init__(message)
        self.problem = Problem(ERROR, code, message, where)


class Problems:
    """Collects findings while a rule is read, so that its author sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def error(self, code: str, message: str, where: Where = ()) -> None:
        """Record a fault that makes the rule unusable."""
        self.found.append(Problem(ERROR, code, message, where))

    def warn(self, code: str, message: str, where: Where = ()) -> None:
        """Record something the author should know; the rule is used all the same."""
        self.found.append(Problem(WARNING, code, message, where))

    def caught(self, error: RuleError) -> None:
        """Record what a RuleError carries."""
        self.found.append(error.problem)

    @property
    def fatal(self) -> bool:
        """True if at least one error was recorded."""
        return has_errors(self.found)


def has_errors(problems: Iterable[Problem]) -> bool:
    """True if at least one of the problems is an error."""
    return any(problem.severity == ERROR for problem in problems)


def shown(value: object, limit: int = 80) -> str:
    """``value`` quoted for a message, cut at ``limit`` characters so that no message floods a log."""
    text = value if isinstance(value, str) else repr(value)
    return "'" + (text if len(text) <= limit else text[: limit - 3] + "...") + "'"


# In this order: a boolean is an int. YAML's numbers are of classes that know how they were written.
_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "nothing"),
    (str, "text"),
    (bool, "a boolean"),
    ((int, float, Decimal), "a number"),
    (Mapping, "a mapping"),
    (list, "a list"),
)


def kind_of(value: object) -> str:
    """What a value of a rule's mapping is, in words for a message."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), type(value).__name__)


def listed(texts: Sequence[str], most: int) -> str:
    """``texts`` as one, the first ``most`` of them; the rest is counted."""
    more = len(texts) - most
    return "; ".join(texts[:most]) + (f"; and {more} more" if more > 0 else "")


def counted(count: int, one: str, several: str = "") -> str:
    """``count`` of something, in words."""
    return f"1 {one}" if count == 1 else f"{count} {several or one + 's'}"
