"""Spellings that AppInspect refuses in .conf files, and what stands for them.

It looks for destructive shell commands line by line, in whatever is written there; rules about
such commands quote them.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(rm\s+)-(?=[rf])")
_HYPHEN = "\u2011"


def is_refused(text: str) -> bool:
    """True if a .conf file must not hold ``text``."""
    return bool(_COMMAND.search(text))


def readable(text: str) -> str:
    """``text`` for people, with another hyphen where it would be refused."""
    return _COMMAND.sub(lambda found: found[1] + _HYPHEN, text)
