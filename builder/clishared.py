"""What the commands of the command line share: options, how they read, what they say, how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from .findings import Finding
from .mappings import MappingError, Mappings, read_mappings
from .outcomes import RuleFolder, has_errors_in
from .paths import MAPPINGS, ROOT, RULES
from .placeholders import PlaceholderError, read_placeholders
from .progress import Bar
from .rulefiles import read_folders
from .texts import escaped

DONE, FAULTS = 0, 1


class PathType(click.Path):
    """A path, and never an empty text, which would be the folder that one is in."""

    def __init__(self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Fails as wrong usage."""
        return super().convert(value, param, ctx) if value else self.fail("an empty text is no path", param, ctx)


rules_option = click.option(
    "--rules",
    "folders",
    multiple=True,
    metavar="DIR",
    type=PathType(),
    help="A folder of Sigma rules, or one rule file; may be given several times.  [default: the project's rules/]",
)
placeholders_option = click.option(
    "--placeholders",
    metavar="FILE",
    type=PathType(exists=True, dir_okay=False),
    help="YAML: values of the placeholders that rules use by the modifier 'expand'.",
)


def values_of(placeholders: Path | None) -> dict[str, list[str]]:
    """The values of placeholders of a file. Ends with its faults."""
    try:
        return read_placeholders(placeholders)
    except PlaceholderError as fault:
        say_errors(fault.findings)
        sys.exit(FAULTS)


def read_with(folders: Sequence[Path], values: Mapping[str, Sequence[str]]) -> RuleFolder:
    """The rules of folders, or the project's own; ``values``: of placeholders."""
    with Bar("rules") as bar:
        if folders:
            return read_folders(folders, values, bar.at)
        return read_folders([RULES], values, bar.at, base=ROOT)


def read_mappings_or_end() -> Mappings:
    """The mappings. Ends with their faults."""
    try:
        return read_mappings(MAPPINGS)
    except MappingError as fault:
        say_errors(fault.findings)
        sys.exit(FAULTS)


def say(findings: Iterable[Finding]) -> None:
    """Findings, on stderr."""
    for finding in findings:
        click.echo(finding, err=True)


def say_errors(findings: Iterable[Finding]) -> None:
    """Those that are errors, on stderr."""
    say(finding for finding in findings if finding.severity == "error")


def end(reason: str) -> NoReturn:
    """End with a reason, as the input has faults."""
    for line in reason.splitlines():
        click.echo(escaped(line), err=True)
    sys.exit(FAULTS)


def end_with(findings: Iterable[Finding]) -> NoReturn:
    """End with the status that findings make."""
    sys.exit(FAULTS if has_errors_in(findings) else DONE)
