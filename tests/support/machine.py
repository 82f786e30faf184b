"""What a machine has: interpreters, and the shared data beside the checkout. Tests and benchmarks look here."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

#: Splunk 9.4 and 10.0 run 3.9, later releases 3.13.
SPLUNK_PYTHONS = ("3.9", "3.13")

#: Real events, rules and recordings, which are no part of the project. ``SIGMA_MATCH_SHARED`` names
#: the folder where it does not lie beside the checkout.
SHARED = Path(os.environ.get("SIGMA_MATCH_SHARED", Path(__file__).resolve().parents[3] / "shared"))


@functools.cache
def interpreter(version: str) -> str | None:
    """The path of a Python ``version`` (such as 3.9) that runs, or None."""
    candidates = [shutil.which(f"python{version}")]
    root = _pyenv_root()
    if root:
        candidates += sorted((str(path) for path in root.glob(f"versions/{version}.*/bin/python3")), reverse=True)
    return next((path for path in candidates if path and release(path).rpartition(".")[0] == version), None)


def release(path: str) -> str:
    """The release of an interpreter, such as 3.13.0; empty if it does not run."""
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    run = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else ""


def _pyenv_root() -> Path | None:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return None
    run = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
    return Path(run.stdout.strip()) if run.returncode == 0 else None
