"""The tokens of a command. Nothing that expands a text, continues a line or comments it is known."""

from __future__ import annotations

import re
from typing import NamedTuple


class PowerShellError(Exception):
    """What is written is no command of the subset, or fails."""


class Token(NamedTuple):
    """``kind``: string, variable, number, operator, word, type, mark; ``spaced``: a blank stands before it."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool


#: PowerShell takes each of these for a single quotation mark.
QUOTES = "'\u2018\u2019\u201a\u201b"
_TOKEN = re.compile(
    rf"""(?P<string>[{QUOTES}](?:[^{QUOTES}]|[{QUOTES}]{{2}})*[{QUOTES}])
    |(?P<variable>\$(?:_|[A-Za-z]\w*)(?![\w:?]))
    |(?P<number>[0-9]+(?:\.[0-9]+)?d?(?![\w.]))
    |(?P<operator>-[A-Za-z]+(?!\w))
    |(?P<type>\[[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*\])
    |(?P<word>[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z]+)?)
    |(?P<mark>@\{{|@\(|::|\+=|[(){{}}\[\];,.=|&+-])""",
    re.VERBOSE | re.ASCII,
)


def tokens(source: str) -> list[Token]:
    """All tokens. Raises PowerShellError at anything else."""
    found: list[Token] = []
    position = 0
    while position < len(source):
        start = position
        while position < len(source) and source[position] == " ":
            position += 1
        if position == len(source):
            break
        match = _TOKEN.match(source, position)
        if match is None:
            raise PowerShellError(f"at {source[position : position + 40]!r}")
        assert match.lastgroup is not None
        found.append(Token(match.lastgroup, match.group(), match.start(), match.end(), position > start))
        position = match.end()
    return found


def string_of(token: str) -> str:
    """What a string in single quotes says."""
    return re.sub(rf"([{QUOTES}])[{QUOTES}]", r"\1", token[1:-1])
