"""What the measured programs share. Standard library alone, Python 3.9 and later."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from typing import Any


def specification() -> dict[str, Any]:
    """What this process has to do: the JSON on its standard input."""
    found: dict[str, Any] = json.load(sys.stdin)
    return found


def answer(**values: Any) -> None:
    """Tell the benchmark what was found: one line of JSON, the last of the output."""
    sys.stdout.write("\n" + json.dumps(values) + "\n")
    sys.stdout.flush()


def read_events(spec: dict[str, Any]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, event) of a file of JSON lines, by ``events``, ``stride``, ``offset`` and ``limit``."""
    stride, offset, limit = spec.get("stride", 1), spec.get("offset", 0), spec.get("limit")
    found = 0
    with open(spec["events"], "rb") as lines:  # noqa: PTH123 - nothing but what is measured is imported
        for number, line in enumerate(lines):
            if number % stride != offset:
                continue
            if limit is not None and found >= limit:
                return
            found += 1
            yield number, json.loads(line)


def peer_event(event: dict[str, str]) -> dict[str, str]:
    """An event as the other engines want it: the names of the Windows log, and no ``_raw``."""
    cells = {name: value for name, value in event.items() if not name.startswith("_")}
    if "EventCode" in cells:
        cells["EventID"] = cells["EventCode"]
    if "Provider" in cells:
        cells["Provider_Name"] = cells["Provider"]
    # SQLite's column names ignore case (ProcessID, ProcessId); the event's own data come last and are kept.
    kept = {name.lower(): name for name in cells}
    return {name: cells[name] for name in kept.values()}


def settle() -> None:
    """Take what has been read out of the garbage collector's sight: it is no part of what is measured."""
    gc.collect()
    gc.freeze()


def cpu() -> float:
    """CPU seconds of this process, user and system."""
    return time.process_time()
