"""What ``build.py check`` prints: text, JSON, or SARIF 2.1.0.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from builder.findings import Finding
from builder.outcomes import Outcome, RuleFolder
from builder.texts import json_bytes

from .registry import TOPICS, Code, codes

Found = Sequence[tuple["Outcome | None", Finding]]
#: The schema that the output follows.
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_text(folder: RuleFolder, found: Found, version: str) -> Iterator[str]:  # noqa: ARG001 - of the reporters' form
    """A line for each finding: ``path:line: severity CODE: message``."""
    for _, finding in found:
        yield str(finding)


def as_json(folder: RuleFolder, found: Found, version: str) -> Iterator[bytes]:
    """One object; docs/check.md has its form."""
    yield json_bytes(
        {
            "version": 1,
            "tool": {"name": "Sigma Match", "version": version},
            "summary": {
                "files": folder.files,
                "documents": len(folder.outcomes),
                "refused": len(folder.refused),
                "errors": _count(found, "error"),
                "warnings": _count(found, "warning"),
            },
            "findings": [
                {
                    "path": finding.path,
                    **finding.as_json(),
                    "rule_id": outcome.id if outcome else "",
                    "title": outcome.title if outcome else "",
                }
                for outcome, finding in found
            ],
        },
        indent=1,
    )


def as_sarif(folder: RuleFolder, found: Found, version: str) -> Iterator[bytes]:  # noqa: ARG001 - as above
    """One run, with a rule for each code that was found."""
    order = list(dict.fromkeys(finding.code for _, finding in found))
    yield json_bytes(
        {
            "$schema": SARIF_SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "Sigma Match",
                            "semanticVersion": version,
                            "rules": [_described(codes()[code]) if code in codes() else {"id": code} for code in order],
                        }
                    },
                    "columnKind": "unicodeCodePoints",
                    "results": [_result(finding, order.index(finding.code), outcome) for outcome, finding in found],
                }
            ],
        },
        indent=1,
    )


def _described(entry: Code) -> dict[str, Any]:
    shown = f"\n\nExample:\n\n{entry.example}\nBetter:\n\n{entry.fixed}" if entry.example else ""
    marked = f"\n\n```yaml\n{entry.example}```\n\nBetter:\n\n```yaml\n{entry.fixed}```\n" if entry.example else ""
    return {
        "id": entry.code,
        "shortDescription": {"text": entry.what},
        "fullDescription": {"text": f"{entry.what} {entry.why}"},
        "help": {"text": f"{entry.why} {entry.do}{shown}", "markdown": f"{entry.why}\n\n**{entry.do}**{marked}"},
        "defaultConfiguration": {"level": entry.severity.split()[0]},
        "properties": {"tags": [TOPICS[entry.topic]]},
    }


def _result(finding: Finding, index: int, outcome: Outcome | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _relative(finding.path)},
                    "region": {"startLine": finding.line},
                }
            }
        ],
    }
    if outcome and outcome.id:
        result["properties"] = {"sigmaRuleId": outcome.id, "sigmaRuleTitle": outcome.title}
    return result


def _relative(path: str) -> str:
    """A path as a relative URI reference."""
    relative = os.path.relpath(path) if Path(path).is_absolute() else path
    return quote(os.fsencode(Path(relative).as_posix()))


def _count(found: Found, severity: str) -> int:
    return sum(finding.severity == severity for _, finding in found)


REPORTERS: dict[str, Callable[[RuleFolder, Found, str], Iterator[str] | Iterator[bytes]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
}
