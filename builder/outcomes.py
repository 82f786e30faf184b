"""What became of the documents of rule files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sigmaengine.correlation import Correlation
from sigmaengine.documents import CORRELATION, FILTER, RULE
from sigmaengine.filters import Filter
from sigmaengine.rule import Rule

from .findings import Finding

#: What messages and reports call the kinds of documents: one, several.
KINDS = {
    RULE: ("rule", "rules"),
    CORRELATION: ("correlation", "correlations"),
    FILTER: ("filter", "filters"),
}


@dataclass
class Outcome:
    """What became of one document of one file: of its ``kind`` it is None if it was refused.

    A document with an aggregation of Sigma 1 is of the kind correlation and has a rule too, whose
    matches are counted. ``filters``: ids of the filters that have changed the rule; ``rank``: orders
    correlations, so that inner ones come before those that list them.
    """

    path: str
    line: int
    rule: Rule | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    kind: str = RULE
    correlation: Correlation | None = None
    filter: Filter | None = None
    filters: list[str] = field(default_factory=list)
    rank: int = 0

    @property
    def meant(self) -> Rule | Correlation | Filter | None:
        """What the document is; None if it was refused."""
        by_kind = {CORRELATION: self.correlation, FILTER: self.filter}
        return by_kind.get(self.kind, self.rule)

    @property
    def id(self) -> str:
        """The document's id as far as it is known."""
        return self.meant.id if self.meant else _text(self.document, "id")

    @property
    def title(self) -> str:
        """The document's title as far as it is known."""
        return self.meant.title if self.meant else _text(self.document, "title")

    def refuse(self, *findings: Finding) -> None:
        """Take the document out of use."""
        self.rule = self.correlation = self.filter = None
        self.findings += findings


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
        """The documents in use that can match: rules and correlations."""
        return [outcome for outcome in self.outcomes if outcome.meant and outcome.kind != FILTER]

    @property
    def filters(self) -> list[Outcome]:
        """The filters in use."""
        return [outcome for outcome in self.outcomes if outcome.meant and outcome.kind == FILTER]

    @property
    def refused(self) -> list[Outcome]:
        """The documents that are not in use."""
        return [outcome for outcome in self.outcomes if not outcome.meant]

    @property
    def rules(self) -> list[Rule]:
        """The rules in use, filtered; those that a correlation of Sigma 1 counts included."""
        return [outcome.rule for outcome in self.outcomes if outcome.rule]

    @property
    def correlations(self) -> list[Correlation]:
        """The correlations in use, which name rules by their ids; inner ones before those that list them."""
        ranked = sorted(self.outcomes, key=lambda outcome: outcome.rank)
        return [outcome.correlation for outcome in ranked if outcome.correlation]

    @property
    def findings(self) -> list[Finding]:
        """Everything that was found: of the folders, then file by file."""
        return [*self.unread, *(finding for outcome in self.outcomes for finding in outcome.findings)]

    @property
    def counted(self) -> str:
        """How many documents of each kind there are, in words; rules always."""
        counts = {kind: sum(outcome.kind == kind for outcome in self.outcomes) for kind in KINDS}
        return ", ".join(f"{count} {KINDS[kind][1]}" for kind, count in counts.items() if count or kind == RULE)


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def has_errors_in(findings: Iterable[Finding]) -> bool:
    """True if one of the findings is an error."""
    return any(finding.severity == "error" for finding in findings)
