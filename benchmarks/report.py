"""``docs/performance.md``, written from the results of a run."""

from __future__ import annotations

from pathlib import Path

from . import tables
from .places import ROOT
from .results import Results

PAGE = ROOT / "docs" / "performance.md"

_INTRODUCTION = """# Performance

Written by `python -m benchmarks report` from the results of `make bench`; do not edit.

Every figure is a ratio of CPU times (or a rate in events per second of CPU) of child processes of one run,
taken in turns; median, with the least and the greatest value in brackets. Each run also compares the
matches with a second way of finding them, so that a fast wrong answer counts as a failure.
"""


def write(found: Results) -> list[Path]:
    """Write the page and return what was written."""
    PAGE.write_text("\n".join(_lines(found)), "utf-8")
    return [PAGE]


def _lines(found: Results) -> list[str]:
    machine = found.machine
    pythons = ", ".join(machine["pythons"])
    hardware = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}"
    lines = [_INTRODUCTION, f"Machine: {hardware}; Python {pythons}; {machine['date']}.\n"]
    lines += [tables.markdown(tables.HEADINGS, [tables.cells(row) for row in found.rows]), ""]
    if found.not_run:
        lines += ["## Not measured\n", *(f"- {name}: {reason}" for name, reason in sorted(found.not_run.items())), ""]
    profile = found.tables.get("profile")
    if profile:
        lines += [f"## Where the time goes (Python {profile['python']}, filter mode, set d)\n", _profile(profile), ""]
    return lines


def _profile(profile: dict[str, dict[str, object]]) -> str:
    functions = profile["filter"]["functions"]
    assert isinstance(functions, list)  # noqa: S101 - for the type checker
    rows = [
        [f"{one['module']} {one['function']}".strip(), f"{one['calls']:,}", f"{one['own']:.2f}"] for one in functions
    ]
    return tables.markdown(("function", "calls", "own seconds"), rows)
