"""Whole files, by ``build.py check`` and ``build.py match``: filters, several documents, correlations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.builds import FINDING, run
from tests.support.cases import Scenario, scenarios

ALL = scenarios()


def laid_out(scenario: Scenario, folder: Path) -> list[str]:
    """The options of ``build.py match`` for a scenario's files."""
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yml").write_text(scenario.text, "utf-8")
    events = "".join(json.dumps(event) + "\n" for event in scenario.events)
    (folder / "events.jsonl").write_text(events, "utf-8")
    return ["--rules", str(folder / "rules"), str(folder / "events.jsonl")]


def compared(line: dict[str, Any], wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """Of an alert's line what the scenario names."""
    return {key: line[key] for key in (wanted[0] if wanted else line)}


#: By the command only what has alerts: a filtered or merged rule is any rule there.
RUNS = [(one, "engine") for one in ALL] + [(one, "command") for one in ALL if one.alerts]


@pytest.mark.parametrize(("scenario", "via"), RUNS, ids=[f"{one.id}-{via}" for one, via in RUNS])
def test_match(scenario: Scenario, via: str, tmp_path: Path) -> None:
    result = run("match", "--format", "jsonl", "--via", via, *laid_out(scenario, tmp_path))
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    matches: dict[str, list[int]] = {}
    for line in lines:
        if "group" not in line:
            matches.setdefault(line["title"], []).append(line["event"])
    assert matches == scenario.match, result.stderr
    alerts = [compared(line, scenario.alerts) for line in lines if "group" in line]
    assert alerts == scenario.alerts


@pytest.mark.parametrize("scenario", [one for one in ALL if one.findings], ids=[one.id for one in ALL if one.findings])
def test_findings(scenario: Scenario, tmp_path: Path) -> None:
    result = run("check", "--ignore", "convention", *laid_out(scenario, tmp_path)[:2])
    found = [FINDING.fullmatch(line) for line in result.stdout.splitlines()]
    assert [line["code"] for line in found if line] == scenario.findings
