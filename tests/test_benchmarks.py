"""The benchmarks start, measure what a clone alone has, and say what they cannot measure there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import charts, figures
from benchmarks.registry import JUDGED, MEASURES
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
    assert set(JUDGED) < set(MEASURES)


def test_without_shared_data(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    told = run(
        *("--quick", "--repeats", "1", "--only", "recording", "--only", "raw", "--python", version),
        *("--results", str(path)),
        SIGMA_MATCH_SHARED=str(tmp_path / "none"),
    )
    assert told.returncode == 0, told.stderr
    assert "not run: recording: needs the shared data" in told.stdout
    rows = json.loads(path.read_text("utf-8"))["rows"]
    assert [row["measure"] for row in rows] == ["raw"] * 4, told.stdout
    assert all(row["value"]["median"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("better", "value", "verdict"),
    [
        ("higher", 3.9, "missed"),
        ("higher", 4.0, "reached"),
        ("higher", 7.0, "beyond"),
        ("lower", 8.0, "missed"),
        ("lower", 4.0, "beyond"),
    ],
)
def test_verdicts(better: str, value: float, verdict: str) -> None:
    bars = (4, 7) if better == "higher" else (7, 4)
    row = figures.Row("m", "t", "3.13", figures.Sample("x", [0.0, value, 99.0]), better, *bars)
    assert row.verdict == verdict
    assert figures.row_from_json(json.loads(json.dumps(row.to_json()))) == row


def test_sides_are_measured_in_turns() -> None:
    order: list[str] = []
    figures.interleaved(2, {name: lambda _, name=name: order.append(name) for name in "ab"})
    assert order == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    "drawing",
    [
        charts.bars("a < b", [charts.Bar("x & y", 0.01, 2, "1x"), charts.Bar("z", 99, None, "99x")]),
        charts.lines("t", "x", "y", [charts.Series("s", [(100, 3.5), (20_000, 41)])]),
    ],
    ids=["bars", "lines"],
)
def test_charts_are_well_formed(drawing: str) -> None:
    assert ET.fromstring(drawing).tag.endswith("svg")  # noqa: S314 - our own
