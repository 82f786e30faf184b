"""The Pythons that Splunk has, as far as this machine has them too."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

#: Splunk 9.4 and 10.0 run 3.9, later releases 3.13.
SPLUNK_PYTHONS = ("3.9", "3.13")


@functools.cache
def interpreter(version: str) -> str | None:
    """The path of a Python ``version`` that runs, or None."""
    candidates = [shutil.which(f"python{version}")]
    root = _pyenv_root()
    if root:
        candidates += sorted((str(path) for path in root.glob(f"versions/{version}.*/bin/python3")), reverse=True)
    return next((path for path in candidates if path and _is(path, version)), None)


def _pyenv_root() -> Path | None:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return None
    run = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
    return Path(run.stdout.strip()) if run.returncode == 0 else None


def _is(path: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    run = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return run.returncode == 0 and run.stdout.strip() == version


def splunk_python(version: str) -> str:
    """The path of Splunk's Python ``version``; skips the test where it is not installed."""
    path = interpreter(version)
    if path is None:
        pytest.skip(f"Python {version} is not installed")
    return path
