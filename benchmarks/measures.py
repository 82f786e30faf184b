"""The list of measurements, and what each of them is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .figures import Row
from .places import NotRunError, interpreter


class GuardError(Exception):
    """The results of a measured program are not what they must be: its speed means nothing."""


@dataclass
class Context:
    """How to measure. ``notes``: what was not run or is worth knowing, for the output."""

    pythons: list[str]
    repeats: int
    quick: bool = False
    notes: list[str] = field(default_factory=list)
    #: Figures that are no rows against a bar: tables for the page and its charts, by name.
    tables: dict[str, Any] = field(default_factory=dict)

    def interpreters(self) -> list[tuple[str, str]]:
        """(version, path) of the interpreters that are here; what is missing is noted. Raises NotRunError."""
        found = []
        for version in self.pythons:
            try:
                found.append((version, interpreter(version)))
            except NotRunError as missing:
                self.note(str(missing))
        if not found:
            raise NotRunError("none of the Pythons that were asked for is installed")
        return found

    def note(self, text: str) -> None:
        """Keep a note once."""
        if text not in self.notes:
            self.notes.append(text)

    def size(self, full: int, quick: int) -> int:
        """A size by the kind of run."""
        return quick if self.quick else full


Measure = Callable[[Context], list[Row]]


def check(condition: object, message: str) -> None:
    """Raise GuardError with the message unless the condition holds."""
    if not condition:
        raise GuardError(message)


def only(values: list[Any], message: str) -> Any:
    """The one value that all of them are. Raises GuardError."""
    check(values and all(value == values[0] for value in values), f"{message}: {values}")
    return values[0]
