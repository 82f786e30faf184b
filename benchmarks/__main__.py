"""``python -m benchmarks``: see ``--help``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The build reads the engine's modules as Splunk does, from app/bin.
sys.path[:0] = [str(ROOT), str(ROOT / "app" / "bin")]

import click  # noqa: E402 - after the path is set

from benchmarks import peers, report, results, tables  # noqa: E402
from benchmarks.measures import Context, GuardError  # noqa: E402
from benchmarks.places import QUICK_RESULTS, RESULTS, SPLUNK_PYTHONS, NotRunError  # noqa: E402
from benchmarks.processes import ChildError  # noqa: E402
from benchmarks.registry import JUDGED, MEASURES  # noqa: E402

_REPEATS, _QUICK_REPEATS = 5, 2


def _listed(_: click.Context, __: click.Parameter, value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


@click.group(invoke_without_command=True)
@click.option("--only", multiple=True, type=click.Choice(list(MEASURES)), help="Measure this (repeatable).")
@click.option("--repeats", type=click.IntRange(1), help=f"Repeats of each side; {_REPEATS} otherwise.")
@click.option("--quick", is_flag=True, help="The bars alone, on small inputs, twice; results-quick.json.")
@click.option(
    "--python", "pythons", default="", callback=_listed, help="Interpreters to measure: 3.9,3.13; quick: 3.13."
)
@click.option("--results", "path", type=click.Path(path_type=Path), help="Written instead of results.json.")
@click.option("--list", "listed", is_flag=True, help="Name the measurements and stop.")
@click.pass_context
def main(click_context: click.Context, **options: object) -> None:
    """Measure, print a table, and write benchmarks/results.json."""
    if click_context.invoked_subcommand is not None:
        return
    if options["listed"]:
        for name, measure in MEASURES.items():
            click.echo(f"{name:14} {(measure.__doc__ or '').splitlines()[0]}")
        return
    sys.exit(_run(**options))  # type: ignore[arg-type]


def _run(
    *,
    only: tuple[str, ...],
    repeats: int | None,
    quick: bool,
    pythons: list[str],
    path: Path | None,
    listed: bool,  # noqa: ARG001 - dealt with
) -> int:
    path = path or (QUICK_RESULTS if quick else RESULTS)
    pythons = pythons or list(SPLUNK_PYTHONS[-1:] if quick else SPLUNK_PYTHONS)
    names = only or (JUDGED if quick else tuple(MEASURES))
    found = results.read(path) or results.Results({})
    found.machine = results.machine(pythons)
    failed = []
    for name in names:
        context = Context(pythons, repeats or (_QUICK_REPEATS if quick else _REPEATS), quick)
        if not _measure(name, context, found):
            failed.append(name)
        found.write(path)
    _show(found, names)
    for name in failed:
        click.echo(f"FAILED: {name}: {found.not_run[name]}")
    click.echo(f"written: {path.name}")
    return 1 if failed else 0


def _measure(name: str, context: Context, found: results.Results) -> bool:
    """Make one measurement; False if its results are wrong."""
    started = time.monotonic()
    click.echo(f"{name} ...", err=True)
    found.forget(name)
    right = True
    try:
        rows = MEASURES[name](context)
    except (NotRunError, ChildError) as reason:
        found.not_run[name] = str(reason)
    except GuardError as wrong:
        found.not_run[name], right = str(wrong), False
    except Exception as fault:  # noqa: BLE001 - told below, and ends the run with an error
        found.not_run[name], right = f"{type(fault).__name__}: {fault}", False
    else:
        found.rows += rows
        found.tables.update(context.tables)
    found.notes[name] = context.notes
    click.echo(f"{name}: {time.monotonic() - started:.0f} s", err=True)
    return right


def _show(found: results.Results, names: tuple[str, ...]) -> None:
    shown = [row for row in found.rows if row.measure in names]
    if shown:
        click.echo(tables.plain([tables.HEADINGS, *(tables.cells(row) for row in shown)]))
    for row in shown:
        click.echo(f"  {row.measure} {row.python}: {row.guard}; {row.note}")
    for name in names:
        for note in found.notes.get(name, ()):
            click.echo(f"  note ({name}): {note}")
        if name in found.not_run:
            click.echo(f"  not run: {name}: {found.not_run[name]}")


@main.command()
@click.option("--python", "pythons", default="3.13,3.11", callback=_listed, help="Interpreters to set up.")
def setup(pythons: list[str]) -> None:
    """Make the environments of the other Sigma engines, in .venv-bench."""
    for line in peers.set_up(pythons):
        click.echo(line)


@main.command("report")
def write_report() -> None:
    """Write docs/performance.md and its charts from results.json."""
    found = results.read(RESULTS)
    if found is None:
        raise click.ClickException("there is no benchmarks/results.json; run python -m benchmarks first")
    for path in report.write(found):
        click.echo(path.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    main()
