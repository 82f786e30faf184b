"""The command line of ``build.py``.

Exit status: 0 done; 1 the input has faults (all of them listed, the good rules still built);
2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from .events import read_events
from .findings import Finding
from .mappings import MappingError, Mappings, read_mappings
from .matching import VIA, Found
from .package import Inputs, app_files, app_version, compile_inputs, write_package
from .paths import MAPPINGS, RULES
from .placeholders import PlaceholderError, read_placeholders
from .replay import Answers, CommandError
from .report import FILE as REPORT
from .report import build_report, summary_lines, write_report
from .rulefiles import RuleFolder, has_errors_in, read_folders
from .tables import table
from .vendored import VendorError

DONE, FAULTS = 0, 1

_rules = click.option(
    "--rules",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder of Sigma rules, or one rule file; may be given several times.  [default: the project's rules/]",
)
_placeholders = click.option(
    "--placeholders",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML: values of the placeholders that rules use by the modifier 'expand'.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Builds the Splunk app Sigma Match from Sigma rules, and tries rules on events."""
    # Titles of rules are in any language; a pipe's encoding may not be.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@main.command()
@_rules
@_placeholders
@click.option(
    "--out", default="dist", show_default=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False)
)
def package(folders: Sequence[Path], placeholders: Path | None, out: Path) -> None:
    """Build the app: OUT/sigma_match-VERSION.tar.gz and a build report.

    A rule that cannot be used is left out and listed; the exit status is 1 then.
    """
    inputs = _inputs(folders, placeholders)
    _say_errors(inputs.folder.findings)
    if not inputs.folder.accepted:
        _end("no rule can be used: nothing is built")
    try:
        target = write_package(app_files(inputs), out)
    except (VendorError, OSError) as fault:
        _end(str(fault))
    report = build_report(inputs.folder, inputs.mappings, app_version(), inputs.digest)
    (out / REPORT).write_text(write_report(report), "utf-8")
    for line in summary_lines(inputs.folder, inputs.mappings):
        click.echo(line)
    click.echo(f"{target} ({target.stat().st_size / 1e6:.1f} MB), report in {out / REPORT}")
    _end_with(inputs.folder.findings)


@main.command()
@_rules
@_placeholders
@click.option(
    "--via", type=click.Choice(list(VIA)), default="command", show_default=True, help="What matches the events."
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.argument("events", nargs=-1, required=True, type=click.Path(path_type=Path))
def match(folders: Sequence[Path], placeholders: Path | None, via: str, form: str, events: Sequence[Path]) -> None:
    """Match rules against EVENTS: files .jsonl, .csv, .evtx, each also .gz.

    Runs the packaged search command as Splunk would, or the engine alone.
    """
    inputs = _inputs(folders, placeholders)
    _say_errors(inputs.folder.findings)
    if not inputs.folder.accepted:
        _end("no rule can be used: nothing is matched")
    findings: list[Finding] = []
    answers = Answers()
    read = _with_progress(read_events(events, findings), "events")
    try:
        found = VIA[via](inputs, read, answers)
        _FORMATS[form](found)
    except (CommandError, VendorError) as fault:
        _end(str(fault))
    _say_errors(findings)
    for level, text in answers.messages:
        click.echo(f"{level} {text}", err=True)
    _end_with([*inputs.folder.findings, *findings])


@main.command()
@_rules
@_placeholders
def check(folders: Sequence[Path], placeholders: Path | None) -> None:
    """List every problem of every rule as PATH:LINE: SEVERITY CODE: MESSAGE."""
    folder = _read(folders, placeholders)
    for finding in folder.findings:
        click.echo(finding)
    warnings = sum(finding.severity == "warning" for finding in folder.findings)
    click.echo(
        f"{len(folder.outcomes)} rules in {folder.files} files: {len(folder.refused)} refused, {warnings} warnings",
        err=True,
    )
    _end_with(folder.findings)


# --- what the commands share --------------------------------------------------------------------


def _read(folders: Sequence[Path], placeholders: Path | None) -> RuleFolder:
    try:
        values = read_placeholders(placeholders)
    except PlaceholderError as fault:
        _say_errors(fault.findings)
        sys.exit(FAULTS)
    with _Bar("rules") as bar:
        return read_folders(folders or [RULES], values, bar.at)


def _inputs(folders: Sequence[Path], placeholders: Path | None) -> Inputs:
    mappings = _mappings()
    return compile_inputs(_read(folders, placeholders), mappings)


def _mappings() -> Mappings:
    try:
        return read_mappings(MAPPINGS)
    except MappingError as fault:
        _say_errors(fault.findings)
        sys.exit(FAULTS)


def _say_errors(findings: Iterable[Finding]) -> None:
    for finding in findings:
        if finding.severity == "error":
            click.echo(finding, err=True)


def _end(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(FAULTS)


def _end_with(findings: Iterable[Finding]) -> NoReturn:
    sys.exit(FAULTS if has_errors_in(findings) else DONE)


# --- output -------------------------------------------------------------------------------------


def _as_jsonl(found: Iterable[Found]) -> None:
    for one in found:
        click.echo(json.dumps(one._asdict(), ensure_ascii=False))


def _as_table(found: Iterable[Found]) -> None:
    rows = [(str(one.event), one.level, one.title, one.rule_id) for one in found]
    for line in table(("event", "level", "rule", "id"), rows):
        click.echo(line)
    click.echo(
        f"{len(rows)} matches of {len({row[3] for row in rows})} rules in {len({row[0] for row in rows})} events"
    )


_FORMATS: dict[str, Callable[[Iterable[Found]], None]] = {"table": _as_table, "jsonl": _as_jsonl}


class _Bar:
    """A progress bar on a terminal, and nothing in a pipe."""

    def __init__(self, what: str) -> None:
        self.what, self.shown = what, sys.stderr.isatty()
        self._bar: Any = None
        self._done = 0

    def __enter__(self) -> _Bar:
        return self

    def at(self, done: int, total: int) -> None:
        """``done`` of ``total`` are done."""
        if not self.shown:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label=self.what, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._done)
        self._done = done

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _with_progress(items: Iterable[Any], what: str) -> Iterator[Any]:
    """``items``, counted on a terminal every so often (how many there will be is not known)."""
    shown = sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if shown and number % 1_000 == 0:
            click.echo(f"\r{number} {what}", err=True, nl=False)
        yield item
    if shown:
        click.echo("\r" + " " * 30 + "\r", err=True, nl=False)
