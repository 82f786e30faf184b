"""The oracle's processes, and how much is asked of them.

``make conformance`` sets ``SIGMA_MATCH_CONFORMANCE=all`` and takes minutes; ``make test`` runs the same tests on a
part of the rules and examples, in seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from builder.paths import ROOT

#: True where everything is to be compared, and not a part that takes seconds.
EVERYTHING = os.environ.get("SIGMA_MATCH_CONFORMANCE") == "all"

PYTHON = ROOT / ".venv-conformance" / "bin" / "python"
PROGRAM = Path(__file__).resolve().parent / "oracle"


def examples(part: int, everything: int) -> int:
    """How many examples a test tries."""
    return everything if EVERYTHING else part


class Oracle:
    """One process of the oracle. It is started at once and answers in the order in which it is asked."""

    def __init__(self) -> None:
        if not PYTHON.exists():
            pytest.skip("needs the other engine in .venv-conformance, which has no Python 3.11 here or was not made")
        # pySigma's regular expressions complain a lot; what they say is shown if the process ends.
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            [str(PYTHON), str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            encoding="utf-8",
        )

    def ask(self, **request: Any) -> None:
        """Hand over a request, and go on with something else."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request, default=str) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The answer to the oldest request that has none."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the oracle has ended with status {self.process.wait()}:\n{self._complaints()}"
        found: dict[str, Any] = json.loads(line)
        return found

    def _complaints(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")[-5000:]

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.errors.close()
