"""The command line of ``build.py``.

Exit status: 0 done; 1 the input has faults (all of them listed, the good rules still built);
2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import click

from .attack import AttackDataError
from .converting import TARGETS, OptionError, RefusedError, settings_of
from .converting import convert as convert_document
from .events import read_events
from .findings import Finding
from .lint import lint
from .lint.registry import expanded, known_names
from .lint.reporters import REPORTERS
from .mappings import MappingError, Mappings, read_mappings
from .matching import VIA, Found
from .outcomes import RuleFolder, has_errors_in
from .package import Inputs, app_files, app_version, compile_inputs, write_package
from .paths import MAPPINGS, ROOT, RULES
from .placeholders import PlaceholderError, read_placeholders
from .progress import Bar, Counter
from .replay import Answers, CommandError
from .report import FILE as REPORT
from .report import build_report, summary_lines, write_report
from .rulefiles import read_folders
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

DONE, FAULTS = 0, 1


class _PathType(click.Path):
    """A path, and never an empty text, which would be the folder that one is in."""

    def __init__(self, *, exists: bool = False, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(exists=exists, file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Fails as wrong usage."""
        return super().convert(value, param, ctx) if value else self.fail("an empty text is no path", param, ctx)


_rules = click.option(
    "--rules",
    "folders",
    multiple=True,
    metavar="DIR",
    type=_PathType(),
    help="A folder of Sigma rules, or one rule file; may be given several times.  [default: the project's rules/]",
)
_placeholders = click.option(
    "--placeholders",
    metavar="FILE",
    type=_PathType(exists=True, dir_okay=False),
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
    "--config",
    metavar="FILE",
    type=_PathType(exists=True, dir_okay=False),
    help="YAML: which saved searches the app has, when they run, what they do (docs/searches.md).",
)
@click.option(
    "--previous",
    metavar="REPORT",
    type=_PathType(exists=True, dir_okay=False),
    help="The build-report.json of the last package: what has changed since is told.",
)
@click.option("--out", default="dist", show_default=True, metavar="DIR", type=_PathType(file_okay=False))
def package(
    folders: Sequence[Path], placeholders: Path | None, config: Path | None, previous: Path | None, out: Path
) -> None:
    """Build the app and a report about every rule.

    They are DIR/sigma_match-VERSION.tar.gz and DIR/build-report.json. A rule that cannot be used is
    left out and listed; the exit status is 1 then. With --previous, DIR/build-changes.json says what
    has changed, and of searches that are gone a stanza is left that finds nothing.
    """
    before = _previous(previous)
    mappings, folder = _mappings(), _read(folders, placeholders)
    _say_errors(folder.findings)
    inputs = compile_inputs(folder, mappings, _configuration(config, folder, mappings), before)
    if config:
        _say(unused(config, inputs.searches.context))
    report = build_report(folder, mappings, app_version(), inputs.digest, inputs.searches)
    changed = changes(before, report) if before else None
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Those of an earlier build are not this one's.
        (out / CHANGES).unlink(missing_ok=True)
        (out / REPORT).write_bytes(write_report(report))
        if not inputs.folder.accepted:
            _end(f"no rule can be used: nothing is built, report in {out / REPORT}")
        target = write_package(app_files(inputs), out)
        if changed:
            (out / CHANGES).write_bytes(write_changes(changed))
    except (VendorError, AttackDataError, OSError) as fault:
        _end(str(fault))
    for line in (
        *summary_lines(folder, mappings),
        *inputs.searches.summary_lines(),
        *(change_lines(changed) if changed else ()),
    ):
        click.echo(line)
    click.echo(escaped(f"{target} ({target.stat().st_size / 1e6:.1f} MB), report in {out / REPORT}"))
    _end_with(inputs.folder.findings)


