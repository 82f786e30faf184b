"""Converts Sigma rules by pySigma's Logpoint backend with its pipeline for Windows, as it is published.

Runs in the environment of the Splunk backend (``requirements-splunkbackend.txt``). Reads a JSON list of rules from
stdin, writes a JSON list: for each its query, or ``{"refused": why}``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sigma.backends.logpoint import Logpoint
from sigma.collection import SigmaCollection
from sigma.pipelines.logpoint import logpoint_windows_pipeline


def converted(rule: dict[str, Any]) -> str | dict[str, str]:
    """The query of one rule, or why there is none."""
    try:
        (query,) = Logpoint(logpoint_windows_pipeline()).convert(SigmaCollection.from_dicts([rule]))
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is reported as the reason
        return {"refused": f"{type(fault).__name__}: {fault}"}
    return str(query)


if __name__ == "__main__":
    json.dump([converted(rule) for rule in json.load(sys.stdin)], sys.stdout)
