"""Folders of rule files -> rules, correlations and filters, and what became of each.

A faulty document never stops the others: everything that is found is in the outcomes, or, where it is
about a folder, in ``RuleFolder.unread``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sigmaengine.aggregation import has_aggregation, place, read_aggregated
from sigmaengine.correlation import read_correlation
from sigmaengine.documents import CORRELATION, FILTER, NOTHING, RULE, Resolved, resolved
from sigmaengine.filters import read_filter
from sigmaengine.problems import ERROR, Problem
from sigmaengine.rule import read_rule

from .findings import Finding, error, located
from .joining import join
from .outcomes import Outcome, RuleFolder, has_errors_in
from .rulepaths import RulePaths
from .yamlfiles import YamlFileError, documents

__all__ = ["Outcome", "Progress", "RuleFolder", "has_errors_in", "read_folders"]

#: Called with the number of files done and of all files.
Progress = Callable[[int, int], None]
_Placeholders = Mapping[str, Sequence[str]]


def read_folders(
    paths: Sequence[Path],
    placeholders: _Placeholders | None = None,
    progress: Progress = lambda done, total: None,
    base: Path | None = None,
) -> RuleFolder:
    """Read every document under ``paths`` (folders or files), each file once.

    Files are called by their path as it was given, or from ``base``, which holds them all.
    A path that does not exist or holds no rule file is an error.
    """
    found = RulePaths()
    for path in paths:
        found.add(path)
    outcomes: list[Outcome] = []
    for number, path in enumerate(found.files, 1):
        name = (path.relative_to(base) if base else path).as_posix()
        outcomes += _read_file(name, path, placeholders or {})
        progress(number, len(found.files))
    join(outcomes)
    return RuleFolder(outcomes, len(found.files), found.faults)


def _read_file(name: str, path: Path, placeholders: _Placeholders) -> Iterator[Outcome]:
    read = 0
    try:
        for one in resolved(documents(path, name)):
            read += 1
            yield _outcome(name, one, placeholders)
    except YamlFileError as fault:
        yield _refused(name, fault.finding)
        return
    if not read:
        yield _refused(name, error(name, 1, "not-a-rule", "the file is empty"))


def _outcome(name: str, one: Resolved, placeholders: _Placeholders) -> Outcome:
    document = one.document
    known = document if isinstance(document, Mapping) else {}
    kind = CORRELATION if one.kind == RULE and has_aggregation(document) else one.kind
    outcome = Outcome(name, getattr(document, "line", 1), document=known, kind=kind or RULE)
    problems = one.problems + _READERS[CORRELATION_OF_1 if kind != one.kind else kind](outcome, document, placeholders)
    outcome.findings += located(name, document, problems)
    return outcome


def _read_nothing(_: Outcome, __: Any, ___: _Placeholders) -> list[Problem]:
    return []


def _read_rule(outcome: Outcome, document: Any, placeholders: _Placeholders) -> list[Problem]:
    outcome.rule, problems = read_rule(document, placeholders)
    return problems


def _read_filter(outcome: Outcome, document: Any, placeholders: _Placeholders) -> list[Problem]:
    outcome.filter, problems = read_filter(document, placeholders)
    return problems


def _read_correlation(outcome: Outcome, document: Any, _: _Placeholders) -> list[Problem]:
    outcome.correlation, problems = read_correlation(document)
    return problems


def _read_aggregated(outcome: Outcome, document: Any, placeholders: _Placeholders) -> list[Problem]:
    aggregated, problems = read_aggregated(document, placeholders)
    if aggregated is None:
        return problems
    outcome.correlation, more = read_correlation(aggregated.correlation)
    outcome.rule = aggregated.rule if outcome.correlation else None
    # What the document says about itself was looked at with its rule.
    said = [problem for problem in more if problem.severity == ERROR or problem.where[:1] == ("correlation",)]
    return problems + [problem._replace(where=place(problem.where)) for problem in said]


CORRELATION_OF_1 = "correlation of Sigma 1"
_READERS: dict[str, Callable[[Outcome, Any, _Placeholders], list[Problem]]] = {
    RULE: _read_rule,
    FILTER: _read_filter,
    CORRELATION: _read_correlation,
    CORRELATION_OF_1: _read_aggregated,
    NOTHING: _read_nothing,
}


def _refused(name: str, finding: Finding) -> Outcome:
    return Outcome(name, finding.line, findings=[finding])
