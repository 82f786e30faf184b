"""The seam to the engine's correlations: until they are there, a correlation document is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sigmaengine.problems import ERROR, Problem
from sigmaengine.rule import Rule


class Correlation(NamedTuple):
    """A correlation."""

    id: str
    title: str
    level: str
    status: str
    author: str
    tags: list[str]


def read_correlation(_: object) -> tuple[Correlation | None, list[Problem]]:
    """Refuses every correlation."""
    message = "correlation documents are not supported yet"
    return None, [Problem(ERROR, "document-kind", message, ("correlation",))]


def resolve(correlations: Sequence[Correlation], _: Sequence[Rule]) -> tuple[list[Correlation], list[list[Problem]]]:
    """All of them."""
    return list(correlations), [[] for _ in correlations]
