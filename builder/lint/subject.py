"""What a check looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from builder.attack import Attack
from sigmaengine.problems import WARNING, Problem, Where
from sigmaengine.routing import RoutingTable

from .detections import Detection, read_detection


@dataclass(frozen=True)
class Knowledge:
    """What checks know beyond the rule. ``placeholders``: name -> values."""

    routing: RoutingTable
    attack: Attack
    placeholders: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Subject:
    """One document of one file. ``used``: it is a rule, and can be used."""

    path: str
    document: Mapping[Any, Any]
    used: bool
    knowledge: Knowledge

    @property
    def file_name(self) -> str:
        """The file's name without its folder."""
        return PurePosixPath(self.path).name

    @property
    def is_rule(self) -> bool:
        """True unless it is a correlation, a filter, or part of a rule."""
        return "detection" in self.document and not {"correlation", "filter", "action"} & self.document.keys()

    @cached_property
    def detection(self) -> Detection | None:
        """Its identifiers and condition; None where there are none to speak of (the parser says why)."""
        return read_detection(self.document, self.knowledge.placeholders) if self.is_rule else None

    def text(self, key: str) -> str:
        """The text under a key, or an empty one."""
        value = self.document.get(key)
        return value.strip() if isinstance(value, str) else ""


#: A check gives what it has against a document.
Check = Callable[[Subject], Iterator[Problem]]


def warning(code: str, message: str, where: Where = ()) -> Problem:
    """What is probably not meant, or could be said better; the rule is used all the same."""
    return Problem(WARNING, code, message, where)
