"""Where the build has correlations from: the engine."""

from __future__ import annotations

from sigmaengine.correlation import Correlation, read_correlation
from sigmaengine.correlationrefs import resolve

__all__ = ["Correlation", "read_correlation", "resolve"]
