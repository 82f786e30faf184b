"""The Pythons that Splunk has, as far as this machine has them too."""

from __future__ import annotations

import pytest

from tests.support.machine import SPLUNK_PYTHONS, interpreter

__all__ = ["SPLUNK_PYTHONS", "splunk_python"]


def splunk_python(version: str) -> str:
    """The path of Splunk's Python ``version``; skips the test where it is not installed."""
    path = interpreter(version)
    if path is None:
        pytest.skip(f"Python {version} is not installed")
    return path
