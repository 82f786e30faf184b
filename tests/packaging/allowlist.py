"""Allow-lists: text files of one entry a line, with comments (``#``) and blank lines."""

from __future__ import annotations

import re
from pathlib import Path


def read_lines(path: Path) -> list[str]:
    """The entries, without comments and surrounding blanks."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def read_patterns(path: Path) -> list[re.Pattern[str]]:
    """The entries as patterns to be matched in full, ``*`` standing for any text."""
    return [re.compile(".*".join(map(re.escape, line.split("*"))), re.DOTALL) for line in read_lines(path)]


def unmatched(found: list[str], patterns: list[re.Pattern[str]]) -> tuple[list[str], list[str]]:
    """What no pattern allows, and the text of each pattern that allows nothing."""
    return (
        [text for text in found if not any(pattern.fullmatch(text) for pattern in patterns)],
        [pattern.pattern for pattern in patterns if not any(pattern.fullmatch(text) for text in found)],
    )
