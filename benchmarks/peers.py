"""The environments of the other Sigma engines: one for each Python on which they install."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable

from .places import PEERS, ROOT, NotRunError, interpreter

REQUIREMENTS = ROOT / "requirements-bench.txt"


def set_up(versions: Iterable[str]) -> list[str]:
    """Make what is missing or older than its list of packages; a line for each version."""
    told = []
    for version in versions:
        try:
            told.append(f"Python {version}: {_set_up(version)}")
        except NotRunError as missing:
            told.append(f"Python {version}: not made, {missing}")
    return told


def _set_up(version: str) -> str:
    if tuple(map(int, version.split("."))) < (3, 11):
        raise NotRunError("the other engines need Python 3.10, and their pySigma 3.11")
    folder = PEERS / version
    stamp = folder / ".complete"
    if stamp.exists() and stamp.stat().st_mtime >= REQUIREMENTS.stat().st_mtime:
        return "there already"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([interpreter(version), "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run = subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise NotRunError(f"pip failed: {run.stderr.strip().splitlines()[-1]}")
    stamp.touch()
    return "made"
