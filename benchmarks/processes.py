"""Child processes: the measured programs, and search commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .places import BUILT, CHILDREN


class ChildError(Exception):
    """A measured program failed; the message ends with what it wrote last."""


def run_child(name: str, python: str, **spec: Any) -> dict[str, Any]:
    """Run ``children/NAME.py`` with an interpreter and return its answer. Raises ChildError."""
    run = subprocess.run(
        [python, str(CHILDREN / f"{name}.py")],
        input=json.dumps(spec, default=str),
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
    )
    lines = run.stdout.splitlines()
    if run.returncode or not lines:
        raise ChildError(f"{name} failed: {run.stderr.strip()[-2000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def run_command(argv: Sequence[str], *, stdin: Path | None = None, feed: Sequence[str] = ()) -> dict[str, Any]:
    """Run a search command on a file of chunks, or on what the program ``feed`` writes.

    Returns its CPU seconds (``cpu``), peak memory (``peak``, KiB), the number of answers, the bytes in
    them, and what the inspector was told. Raises ChildError if it fails or reports an error.
    """
    folder = BUILT / "dispatch"
    folder.mkdir(parents=True, exist_ok=True)
    told = run_child("launch", sys.executable, argv=list(argv), stdin=stdin, feed=list(feed), cwd=str(folder))
    faults = [text for level, text in told["messages"] if level in ("ERROR", "FATAL")]
    if told["status"] or faults:
        raise ChildError(f"{Path(argv[-1]).name} ended with status {told['status']}: {'; '.join(faults)}")
    return told
