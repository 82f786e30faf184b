"""Data that is not part of the project: real events, rules and recordings beside the checkout."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine import SHARED

__all__ = ["SHARED", "json_lines", "shared"]


def shared(name: str) -> Path:
    """A file of the shared data; skips the test where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs the shared data ({name}), which is not here")
    return path


def json_lines(path: Path) -> Iterator[Any]:
    """The objects of a .jsonl.gz file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
