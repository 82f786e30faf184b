"""The build report: what became of every document, for programs and for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sigmaengine.rule import LogSource

from .mappings import Mappings
from .outcomes import KINDS, Outcome, RuleFolder
from .searches.changes import logic_hash
from .searches.plan import Searches
from .texts import escaped, json_bytes

FILE = "build-report.json"
# How many of a kind the summary for people names before it refers to the report.
_SHOWN = 10


def build_report(
    folder: RuleFolder, mappings: Mappings, version: str, digest: str, searches: Searches
) -> dict[str, Any]:
    """The report as JSON. Holds no time and no machine, so that two builds write the same."""
    unmapped, kinds = unmapped_logsources(folder, mappings), searches.kinds()
    return {
        "app": {"id": "sigma_match", "version": version, "ruleset": digest},
        "summary": {
            "files": folder.files,
            "documents": len(folder.outcomes),
            **{several: _count(folder.outcomes, kind) for kind, (_, several) in KINDS.items()},
            "accepted": len(folder.accepted) + len(folder.filters),
            "refused": len(folder.refused),
            "warnings": sum(finding.severity == "warning" for finding in folder.findings),
            "refusals": dict(sorted(refusal_codes(folder).items())),
            "logsources": len({rule.logsource for rule in folder.rules}),
            "unmapped_logsources": len(unmapped),
        },
        "unmapped_logsources": [
            {"logsource": str(source), "rules": count} for source, count in sorted(unmapped.items())
        ],
        "searches": searches.report(),
        "folders": [{"path": finding.path, "findings": [finding.as_json()]} for finding in folder.unread],
        "rules": [_entry(outcome, kinds.get(outcome.id, "")) for outcome in folder.outcomes],
    }


def _count(outcomes: Iterable[Outcome], kind: str) -> int:
    return sum(outcome.kind == kind for outcome in outcomes)


def _entry(outcome: Outcome, search: str) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "path": outcome.path,
        "line": outcome.line,
        "id": outcome.id,
        "title": outcome.title,
        "logsource": str(outcome.rule.logsource) if outcome.rule else "",
        "status": "accepted" if outcome.meant else "refused",
        "level": getattr(outcome.meant, "level", ""),
        "rule_status": getattr(outcome.meant, "status", ""),
        "logic": logic_hash(outcome),
        "search": search if outcome.meant else "",
        "filters": outcome.filters,
        "findings": [finding.as_json() for finding in outcome.findings],
    }


def write_report(report: dict[str, Any]) -> bytes:
    """The report's file."""
    return json_bytes(report, indent=1) + b"\n"


def refusal_codes(folder: RuleFolder) -> Counter[str]:
    """Code of the error -> number of documents refused for it."""
    return Counter(
        code
        for outcome in folder.refused
        for code in {finding.code for finding in outcome.findings if finding.severity == "error"}
    )


def unmapped_logsources(folder: RuleFolder, mappings: Mappings) -> Counter[LogSource]:
    """Log sources of accepted rules that no event is known to be of -> number of rules."""
    routing = mappings.routing
    sources = Counter(rule.logsource for rule in folder.rules)
    return Counter({source: count for source, count in sources.items() if not routing.is_mapped(source)})


def summary_lines(folder: RuleFolder, mappings: Mappings) -> list[str]:
    """The summary for people."""
    lines = [
        (
            f"{folder.counted} in {folder.files} files:"
            f" {len(folder.accepted) + len(folder.filters)} accepted, {len(folder.refused)} refused"
        )
    ]
    lines += [f"  refused: {count} x {code}" for code, count in refusal_codes(folder).most_common()]
    lines += _filter_lines(folder)
    unmapped = unmapped_logsources(folder, mappings)
    if unmapped:
        lines.append(
            f"{sum(unmapped.values())} rules of {len(unmapped)} log sources without a mapping match only where a"
            " search names the log source (logsource=):"
        )
        lines += _some(f"  {escaped(str(source))}: {count}" for source, count in unmapped.most_common())
    return lines


def _filter_lines(folder: RuleFolder) -> Iterable[str]:
    reached = Counter(one for outcome in folder.outcomes for one in outcome.filters)
    return _some(
        f"  filter {escaped(outcome.title)}: changes {reached[outcome.id]} rules" for outcome in folder.filters
    )


def _some(lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    more = len(listed) - _SHOWN
    return listed[:_SHOWN] + ([f"  and {more} more, see {FILE}"] if more > 0 else [])
