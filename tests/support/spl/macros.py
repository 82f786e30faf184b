"""Search macros: text between backticks, wherever it stands, quotation marks or not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .text import SplError

_CALL = re.compile("`([^`]*)`")
#: A macro may hold others; this deep none of ours does.
_DEPTH = 10


def expand(text: str, macros: Mapping[str, str]) -> str:
    """``text`` with the definition of each macro in its place."""
    for _ in range(_DEPTH):
        if "`" not in text:
            return text
        if "```" in text:
            raise SplError("``` begins a comment, which is not in the subset")
        if text.count("`") % 2:
            raise SplError("a backtick without its other half: macros stand between two")
        text = _CALL.sub(lambda found: _definition(found[1].strip(), macros), text)
    raise SplError(f"macros go deeper than {_DEPTH}: does one hold itself?")


def _definition(name: str, macros: Mapping[str, str]) -> str:
    if "(" in name:
        raise SplError(f"`{name}`: macros with arguments are not in the subset")
    if name not in macros:
        raise SplError(f"there is no macro `{name}`")
    return macros[name]
