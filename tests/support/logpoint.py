"""As much of Logpoint's query language as is written, made from its documentation (Search Query Language).

``field=value``, ``field IN [value, ...]``, ``field!=value``, ``-`` for not, ``OR``, parentheses; parts side by side all
have to hold, and ``OR`` binds more than that. ``*`` stands for any characters, ``?`` for one; nothing escapes them.
Values are compared without case. It shares no code with the writer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

Event = Mapping[str, Sequence[str]]
Holds = Callable[[Event], bool]


class LogpointError(Exception):
    """What is written is no search of the subset."""


_TOKEN = re.compile(
    r"""\s*(?P<token>"[^"]*"|'[^']*'|!=|[()\[\],=*]|-(?=["'(\w-])|[\w.]+)""",
)


def _tokens(query: str) -> list[str]:
    found, place = [], 0
    while query[place:].strip():
        match = _TOKEN.match(query, place)
        if match is None:
            raise LogpointError(f"at {query[place : place + 40]!r}")
        found.append(match["token"])
        place = match.end()
    return found


def parse(query: str) -> Holds:
    """A search. Raises LogpointError."""
    parser = _Parser(_tokens(query))
    holds = parser.all()
    if parser.tokens[parser.place :]:
        raise LogpointError(f"more behind the search: {parser.tokens[parser.place :][:3]}")
    return holds


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.place = tokens, 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1] if self.place <= len(self.tokens) else ""

    def all(self) -> Holds:
        parts = [self.any()]
        while self.peek() not in ("", ")"):
            parts.append(self.any())
        return parts[0] if len(parts) == 1 else lambda event: all(part(event) for part in parts)

    def any(self) -> Holds:
        parts = [self.one()]
        while self.peek() == "OR":
            self.next()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda event: any(part(event) for part in parts)

    def one(self) -> Holds:
        if self.peek() == "-":
            self.next()
            part = self.one()
            return lambda event: not part(event)
        if self.peek() == "(":
            self.next()
            part = self.all()
            if self.next() != ")":
                raise LogpointError("no )")
            return part
        return self.field()

    def field(self) -> Holds:
        name = _bare(self.next())
        operator = self.next()
        if operator in ("=", "!="):
            test = _any_of(name, [_pattern(self.next())])
            return test if operator == "=" else lambda event: not test(event)
        if operator != "IN" or self.next() != "[":
            raise LogpointError(f"{name} {operator}")
        patterns = [_pattern(self.next())]
        while (separator := self.next()) == ",":
            patterns.append(_pattern(self.next()))
        if separator != "]":
            raise LogpointError("no ]")
        return _any_of(name, patterns)


def _bare(token: str) -> str:
    if not re.fullmatch(r"\"[^\"]+\"|[\w.]+", token):
        raise LogpointError(f"no name: {token}")
    return token.strip('"')


def _pattern(token: str) -> re.Pattern[str]:
    if not re.fullmatch(r"\"[^\"]*\"|'[^']*'|[\w.]+|\*", token):
        raise LogpointError(f"no value: {token}")
    text = token[1:-1] if token[0] in "\"'" else token
    return re.compile("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in _folded(text)), re.DOTALL)


def _folded(text: str) -> str:
    """Each character without its case, where that is one character."""
    return "".join(one if len(folded := one.casefold()) > 1 else folded for one in text)


def _any_of(name: str, patterns: list[re.Pattern[str]]) -> Holds:
    return lambda event: any(pattern.fullmatch(_folded(value)) for value in event.get(name, ()) for pattern in patterns)
