"""The file of ``--placeholders``: a YAML mapping of a placeholder's name to its value or values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from sigmaengine.modifiers import scalar_text
from sigmaengine.problems import shown
from sigmaengine.ruletext import line_of

from .findings import Finding, error
from .yamlfiles import YamlFileError, documents


class PlaceholderError(Exception):
    """The file cannot be used. ``findings`` says why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def read_placeholders(path: Path | None) -> dict[str, list[str]]:
    """Placeholder name -> values, each a Sigma string; empty without a file. Raises PlaceholderError."""
    if path is None:
        return {}
    name = path.as_posix()
    try:
        read = list(documents(path, name))
    except YamlFileError as fault:
        raise PlaceholderError([fault.finding]) from None
    if len(read) != 1 or not isinstance(read[0], Mapping):
        raise PlaceholderError([error(name, 1, "placeholders", "expected one mapping of names to values")])
    findings, found = [], {}
    for key, content in read[0].items():
        values = content if isinstance(content, list) else [content]
        if not values or not all(isinstance(value, (str, int, Decimal)) for value in values):
            line = line_of(read[0], (key,))
            findings.append(error(name, line, "placeholders", f"{shown(key)} needs a value or a list of values"))
        found[str(key)] = [scalar_text(value) for value in values]
    if findings:
        raise PlaceholderError(findings)
    return found
