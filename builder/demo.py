"""``make demo``: the app is built, and the sample events go through its command as in a search."""

from __future__ import annotations

import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

from builder.cli import main  # noqa: E402 - after the path is set
from builder.package import app_version  # noqa: E402
from builder.paths import APP_ID  # noqa: E402

EVENTS = "demo/events.jsonl"


def _run(*arguments: str) -> None:
    """One command; ends the demo if it fails."""
    click.echo(f"$ python build.py {' '.join(arguments)}")
    try:
        main(arguments, standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise
    click.echo()


if __name__ == "__main__":
    _run("package")
    _run("match", EVENTS)
    click.echo(f"The app to install in Splunk: dist/{APP_ID}-{app_version()}.tar.gz")
