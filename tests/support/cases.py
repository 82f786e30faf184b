"""Cases as data: a rule, events, and which of them it matches.

Three kinds of files hold them: ``tests/semantics`` (what the specification means), ``tests/mappings``
(what a log source's events look like in Splunk) and ``tests/rules`` (the project's own rules).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from builder.paths import ROOT
from builder.rulefiles import Outcome, read_folders
from sigmaengine.problems import Problem
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruletext import TextError, read_documents

from .apps import Row

FOLDER = ROOT / "tests"
_KEYS = {
    "id", "row", "known", "source", "placeholders", "rule", "rule_text", "events", "match", "error", "warning", "why",
    "note",
}  # fmt: skip


class Case(NamedTuple):
    """``match``: the 0-based events that ``rule`` must match; ``error``, ``warning``: what must be said of it.

    ``row`` is that of ``tests/cases/checklist.yml``, 0 where a case is about none; ``known`` one of its list of what
    other engines get wrong.
    """

    id: str
    text: Any
    events: list[Row]
    match: list[int]
    error: str
    warning: str
    row: int = 0
    known: str = ""
    placeholders: dict[str, list[str]] | None = None

    @property
    def rule_id(self) -> str:
        """The id under which the case's rule is used."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.id))

    def read(self) -> tuple[Rule | None, list[Problem]]:
        """The rule with the case's id, and what is found in it."""
        document = self.text
        if isinstance(document, str):
            try:
                documents = list(read_documents(document))
            except TextError as fault:
                return None, [fault.problem]
            document = documents[0] if documents else None
        if isinstance(document, dict):
            document = {"title": self.id, "level": "low", "status": "test", **document, "id": self.rule_id}
        return read_rule(document, self.placeholders)

    def rule(self) -> Rule:
        """The rule, which must be one."""
        rule, problems = self.read()
        assert rule is not None, problems
        return rule


def _documents(folder: str) -> Iterator[tuple[Path, Any]]:
    for path in sorted((FOLDER / folder).glob("*.yml")):
        for document in read_documents(path.read_bytes()):
            yield path, document


def table_cases(folder: str) -> list[Case]:
    """The cases of ``tests/<folder>``, each file a list of them."""
    cases = []
    for path, document in _documents(folder):
        for entry in document:
            unknown = set(entry) - _KEYS
            assert not unknown, f"{path}: {entry.get('id')}: unknown {unknown}"
            rule = entry["rule_text"] if "rule_text" in entry else entry["rule"]
            events = [row_of(event) for event in entry.get("events", [])]
            cases.append(
                Case(
                    entry["id"],
                    rule,
                    events,
                    entry.get("match", []),
                    entry.get("error", ""),
                    entry.get("warning", ""),
                    int(entry.get("row", 0)),
                    entry.get("known", ""),
                    entry.get("placeholders"),
                )
            )
    assert len({case.id for case in cases}) == len(cases), f"tests/{folder}: an id is there twice"
    return cases


class Scenario(NamedTuple):
    """Whole files: documents, events, and what ``build.py match`` prints.

    ``match``: title of a rule -> the 0-based events that it matches. ``alerts``: of correlations, each with what is
    to be compared of a printed line (``title``, ``event``, ``group``, ``value``, ``time``, ``events``). ``findings``:
    the codes of what ``build.py check`` says, in its order.
    """

    id: str
    row: int
    text: str
    events: list[Row]
    match: dict[str, list[int]]
    alerts: list[dict[str, Any]]
    findings: list[str]


def scenarios() -> list[Scenario]:
    """Those of ``tests/scenarios``; ``text`` is the rules' file."""
    found = []
    for path, document in _documents("scenarios"):
        for entry in document:
            unknown = set(entry) - {*Scenario._fields, "why"}
            assert not unknown, f"{path}: {entry.get('id')}: unknown {unknown}"
            events = [row_of(event) for event in entry.get("events", [])]
            found.append(
                Scenario(
                    entry["id"],
                    int(entry["row"]),
                    entry["text"],
                    events,
                    entry.get("match", {}),
                    entry.get("alerts", []),
                    entry.get("findings", []),
                )
            )
    assert len({one.id for one in found}) == len(found)
    return found


def rule_cases() -> list[Case]:
    """A case for each of the project's own rules: its positive and negative events."""
    cases = []
    for path, document in _documents("rules"):
        if "correlation" in document:
            continue  # see ``sequences``
        events = [row_of(event) for event in [*document["positive"], *document["negative"]]]
        cases.append(
            Case(path.stem, _own_rule(document["rule"]), events, list(range(len(document["positive"]))), "", "")
        )
    return cases


def _own_rule(name: str) -> Any:
    (outcome,) = own_rule_outcomes(name)
    assert outcome.rule is not None, outcome.findings
    return outcome.document


def own_rule_outcomes(name: str) -> list[Outcome]:
    """What becomes of one of the project's own rule files."""
    return read_folders([ROOT / name]).outcomes


def row_of(event: Any) -> Row:
    """An event as a test has it. Numbers may be written bare in YAML; Splunk shows text."""
    return {
        str(key): [str(one) for one in value] if isinstance(value, list) else str(value) for key, value in event.items()
    }
