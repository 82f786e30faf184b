"""Fixtures of the comparison with the oracle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .oracles import Oracle


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """A process of the oracle; skips the test where it is not installed."""
    process = Oracle()
    yield process
    process.close()
