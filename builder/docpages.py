"""Pages of the documentation that are written from what they describe: one command line for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from .paths import ROOT


def page_command(path: Path, module: str, page: Callable[[], str]) -> click.Command:
    """A command that prints, writes or checks the page at ``path``, which ``page`` gives the text of.

    ``module``: what the command is run by, for the message that the page is out of date.
    """
    name = path.relative_to(ROOT).as_posix()

    @click.command(context_settings={"help_option_names": ["-h", "--help"]}, help=f"Print, write or check {name}.")
    @click.option("--write", "action", flag_value="write", help=f"Write {name}.")
    @click.option("--check", "action", flag_value="check", help=f"Exit with 1 if {name} is another text.")
    def main(action: str | None) -> None:
        text = page()
        if action == "write":
            path.write_text(text, "utf-8", newline="\n")
        elif action == "check":
            if not path.exists() or path.read_text("utf-8") != text:
                click.echo(f"{name} is out of date: python -m {module} --write", err=True)
                sys.exit(1)
        else:
            click.echo(text, nl=False)

    return main
