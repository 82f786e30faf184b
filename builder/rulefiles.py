"""Folders of rule files -> rules, and what became of each.

A faulty rule never stops the others: everything that is found is in the outcomes, or, where it is
about a folder, in ``RuleFolder.unread``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sigmaengine.rule import Rule, read_rule

from .findings import Finding, error, located
from .yamlfiles import YamlFileError, documents

SUFFIXES = (".yml", ".yaml")

#: Called with the number of files done and of all files.
Progress = Callable[[int, int], None]


@dataclass
class Outcome:
    """What became of one document of one file. ``rule`` is None if it was refused."""

    path: str
    line: int
    rule: Rule | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The rule's id as far as it is known."""
        return self.rule.id if self.rule else _text(self.document, "id")

    @property
    def title(self) -> str:
        """The rule's title as far as it is known."""
        return self.rule.title if self.rule else _text(self.document, "title")


@dataclass
class RuleFolder:
    """Every outcome of the folders that were read, in the order of their paths.

    ``files``: how many were read; ``unread``: what is wrong with folders.
    """

    outcomes: list[Outcome]
    files: int
    unread: list[Finding] = field(default_factory=list)

    @property
    def accepted(self) -> list[Outcome]:
        """The documents that are rules in use."""
        return [outcome for outcome in self.outcomes if outcome.rule]

    @property
    def refused(self) -> list[Outcome]:
        """The documents that are not."""
        return [outcome for outcome in self.outcomes if not outcome.rule]

    @property
    def rules(self) -> list[Rule]:
        """The rules in use."""
        return [outcome.rule for outcome in self.outcomes if outcome.rule]

    @property
    def findings(self) -> list[Finding]:
        """Everything that was found: of the folders, then file by file."""
        return [*self.unread, *(finding for outcome in self.outcomes for finding in outcome.findings)]


def read_folders(
    paths: Sequence[Path],
    placeholders: Mapping[str, Sequence[str]] | None = None,
    progress: Progress = lambda done, total: None,
    base: Path | None = None,
) -> RuleFolder:
    """Read every rule under ``paths`` (folders or files), each file once.

    Files are called by their path as it was given, or from ``base``, which holds them all.
    A path that does not exist or holds no rule file is an error.
    """
    found = _Found()
    for path in paths:
        found.add(path)
    outcomes: list[Outcome] = []
    for number, path in enumerate(found.files, 1):
        name = (path.relative_to(base) if base else path).as_posix()
        outcomes += _read_file(name, path, placeholders or {})
        progress(number, len(found.files))
    _refuse_repeated_ids(outcomes)
    return RuleFolder(outcomes, len(found.files), found.faults)


class _Found:
    """Rule files, in an order that no file system decides."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.faults: list[Finding] = []
        self._seen: set[str] = set()

    def add(self, path: Path) -> None:
        """Find what lies under ``path``."""
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            self._fault(path, "no-rules", "there is no such folder or file")
        except OSError as fault:
            self._fault(path, "no-rules", f"cannot be read: {fault.strerror}")
        else:
            self._add_files(self._files_in(path) if stat.S_ISDIR(mode) else [path])

    def _files_in(self, folder: Path) -> list[Path]:
        files: list[Path] = []
        faults_before = len(self.faults)
        walked: set[str] = set()
        for place, folders, names in os.walk(folder, onerror=self._unlistable, followlinks=True):
            # Links may lead to where they lie, and on in a circle.
            folders[:] = [] if _is_repeated(place, walked) else sorted(name for name in folders if name[0] != ".")
            files += [Path(place, name) for name in names if Path(name).suffix.lower() in SUFFIXES and name[0] != "."]
        if not files and len(self.faults) == faults_before:
            self._fault(folder, "no-rules", "there is no rule file (.yml, .yaml) in it")
        return sorted(files, key=Path.as_posix)

    def _add_files(self, paths: Iterable[Path]) -> None:
        self.files += [path for path in paths if not _is_repeated(path, self._seen)]

    def _unlistable(self, fault: OSError) -> None:
        self._fault(Path(fault.filename), "folder-unreadable", f"cannot be listed: {fault.strerror}")

    def _fault(self, path: Path, code: str, message: str) -> None:
        self.faults.append(error(path.as_posix(), 1, code, message))


def _is_repeated(path: Path | str, seen: set[str]) -> bool:
    """True if ``path`` leads to what is in ``seen``, where it is from now on."""
    real = os.path.realpath(path)
    repeated = real in seen
    seen.add(real)
    return repeated


def _read_file(name: str, path: Path, placeholders: Mapping[str, Sequence[str]]) -> Iterator[Outcome]:
    read, override = 0, 0
    try:
        for document in documents(path, name):
            read += 1
            outcome = _outcome(name, document, placeholders)
            override = _override_line(outcome, override)
            if override and outcome.rule:
                message = (
                    f"the document on line {override} ('action: global') is meant to change this rule;"
                    " 'action' documents are not supported yet"
                )
                outcome.findings.append(error(name, outcome.line, "document-kind", message))
                outcome.rule = None
            yield outcome
    except YamlFileError as fault:
        yield _refused(name, fault.finding)
        return
    if not read:
        yield _refused(name, error(name, 1, "not-a-rule", "the file is empty"))


def _override_line(outcome: Outcome, earlier: int) -> int:
    """The line of the ``action: global`` document that is in force behind this document, or 0."""
    action = outcome.document.get("action")
    return {"global": outcome.line, "reset": 0}.get(action, earlier) if isinstance(action, str) else earlier


def _outcome(name: str, document: Any, placeholders: Mapping[str, Sequence[str]]) -> Outcome:
    rule, problems = read_rule(document, placeholders)
    findings = located(name, document, problems)
    known = document if isinstance(document, Mapping) else {}
    return Outcome(name, getattr(document, "line", 1), rule, known, findings)


def _refused(name: str, finding: Finding) -> Outcome:
    return Outcome(name, finding.line, findings=[finding])


def _refuse_repeated_ids(outcomes: Iterable[Outcome]) -> None:
    first: dict[str, Outcome] = {}
    for outcome in outcomes:
        if outcome.rule is None:
            continue
        earlier = first.setdefault(outcome.rule.id.lower(), outcome)
        if earlier is not outcome:
            message = (
                f"the id {outcome.rule.id} is that of {earlier.path}:{earlier.line} already; this rule is left out"
            )
            line = getattr(outcome.document, "lines", {}).get("id", outcome.line)
            outcome.findings.append(error(outcome.path, line, "id-duplicate", message))
            outcome.rule = None


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def has_errors_in(findings: Iterable[Finding]) -> bool:
    """True if one of the findings is an error."""
    return any(finding.severity == "error" for finding in findings)
