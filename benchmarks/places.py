"""Where things lie, what of them is missing, and the interpreters."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHILDREN = Path(__file__).resolve().parent / "children"
RESULTS = Path(__file__).resolve().parent / "results.json"
QUICK_RESULTS = Path(__file__).resolve().parent / "results-quick.json"
#: What is built for the benchmarks, to be deleted at will.
BUILT = ROOT / "build" / "bench"
PEERS = ROOT / ".venv-bench"
#: Real events, rules and recordings, which are no part of the project; found as the tests find them.
SHARED = Path(os.environ.get("SIGMA_MATCH_SHARED", ROOT.parent / "shared"))

#: Splunk 9.4 and 10.0 run 3.9, later releases 3.13.
SPLUNK_PYTHONS = ("3.9", "3.13")


class NotRunError(Exception):
    """A measurement cannot be made here; the message names what is missing."""


def shared(name: str) -> Path:
    """A file of the shared data. Raises NotRunError."""
    path = SHARED / name
    if not path.exists():
        raise NotRunError(f"needs the shared data ({name}), which is not here")
    return path


@functools.cache
def interpreter(version: str) -> str:
    """The path of a Python ``version`` that runs. Raises NotRunError."""
    candidates = [shutil.which(f"python{version}")]
    root = _pyenv_root()
    if root:
        candidates += sorted((str(path) for path in root.glob(f"versions/{version}.*/bin/python3")), reverse=True)
    found = next((path for path in candidates if path and _version(path)[0] == version), None)
    if found is None:
        raise NotRunError(f"Python {version} is not installed")
    return found


@functools.cache
def full_version(version: str) -> str:
    """The release of a Python ``version``, such as 3.13.0. Raises NotRunError."""
    return _version(interpreter(version))[1]


def _pyenv_root() -> Path | None:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return None
    run = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
    return Path(run.stdout.strip()) if run.returncode == 0 else None


def _version(path: str) -> tuple[str, str]:
    code = "import sys; print('%d.%d' % sys.version_info[:2], '%d.%d.%d' % sys.version_info[:3])"
    run = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    first, _, second = run.stdout.strip().partition(" ")
    return (first, second) if run.returncode == 0 else ("", "")


def peer_python(version: str) -> str:
    """The interpreter of the environment of the other engines. Raises NotRunError."""
    path = PEERS / version / "bin" / "python"
    if not (PEERS / version / ".complete").exists():
        raise NotRunError(f"needs the other engines for Python {version}: python -m benchmarks setup")
    return str(path)
