"""A whole query: macros, commands between pipes, the command that decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .evaluating import compile_where
from .macros import expand
from .regexes import compile_regex
from .searching import compile_search
from .text import FOLDS, QUOTED, Event, Fold, SplError, Test, unescape, values
from .unsettled import agreed

#: What decides beyond SPL: no command behind it is looked at.
DECIDING = ("sigmamatch",)
_PIECE = re.compile(rf'{QUOTED}|\\.|[^"|\\]+|(\|)', re.DOTALL)
_COMMAND = re.compile(r"\s*(\w+)\s*(.*?)\s*", re.DOTALL)
_REGEX = re.compile(rf"(?:(\w+|{QUOTED})\s*(!?=)\s*)?({QUOTED})", re.DOTALL)


class Query(NamedTuple):
    """A parsed query. ``decided_by``: the text from the first command on that decides beyond SPL, or ``""``."""

    stages: tuple[Test, ...]
    decided_by: str

    def matches(self, event: Event) -> bool:
        """Whether the event is found by all that stands before ``decided_by``."""
        return all(stage(event) for stage in self.stages)


def parse(text: str, macros: Mapping[str, str] | None = None, folding: str = "simple") -> Query:
    """Read a query. ``folding``: what case is ignored of, ``simple`` (all of Unicode, one to one) or ``ascii``.

    Raises SplError.
    """
    expanded = expand(text, macros or {})
    starts = _starts(expanded)
    stages: list[Test] = []
    for number, start in enumerate(starts):
        end = starts[number + 1] - 1 if number + 1 < len(starts) else len(expanded)
        command, arguments = _command(expanded[start:end], first=number == 0)
        if command in DECIDING:
            return Query(tuple(stages), expanded[start:].strip())
        if command not in _COMMANDS:
            raise SplError(f"the command {command!r} is not in the subset: {expanded[start:end].strip()!r}")
        stages.append(_COMMANDS[command](arguments, FOLDS[folding]))
    return Query(tuple(stages), "")


def _starts(text: str) -> list[int]:
    """Where commands begin: behind pipes outside quotation marks."""
    starts, place = [0], 0
    while place < len(text):
        found = _PIECE.match(text, place)
        if found is None:
            raise SplError(f"a quotation mark without its other half: {text[place : place + 60]!r}")
        place = found.end()
        if found[1]:
            starts.append(place)
    return starts


def _command(text: str, *, first: bool) -> tuple[str, str]:
    """The command's name and what follows it. At the beginning ``search`` is implied."""
    found = _COMMAND.fullmatch(text)
    if first:
        if not text.strip():
            raise SplError("a query begins with a search, not with a pipe")
        explicit = re.match(r"\s*search\s+(?!(?:IN|=|!=|<|>))", text)
        return "search", text[explicit.end() :] if explicit else text
    if not found:
        raise SplError(f"no command between two pipes: {text!r}")
    return found[1], found[2]


def _search(arguments: str, fold: Fold) -> Test:
    return compile_search(arguments, fold)


def _where(arguments: str, _: Fold) -> Test:
    return compile_where(arguments)


def _regex(arguments: str, _: Fold) -> Test:
    """``regex field="..."``, ``field!="..."``, or ``"..."`` on ``_raw``."""
    found = _REGEX.fullmatch(arguments)
    if not found:
        raise SplError(f'regex takes field="expression", this is {arguments!r}')
    field = unescape(found[1].strip('"')) if found[1] else "_raw"
    wanted = found[2] != "!="
    search = compile_regex(unescape(found[3][1:-1])).search

    def test(event: Event) -> bool:
        cells = values(event, field)
        if not cells:
            # Nothing to match. That "!=" keeps such events is not written anywhere.
            return agreed([False, not wanted], f"regex {field}!= on an event without the field")
        return agreed([bool(search(cell)) for cell in cells], f"regex on several values of {field}") == wanted

    return test


_COMMANDS: dict[str, Callable[[str, Fold], Test]] = {"search": _search, "where": _where, "regex": _regex}
