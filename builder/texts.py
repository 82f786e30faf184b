"""What the build says and writes, safe whatever the rules and events hold that it quotes.

Their text is a stranger's: a terminal would obey its control characters, and a file name need not
be text at all (Python shows bytes that are no UTF-8 as lone surrogates).
"""

from __future__ import annotations

import json
from typing import Any


def escaped(text: str) -> str:
    r"""``text`` with what cannot be printed as an escape, so that names stay distinct: ``a\nb``, ``a\x1b[31m``."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def unprintable_as_blanks(text: str) -> str:
    """``text`` in as many characters, for reading."""
    return "".join(one if one.isprintable() else " " for one in text)


def one_line(text: str) -> str:
    """``text`` on one line, for reading, with single blanks."""
    return " ".join(unprintable_as_blanks(text).split())


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """``value`` as JSON in UTF-8 (RFC 8259), without a line end."""
    # Half a character is all that UTF-8 cannot hold; Python's escape of one is JSON's too.
    return json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace")
