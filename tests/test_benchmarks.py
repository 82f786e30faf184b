"""The benchmarks start, and say what they cannot measure here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.registry import MEASURES
from builder.paths import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m benchmarks`` with arguments."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_measurement_is_listed() -> None:
    listed = run("--list")
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(MEASURES)


def test_what_cannot_be_measured_is_named(tmp_path: Path) -> None:
    told = run("--quick", "--only", "recording", SIGMA_MATCH_SHARED=str(tmp_path / "none"))
    assert told.returncode == 0, told.stderr
    assert "not run: recording: needs the shared data" in told.stdout
