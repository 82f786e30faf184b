"""What the build tells a person about a file: one line, in one form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sigmaengine.problems import ERROR, WARNING, Problem
from sigmaengine.ruletext import line_of

from .texts import escaped, one_line


@dataclass(frozen=True, order=True)
class Finding:
    """One problem of one file. ``line`` is 1-based; ``severity`` is "error" or "warning"."""

    path: str
    line: int
    severity: str
    code: str
    message: str

    def __str__(self) -> str:
        """``path:line: severity CODE: message``, on one line whatever path and message hold."""
        return f"{escaped(self.path)}:{self.line}: {self.severity} {self.code}: {one_line(self.message)}"

    def as_json(self) -> dict[str, Any]:
        """For the build report."""
        return {"line": self.line, "severity": self.severity, "code": self.code, "message": self.message}


def located(path: str, document: Any, problems: Iterable[Problem]) -> list[Finding]:
    """The engine's problems with a document, with the lines at which they stand."""
    return [
        Finding(path, line_of(document, problem.where), problem.severity, problem.code, problem.message)
        for problem in problems
    ]


def error(path: str, line: int, code: str, message: str) -> Finding:
    """A finding that makes something unusable."""
    return Finding(path, line, ERROR, code, message)


def warning(path: str, line: int, code: str, message: str) -> Finding:
    """A finding that its author should know; what it is about is used all the same."""
    return Finding(path, line, WARNING, code, message)
