"""What all parts of the language share: faults, escapes, case, values of an event, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

Event = Mapping[str, str | Sequence[str]]
Test = Callable[[Event], bool]
Fold = Callable[[str], str]


class SplError(ValueError):
    """A query that Splunk refuses, or that is outside the subset."""


class UnsettledError(SplError):
    """An answer that Splunk's documentation does not give."""


#: Between quotation marks: ``\"`` does not end the text.
QUOTED = r'"(?:[^"\\]|\\.)*"'
_ESCAPE = re.compile(r'\\([\\"|])')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def unescape(text: str) -> str:
    r"""The text that reaches the command: ``\\``, ``\"`` and ``\|`` are escapes, other sequences stay as they are.

    Search Reference, "search", "Quotes and escaping characters".
    """
    return _ESCAPE.sub(r"\1", text)


def values(event: Event, field: str) -> Sequence[str]:
    """The values of a field; an empty text is none."""
    found = event.get(field)
    if not found:
        return ()
    return (found,) if isinstance(found, str) else [value for value in found if value]


def number(text: str) -> float | None:
    """The number that a text is. Splunk computes with doubles."""
    return float(text) if _NUMBER.fullmatch(text) else None


class _Simple(dict[int, int]):
    """Unicode's simple case folding, character by character."""

    def __missing__(self, code: int) -> int:
        forms = (chr(code).casefold(), chr(code).lower())
        self[code] = next((ord(form) for form in forms if len(form) == 1), code)
        return self[code]


_SIMPLE = _Simple()
_ASCII = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@lru_cache(maxsize=1 << 16)
def _fold_simply(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_SIMPLE)


@lru_cache(maxsize=1 << 16)
def _fold_ascii(text: str) -> str:
    return text.translate(_ASCII)


def _fold_nothing(text: str) -> str:
    return text


#: How case is ignored. The documentation says that it is, and not for which characters beyond ASCII.
FOLDS: dict[str, Fold] = {"simple": _fold_simply, "ascii": _fold_ascii}
CASED: Fold = _fold_nothing