@main.command()
@_rules
@_placeholders
@click.option(
    "--via", type=click.Choice(list(VIA)), default="command", show_default=True, help="What matches the events."
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.argument("events", nargs=-1, required=True, type=_PathType())
def match(folders: Sequence[Path], placeholders: Path | None, via: str, form: str, events: Sequence[Path]) -> None:
    """Match rules against the events of files.

    The files are .jsonl, .csv or .evtx, each also .gz. Runs the packaged search command as Splunk
    would, or the engine alone.
    """
    inputs = _inputs(folders, placeholders)
    _say_errors(inputs.folder.findings)
    if not inputs.folder.accepted:
        _end("no rule can be used: nothing is matched")
    findings: list[Finding] = []
    answers = Answers()
    counter = Counter("events")
    try:
        found = VIA[via](inputs, counter.counted(read_events(events, findings)), answers)
        _FORMATS[form](counter.beside(found))
    except (CommandError, VendorError, AttackDataError) as fault:
        _end(str(fault))
    finally:
        counter.hide()
        _say(findings)
    for level, text in answers.messages:
        click.echo(one_line(f"{level} {text}"), err=True)
    _end_with([*inputs.folder.findings, *findings])


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
@_rules
@_placeholders
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
    mappings, values = _mappings(), _values(placeholders)
    folder = _read_with(folders, values)
    try:
        found = lint(folder, mappings.routing, values)
    except AttackDataError as fault:
        _end(str(fault))
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
    _end_with(folder.findings)


def _list_targets(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        for line in table(("target", "is"), [(name, target.what) for name, target in TARGETS.items()]):
            click.echo(line)
        context.exit()


def _target_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that targets have, each once, with the targets in its help."""
    names = dict.fromkeys(name for target in TARGETS.values() for name in target.options)
    for name in reversed(names):
        having = {target: one.options[name] for target, one in TARGETS.items() if name in one.options}
        first = next(iter(having.values()))
        choices = dict.fromkeys(choice for option in having.values() for choice in option.choices)
        text = f"{first.help}  [{', '.join(having)}]"
        if first.flag:
            command = click.option(f"--{name}", name, is_flag=True, default=None, help=text)(command)
        else:
            metavar = "|".join(choices) or "TEXT"
            command = click.option(f"--{name}", name, metavar=metavar, default=None, help=text)(command)
    return command


@main.command()
@_placeholders
@click.option("--target", type=click.Choice(list(TARGETS)), required=True, help="The language of the query.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_targets,
    help="List the targets and end.",
)
@_target_options
@click.argument("rule", type=_PathType())
def convert(placeholders: Path | None, target: str, rule: Path, **options: Any) -> None:
    """Write a rule as a query of another language.

    The query stands alone on stdout, a line for each rule of the file; what should be known of it is
    on stderr. The exit status is 1 if a rule cannot be said in the language.
    """
    try:
        settings = settings_of(target, {name: value for name, value in options.items() if value is not None})
    except OptionError as fault:
        raise click.UsageError(str(fault)) from None
    mappings = _mappings()
    folder = _read_with([rule], _values(placeholders))
    _say_errors(folder.findings)
    refused = False
    for outcome in folder.accepted:
        place = f"{escaped(outcome.path)}:{outcome.line}:"
        try:
            converted = convert_document(outcome, target, mappings, settings)
        except RefusedError as reason:
            refused = True
            click.echo(f"{place} error {target}: {reason}", err=True)
            continue
        except MappingError as fault:
            _say_errors(fault.findings)
            sys.exit(FAULTS)
        click.echo(converted.text)
        for note in converted.notes:
            click.echo(f"{place} note: {note}", err=True)
    if refused:
        sys.exit(FAULTS)
    if not folder.accepted and not folder.findings:
        _end("there is no rule to convert")
    _end_with(folder.findings)


# --- what the commands share --------------------------------------------------------------------


def _read(folders: Sequence[Path], placeholders: Path | None) -> RuleFolder:
    return _read_with(folders, _values(placeholders))


def _values(placeholders: Path | None) -> dict[str, list[str]]:
    try:
        return read_placeholders(placeholders)
    except PlaceholderError as fault:
        _say_errors(fault.findings)
        sys.exit(FAULTS)


def _read_with(folders: Sequence[Path], values: Mapping[str, Sequence[str]]) -> RuleFolder:
    with Bar("rules") as bar:
        if folders:
            return read_folders(folders, values, bar.at)
        return read_folders([RULES], values, bar.at, base=ROOT)


def _inputs(folders: Sequence[Path], placeholders: Path | None) -> Inputs:
    mappings = _mappings()
    return compile_inputs(_read(folders, placeholders), mappings)


def _previous(path: Path | None) -> Mapping[str, Any] | None:
    try:
        return read_previous(path) if path else None
    except PreviousReportError as fault:
        _end(str(fault))


def _configuration(path: Path | None, folder: RuleFolder, mappings: Mappings) -> Configuration:
    routing = mappings.routing
    try:
        return read_configuration(path, folder, products(routing), [source.name for source in sources(routing)])
    except ConfigurationError as fault:
        _say_errors(fault.findings)
        sys.exit(FAULTS)


def _mappings() -> Mappings:
    try:
        return read_mappings(MAPPINGS)
    except MappingError as fault:
        _say_errors(fault.findings)
        sys.exit(FAULTS)


def _say(findings: Iterable[Finding]) -> None:
    for finding in findings:
        click.echo(finding, err=True)


def _say_errors(findings: Iterable[Finding]) -> None:
    _say(finding for finding in findings if finding.severity == "error")


def _end(reason: str) -> NoReturn:
    for line in reason.splitlines():
        click.echo(escaped(line), err=True)
    sys.exit(FAULTS)


def _end_with(findings: Iterable[Finding]) -> NoReturn:
    sys.exit(FAULTS if has_errors_in(findings) else DONE)


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
