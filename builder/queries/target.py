"""What a target of ``convert`` is: a table row that the command line, the files and the tests read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from builder.mappings import Mappings
from builder.outcomes import Outcome, RuleFolder

#: An option's name -> what was given, or its default; a flag's is True or False.
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """An option of a target's: ``--name TEXT``, one of ``choices`` if there are any, or a ``flag``."""

    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    flag: bool = False


class Converted(NamedTuple):
    """A query, and what its reader should know."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """``what``: what the queries are; ``extension``: of a file that holds one.

    ``write``: gives the query of a rule; ``correlate``: of a correlation, where the language has a word for
    such, from the folder in which its rules are. Both raise RefusedError. ``fault``: what is wrong with
    settings, in words for those who gave them; empty if nothing is.
    """

    what: str
    extension: str
    write: Callable[[Outcome, Mappings, Settings], Converted]
    options: Mapping[str, Option] = field(default_factory=dict)
    correlate: Callable[[Outcome, RuleFolder, Mappings, Settings], Converted] | None = None
    fault: Callable[[Settings], str] = lambda settings: ""
