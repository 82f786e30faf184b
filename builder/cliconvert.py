"""``build.py convert``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from .clishared import (
    FAULTS,
    PathType,
    end,
    end_with,
    placeholders_option,
    read_mappings_or_end,
    read_with,
    rules_option,
    say_errors,
    values_of,
)
from .convertall import REPORT, Conversions, OutputError, settings_of_each
from .converting import TARGETS, OptionError, RefusedError
from .converting import convert as convert_document
from .mappings import MappingError, Mappings
from .outcomes import RuleFolder
from .paths import ROOT, RULES
from .progress import Bar
from .queries.target import Settings
from .tables import table
from .texts import escaped


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
        parameter = name.replace("-", "_")
        if first.flag:
            command = click.option(f"--{name}", parameter, is_flag=True, default=None, help=text)(command)
        else:
            metavar = "|".join(choices) or "TEXT"
            command = click.option(f"--{name}", parameter, metavar=metavar, default=None, help=text)(command)
    return command


@click.command()
@rules_option
@placeholders_option
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice(list(TARGETS)),
    help="The language of the query; with --all several times, or not at all for all of them.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_targets,
    help="List the targets and end.",
)
@click.option("--all", "is_all", is_flag=True, help="Write every rule of --rules in every language to files.")
@click.option("--out", metavar="DIR", type=PathType(file_okay=False), help="Where --all writes.")
@_target_options
@click.argument("rule", metavar="[RULE.yml]...", nargs=-1, type=PathType())
def convert(
    folders: Sequence[Path],
    placeholders: Path | None,
    targets: Sequence[str],
    is_all: bool,
    out: Path | None,
    rule: Sequence[Path],
    **options: Any,
) -> None:
    """Write rules as queries of another language.

    The query of RULE.yml, a file or folder, stands alone on stdout, one behind the other where there are
    several rules; what should be known of it is on stderr. The exit status is 1 if a rule cannot be said in
    the language.

    With --all: DIR/TARGET/RULE.EXTENSION for each rule and language, and DIR/conversion-report.json, which
    says what became of each. Only faults of rules make the exit status 1 then.
    """
    given = {name.replace("_", "-"): value for name, value in options.items() if value is not None}
    _check_convert_usage(targets, rule, folders, out, is_all=is_all)
    try:
        settings = settings_of_each(list(dict.fromkeys(targets)) or list(TARGETS), given)
    except OptionError as fault:
        raise click.UsageError(str(fault)) from None
    mappings, values = read_mappings_or_end(), values_of(placeholders)
    try:
        if out is not None:
            _convert_all(folders, values, mappings, settings, out)
        _convert_some(read_with(rule, values), mappings, *settings.popitem())
    except MappingError as fault:
        # Targets have tables of their own.
        say_errors(fault.findings)
        sys.exit(FAULTS)


def _check_convert_usage(
    targets: Sequence[str], paths: Sequence[Path], folders: Sequence[Path], out: Path | None, *, is_all: bool
) -> None:
    faults = (
        {
            "Missing option '--out'.": out is None,
            "--all converts the rules of --rules, and takes no RULE.yml.": paths,
        }
        if is_all
        else {
            "Missing option '--target'.": not targets,
            "Missing argument 'RULE.yml'.": not paths,
            "Several targets need --all.": len(targets) > 1,
            "--rules and --out need --all.": folders or out is not None,
        }
    )
    for message, is_fault in faults.items():
        if is_fault:
            raise click.UsageError(message)


def _convert_some(folder: RuleFolder, mappings: Mappings, target: str, settings: Settings) -> NoReturn:
    say_errors(folder.findings)
    refused = False
    for outcome in folder.accepted:
        place = f"{escaped(outcome.path)}:{outcome.line}:"
        try:
            converted = convert_document(outcome, target, mappings, settings, folder)
        except RefusedError as reason:
            refused = True
            click.echo(f"{place} error {target}: {escaped(str(reason))}", err=True)
            continue
        # As bytes: an encoding that lacks a character would make another query of it.
        click.echo(converted.text.encode())
        for note in converted.notes:
            click.echo(f"{place} note: {escaped(note)}", err=True)
    if refused:
        sys.exit(FAULTS)
    if not folder.accepted and not folder.findings:
        end("there is no rule to convert")
    end_with(folder.findings)


def _convert_all(
    folders: Sequence[Path],
    values: Mapping[str, Sequence[str]],
    mappings: Mappings,
    settings: Mapping[str, Settings],
    out: Path,
) -> NoReturn:
    folder = read_with(folders, values)
    say_errors(folder.findings)
    if not folder.accepted:
        # Before anything is written: the folder may hold what an earlier run made of other rules.
        if not folder.findings:
            end("there is no rule to convert")
        end_with(folder.findings)
    found = Conversions(folder, folders or [RULES.relative_to(ROOT)], mappings, settings)
    try:
        with Bar("rules in every language") as bar:
            found.write(out, bar.at)
    except (OutputError, OSError) as fault:
        end(str(fault))
    for line in (*found.summary_lines(), *found.others(out)):
        click.echo(line, err=True)
    click.echo(escaped(f"report in {out / REPORT}"), err=True)
    end_with(folder.findings)
