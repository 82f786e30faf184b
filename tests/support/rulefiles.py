"""Files of rules with a fault at a known line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from builder.findings import Finding
from builder.rulefiles import RuleFolder, read_folders

#: Stands in a rule at the end of the line that is at fault.
HERE = "  #!"
UUID = "00000000-0000-4000-8000-000000000001"


def rule(selection: str = "    Image: x", condition: str = "selection", rule_id: str = UUID, **said: str) -> str:
    """A rule without a fault, but for what is given; ``said``: lines that take the place of these keys."""
    parts = {
        "title": "title: A rule\n",
        "id": f"id: {rule_id}\n",
        "status": "status: test\n",
        "level": "level: low\n",
        "logsource": "logsource:\n  product: windows\n  category: process_creation\n",
        "detection": f"detection:\n  selection:\n{selection}\n  condition: {condition}\n",
    }
    return "".join({**parts, **said}.values())


def write(folder: Path, **files: str | bytes) -> Path:
    """``folder`` with these .yml files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def folder_of(path: Path, **files: str | bytes) -> RuleFolder:
    """What became of these files."""
    return read_folders([write(path, **files)])


def places(findings: Sequence[Finding], severity: str = "error") -> list[tuple[str, int, str]]:
    """(file name, line, code) of every finding of a severity."""
    return [(Path(one.path).name, one.line, one.code) for one in findings if one.severity == severity]


def of_case(case: str | tuple[str | bytes, int]) -> tuple[bytes, int]:
    """A case's file and the line of its fault."""
    if isinstance(case, str):
        return case.replace(HERE, "").encode(), 1 + case[: case.index(HERE)].count("\n")
    text, line = case
    return text if isinstance(text, bytes) else text.encode(), line
