"""``results.json``: what was measured, on what machine, and what was not."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from .figures import Row, row_from_json
from .places import NotRunError, full_version

FORMAT = 1


@dataclass
class Results:
    """The rows and tables of one or more runs; a measurement made again replaces its earlier rows."""

    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)

    def forget(self, measure: str) -> None:
        """Forget what an earlier run found by this measurement."""
        self.rows = [row for row in self.rows if row.measure != measure]
        self.not_run.pop(measure, None)
        self.notes.pop(measure, None)
        # Tables of a Python each, such as "rules 3.9"; the others are replaced as a whole.
        self.tables = {name: table for name, table in self.tables.items() if not name.startswith(f"{measure} ")}

    def write(self, path: Path) -> None:
        """Write all of it."""
        content = {
            "format": FORMAT,
            "machine": self.machine,
            "rows": [row.to_json() for row in self.rows],
            "tables": self.tables,
            "notes": self.notes,
            "not_run": self.not_run,
        }
        path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def read(path: Path) -> Results | None:
    """What an earlier run wrote; None if there is none, or of another format."""
    if not path.exists():
        return None
    content = json.loads(path.read_text("utf-8"))
    if content.get("format") != FORMAT:
        return None
    rows = [row_from_json(row) for row in content["rows"]]
    return Results(content["machine"], rows, content["tables"], content["notes"], content["not_run"])


def machine(pythons: Sequence[str]) -> dict[str, Any]:
    """The machine as far as its speed depends on it; nothing that names it."""
    releases = []
    for version in pythons:
        try:
            releases.append(full_version(version))
        except NotRunError:
            continue
    cores = os.cpu_count()
    return {
        "cpu": _cpu_model(),
        "cores": cores,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "pythons": releases,
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day where the machine stands
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
