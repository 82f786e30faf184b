"""Splunk's AppInspect and slim, and ksconf, in the environments that `make env-inspect` makes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from builder.paths import ROOT
from tests.packaging.allowlist import read_patterns, unmatched

ALLOWED = ROOT / "tests" / "packaging"


def tool(environment: str, name: str) -> Path:
    """The program ``name`` of one of the environments of `make env-inspect`; skips the test without it."""
    program = ROOT / environment / "bin" / name
    if not program.exists():
        reason = f"{name} is not installed: make env-inspect"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


def run_tool(program: Path, *arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a tool that may write to the user's home, which is put into ``home``."""
    return subprocess.run(
        [str(program), *map(str, arguments)],
        cwd=home,
        env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def check_appinspect(archive: Path, folder: Path, *more: str) -> None:
    """Inspect a package: no error, no failure, no future failure, and exactly the warnings on the allow-lists.

    ``folder`` is for what AppInspect writes; ``more`` names allow-lists beside the one for every package.
    """
    program = tool(".venv-appinspect", "splunk-appinspect")
    report = folder / "report.json"
    flags = ["--mode", "precert", "--ci", "--skip-trusted-libraries-update"]
    output = ["--data-format", "json", "--max-messages", "all", "--output-file", report]
    run = run_tool(program, "inspect", archive, *flags, *output, home=folder)
    if "failed to find libmagic" in run.stderr + run.stdout and os.environ.get("CI") != "true":
        pytest.skip("AppInspect needs the system library libmagic; on Debian: apt-get install libmagic1")
    assert report.exists(), run.stdout + run.stderr
    content = json.loads(report.read_text(encoding="utf-8"))
    checks = [check for part in content["reports"] for group in part["groups"] for check in group["checks"]]
    found = {
        result: [
            f"{check['name']} | {message['message']}"
            for check in checks
            for message in check["messages"]
            if message["result"] == result
        ]
        for result in ("error", "failure", "future_failure", "warning")
    }
    lists = ("appinspect-allowed.txt", *more)
    allowed = [pattern for name in lists for pattern in read_patterns(ALLOWED / name)]
    warnings = found.pop("warning")
    assert found == {"error": [], "failure": [], "future_failure": []}
    assert [content["summary"][result] for result in found] == [0, 0, 0]
    assert content["summary"]["success"] > 0
    assert unmatched(warnings, allowed) == ([], [])
