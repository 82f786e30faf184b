"""Where documentation leaves several readings."""

from __future__ import annotations

from collections.abc import Sequence

from .text import UnsettledError


def agreed(answers: Sequence[bool], what: str) -> bool:
    """The answer of all readings. Raises UnsettledError where they differ."""
    if len(set(answers)) > 1:
        raise UnsettledError(f"{what}: the documentation does not say")
    return answers[0]
