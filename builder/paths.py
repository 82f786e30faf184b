"""Where the project's own files lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
RULES = ROOT / "rules"
MAPPINGS = ROOT / "mappings"
APP_ID = "sigma_match"
