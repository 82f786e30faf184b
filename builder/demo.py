"""``make demo``: the app is built, and the sample events go through its command as in a search."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

from builder.cli import main  # noqa: E402 - after the path is set

EVENTS = "demo/events.jsonl"


def _run(*arguments: str) -> None:
    main(arguments, standalone_mode=False)


if __name__ == "__main__":
    for command in (("package",), ("match", EVENTS)):
        try:
            _run(*command)
        except SystemExit as end:
            if end.code:
                raise
