"""``build.py check``: what is wrong with rules, what is probably not meant, what could be said better.

Faults that make a rule unusable are found by those who read rules (``sigmaengine``, ``builder``); the
checks here give warnings alone. ``registry`` says what there is to say about each code, faults
included. Modules, lowest first: ``attack``, ``relations``, ``detections``, ``formulas``, ``subject``,
the checks (``logic``, ``values``, ``regexes``, ``metadata``, ``tags``, ``sources``), this one;
``registry``, ``reporters``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from builder.attack import read_attack
from builder.findings import Finding, located
from builder.outcomes import Outcome, RuleFolder
from sigmaengine.problems import Problem
from sigmaengine.routing import RoutingTable

from .logic import check_logic
from .metadata import (
    check_dates,
    check_false_positives,
    check_file_name,
    check_keys,
    check_missing,
    check_references,
    check_related,
    check_spelling,
    check_status,
    check_title,
)
from .regexes import check_regexes
from .sources import check_fields, check_logsource
from .subject import Check, Knowledge, Subject, warning
from .tags import check_tags
from .values import check_values

CHECKS: tuple[Check, ...] = (
    check_keys,
    check_dates,
    check_related,
    check_references,
    check_status,
    check_spelling,
    check_missing,
    check_title,
    check_false_positives,
    check_file_name,
    check_tags,
    check_logsource,
    check_fields,
    check_values,
    check_regexes,
    check_logic,
)
#: Without one of these a document is nothing of Sigma's, and its reader has said so.
_KINDS = ("detection", "correlation", "filter")


def lint(
    folder: RuleFolder, routing: RoutingTable, placeholders: Mapping[str, Sequence[str]]
) -> list[tuple[Outcome | None, Finding]]:
    """Everything there is to say of the rules: (whose it is, finding), file by file, by line.

    Raises AttackDataError.
    """
    knowledge = Knowledge(routing, read_attack(), placeholders)
    titles: dict[str, Outcome] = {}
    found: list[tuple[Outcome | None, Finding]] = [(None, finding) for finding in folder.unread]
    for outcome in folder.outcomes:
        problems = [*_checked(outcome, knowledge), *_repeated_title(outcome, titles)]
        findings = [*outcome.findings, *located(outcome.path, outcome.document, problems)]
        found += [(outcome, finding) for finding in sorted(findings, key=lambda finding: finding.line)]
    return found


def _checked(outcome: Outcome, knowledge: Knowledge) -> Iterator[Problem]:
    document = outcome.document
    if "action" in document or not any(kind in document for kind in _KINDS):
        return
    subject = Subject(outcome.path, document, outcome.meant is not None, knowledge)
    for check in CHECKS:
        yield from check(subject)


def _repeated_title(outcome: Outcome, titles: dict[str, Outcome]) -> Iterable[Problem]:
    if outcome.meant is None or not isinstance(outcome.document.get("title"), str):
        return
    title = " ".join(outcome.document["title"].lower().split())
    first = titles.setdefault(title, outcome)
    if title and first is not outcome:
        yield warning("title-duplicate", f"the title is that of {first.path}:{first.line} already", ("title",))
