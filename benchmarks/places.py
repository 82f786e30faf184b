"""Where things lie, what of them is missing, and the interpreters."""

from __future__ import annotations

import functools
from pathlib import Path

from tests.support import machine
from tests.support.machine import SHARED, SPLUNK_PYTHONS

__all__ = ["SHARED", "SPLUNK_PYTHONS"]

ROOT = Path(__file__).resolve().parent.parent
CHILDREN = Path(__file__).resolve().parent / "children"
RESULTS = Path(__file__).resolve().parent / "results.json"
QUICK_RESULTS = Path(__file__).resolve().parent / "results-quick.json"
#: What is built for the benchmarks, to be deleted at will.
BUILT = ROOT / "build" / "bench"
PEERS = ROOT / ".venv-bench"


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
    found = machine.interpreter(version)
    if found is None:
        raise NotRunError(f"Python {version} is not installed")
    return found


def full_version(version: str) -> str:
    """The release of a Python ``version``, such as 3.13.0. Raises NotRunError."""
    return machine.release(interpreter(version))


def peer_python(version: str) -> str:
    """The interpreter of the environment of the other engines. Raises NotRunError."""
    path = PEERS / version / "bin" / "python"
    if not (PEERS / version / ".complete").exists():
        raise NotRunError(f"needs the other engines for Python {version}: python -m benchmarks setup")
    return str(path)
