"""The command line of ``build.py``.

Exit status: 0 done; 1 the input has faults (all of them listed, the good rules still built);
2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from .attack import AttackDataError
from .cliconvert import convert
from .clishared import (
    FAULTS,
    PathType,
    end,
    end_with,
    placeholders_option,
    read_mappings_or_end,
    read_with,
    rules_option,
    say,
    say_errors,
    values_of,
)
from .events import read_events
from .findings import Finding
from .lint import lint
from .lint.registry import expanded, known_names
from .lint.reporters import REPORTERS
from .mappings import Mappings
from .matching import VIA, Found
from .outcomes import RuleFolder
from .package import Inputs, app_files, app_version, compile_inputs, write_package
from .progress import Counter
from .replay import Answers, CommandError
from .report import FILE as REPORT
from .report import build_report, summary_lines, write_report
from .searches.changes import FILE as CHANGES
from .searches.changes import PreviousReportError, change_lines, changes, read_previous, write_changes
from .searches.configfile import ConfigurationError, read_configuration
from .searches.configuration import Configuration
from .searches.sources import sources
from .searches.streams import products
from .searches.unused import unused
from .tables import table
from .texts import escaped, json_bytes, one_line
from .vendored import VendorError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Builds the Splunk app Sigma Match from Sigma rules, and tries rules on events."""
    # Titles of rules are in any language; a pipe's encoding may not be.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@main.command()
@rules_option
@placeholders_option
@click.option(
    "--config",
    metavar="FILE",
    type=PathType(exists=True, dir_okay=False),
    help="YAML: which saved searches the app has, when they run, what they do (docs/searches.md).",
)
@click.option(
    "--previous",
    metavar="REPORT",
    type=PathType(exists=True, dir_okay=False),
    help="The build-report.json of the last package: what has changed since is told.",
)
@click.option("--out", default="dist", show_default=True, metavar="DIR", type=PathType(file_okay=False))
def package(
    folders: Sequence[Path], placeholders: Path | None, config: Path | None, previous: Path | None, out: Path
) -> None:
    """Build the app and a report about every rule.

    They are DIR/sigma_match-VERSION.tar.gz and DIR/build-report.json. A rule that cannot be used is
    left out and listed; the exit status is 1 then. With --previous, DIR/build-changes.json says what
    has changed, and of searches that are gone a stanza is left that finds nothing.
    """
    before = _previous(previous)
    mappings, folder = read_mappings_or_end(), _read(folders, placeholders)
    say_errors(folder.findings)
    inputs = compile_inputs(folder, mappings, _configuration(config, folder, mappings), before)
    if config:
        say(unused(config, inputs.searches.context))
    report = build_report(folder, mappings, app_version(), inputs.digest, inputs.searches)
    changed = changes(before, report) if before else None
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Those of an earlier build are not this one's.
        (out / CHANGES).unlink(missing_ok=True)
        (out / REPORT).write_bytes(write_report(report))
        if not inputs.folder.accepted:
            end(f"no rule can be used: nothing is built, report in {out / REPORT}")
        target = write_package(app_files(inputs), out)
        if changed:
            (out / CHANGES).write_bytes(write_changes(changed))
    except (VendorError, AttackDataError, OSError) as fault:
        end(str(fault))
    for line in (
        *summary_lines(folder, mappings),
        *inputs.searches.summary_lines(),
        *(change_lines(changed) if changed else ()),
    ):
        click.echo(line)
    click.echo(escaped(f"{target} ({target.stat().st_size / 1e6:.1f} MB), report in {out / REPORT}"))
    end_with(inputs.folder.findings)


