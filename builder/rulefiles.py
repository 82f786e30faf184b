"""Folders of rule files -> rules, and what became of each.

A faulty rule never stops the others: everything that is found is in the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruletext import TextError, read_documents

from .findings import Finding, error, located

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
    """Every outcome of the folders that were read, in the order of their paths."""

    outcomes: list[Outcome]
    files: int

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
        """Everything that was found, file by file."""
        return [finding for outcome in self.outcomes for finding in outcome.findings]


def read_folders(
    paths: Sequence[Path],
    placeholders: Mapping[str, Sequence[str]] | None = None,
    progress: Progress = lambda done, total: None,
) -> RuleFolder:
    """Read every rule under ``paths`` (folders or files).

    A path that does not exist or holds no rule file is an outcome of its own, with an error.
    """
    outcomes: list[Outcome] = []
    files: list[tuple[str, Path]] = []
    for path in paths:
        found = list(_files(path))
        files += found
        if not found:
            reason = "there is no rule file (.yml, .yaml) in it" if path.exists() else "there is no such folder"
            outcomes.append(_refused(str(path), error(str(path), 1, "no-rules", reason)))
    for number, (name, path) in enumerate(files, 1):
        outcomes += _read_file(name, path, placeholders or {})
        progress(number, len(files))
    _refuse_repeated_ids(outcomes)
    return RuleFolder(outcomes, len(files))


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """(name to show, path), sorted by name so that no file system's order is seen."""
    if path.is_file():
        yield path.as_posix(), path
    elif path.is_dir():
        names = [found for found in path.rglob("*") if found.suffix.lower() in SUFFIXES and found.is_file()]
        for found in sorted(names, key=lambda name: name.as_posix()):
            if not any(part.startswith(".") for part in found.relative_to(path).parts):
                yield found.as_posix(), found


def _read_file(name: str, path: Path, placeholders: Mapping[str, Sequence[str]]) -> Iterator[Outcome]:
    documents = 0
    try:
        for document in read_documents(path.read_bytes()):
            documents += 1
            yield _outcome(name, document, placeholders)
    except TextError as fault:
        yield _refused(name, error(name, fault.line, fault.problem.code, fault.problem.message))
        return
    except OSError as fault:
        yield _refused(name, error(name, 1, "file-unreadable", f"cannot be read: {fault.strerror}"))
        return
    if not documents:
        yield _refused(name, error(name, 1, "not-a-rule", "the file is empty"))


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


def faulty(folder: RuleFolder) -> bool:
    """True if some rule cannot be used."""
    return bool(folder.refused) or has_errors_in(folder.findings)


def has_errors_in(findings: Iterable[Finding]) -> bool:
    """True if one of the findings is an error."""
    return any(finding.severity == "error" for finding in findings)
