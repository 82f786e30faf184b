"""Converts Sigma rules by pySigma's Splunk backend, as it is published and without a pipeline.

Runs in an environment of its own (``requirements-splunkbackend.txt``). Reads a JSON list of rules from stdin, writes a
JSON list: for each its query, or ``{"refused": why}``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sigma.backends.splunk import SplunkBackend
from sigma.backends.splunk.splunk import SplunkDeferredORRegularExpression
from sigma.collection import SigmaCollection


def converted(rule: dict[str, Any]) -> str | dict[str, str]:
    """The query of one rule, or why there is none."""
    # A rule that raised leaves its counts behind, and the next one's fields are numbered on.
    SplunkDeferredORRegularExpression.reset()
    try:
        (query,) = SplunkBackend().convert(SigmaCollection.from_dicts([rule]))
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is reported as the reason
        return {"refused": f"{type(fault).__name__}: {fault}"}
    return str(query)


if __name__ == "__main__":
    json.dump([converted(rule) for rule in json.load(sys.stdin)], sys.stdout)