@main.command()
@rules_option
@placeholders_option
@click.option(
    "--via", type=click.Choice(list(VIA)), default="command", show_default=True, help="What matches the events."
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.argument("events", nargs=-1, required=True, type=PathType())
def match(folders: Sequence[Path], placeholders: Path | None, via: str, form: str, events: Sequence[Path]) -> None:
    """Match rules against the events of files.

    The files are .jsonl, .csv or .evtx, each also .gz. Runs the packaged search command as Splunk
    would, or the engine alone.
    """
    inputs = _inputs(folders, placeholders)
    say_errors(inputs.folder.findings)
    if not inputs.folder.accepted:
        end("no rule can be used: nothing is matched")
    findings: list[Finding] = []
    answers = Answers()
    counter = Counter("events")
    try:
        found = VIA[via](inputs, counter.counted(read_events(events, findings)), answers)
        _FORMATS[form](counter.beside(found))
    except (CommandError, VendorError, AttackDataError) as fault:
        end(str(fault))
    finally:
        counter.hide()
        say(findings)
    for level, text in answers.messages:
        click.echo(one_line(f"{level} {text}"), err=True)
    end_with([*inputs.folder.findings, *findings])


class _Codes(click.ParamType[frozenset[str] | None]):
    """Codes and topics of ``docs/check.md``, separated by commas."""

    name = "codes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:
        """The codes. Fails as wrong usage."""
        if isinstance(value, frozenset):
            return value
        names = [name.strip() for name in value.split(",")]
        for name in names:
            if name not in known_names():
                close = get_close_matches(name, known_names(), n=1)
                hint = f"did you mean {close[0]}?" if close else "docs/check.md lists them"
                self.fail(f"there is no code {name!r}; {hint}", param, ctx)
        return expanded(names)


@main.command()
@rules_option
@placeholders_option
@click.option("--format", "form", type=click.Choice(list(REPORTERS)), default="text", show_default=True)
@click.option(
    "--select", metavar="CODE,...", type=_Codes(), help="List these alone: codes, or topics of docs/check.md."
)
@click.option("--ignore", metavar="CODE,...", type=_Codes(), help="Do not list these.")
def check(
    folders: Sequence[Path],
    placeholders: Path | None,
    form: str,
    select: frozenset[str] | None,
    ignore: frozenset[str] | None,
) -> None:
    """List every problem of every rule, and what is probably not meant.

    Each is a line: PATH:LINE: error CODE: MESSAGE, or PATH:LINE: warning CODE: MESSAGE. The exit
    status is 1 if a rule cannot be used, whatever is listed.
    """
    mappings, values = read_mappings_or_end(), values_of(placeholders)
    folder = read_with(folders, values)
    try:
        found = lint(folder, mappings.routing, values)
    except AttackDataError as fault:
        end(str(fault))
    listed = [
        (outcome, finding)
        for outcome, finding in found
        if (select is None or finding.code in select) and not (ignore and finding.code in ignore)
    ]
    for part in REPORTERS[form](folder, listed, app_version()):
        click.echo(part)
    warnings = sum(finding.severity == "warning" for _, finding in listed)
    click.echo(
        f"{folder.counted} in {folder.files} files: {len(folder.refused)} refused, {warnings} warnings",
        err=True,
    )
    end_with(folder.findings)


main.add_command(convert)


# --- what the commands share --------------------------------------------------------------------


def _read(folders: Sequence[Path], placeholders: Path | None) -> RuleFolder:
    return read_with(folders, values_of(placeholders))


def _inputs(folders: Sequence[Path], placeholders: Path | None) -> Inputs:
    mappings = read_mappings_or_end()
    return compile_inputs(_read(folders, placeholders), mappings)


def _previous(path: Path | None) -> Mapping[str, Any] | None:
    try:
        return read_previous(path) if path else None
    except PreviousReportError as fault:
        end(str(fault))


def _configuration(path: Path | None, folder: RuleFolder, mappings: Mappings) -> Configuration:
    routing = mappings.routing
    try:
        return read_configuration(path, folder, products(routing), [source.name for source in sources(routing)])
    except ConfigurationError as fault:
        say_errors(fault.findings)
        sys.exit(FAULTS)


# --- output -------------------------------------------------------------------------------------


def _as_jsonl(found: Iterable[Found]) -> None:
    for one in found:
        # As bytes: JSON is UTF-8, whatever the encoding of the terminal or the pipe.
        click.echo(json_bytes(one.as_json()))


def _as_table(found: Iterable[Found]) -> None:
    rows = [(str(one.event), one.level, one.title, one.rule_id) for one in found]
    for line in table(("event", "level", "rule", "id"), rows):
        click.echo(line)
    click.echo(
        f"{len(rows)} matches of {len({row[3] for row in rows})} rules in {len({row[0] for row in rows})} events"
    )


_FORMATS: dict[str, Callable[[Iterable[Found]], None]] = {"table": _as_table, "jsonl": _as_jsonl}
