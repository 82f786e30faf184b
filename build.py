"""Sigma rules in, the Splunk app Sigma Match out: ``python build.py --help``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# The engine lies where Splunk runs it.
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

from builder.cli import main  # noqa: E402 - after the path is set

if __name__ == "__main__":
    main()
