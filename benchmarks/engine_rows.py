"""The engine alone against SQLite and against reading and writing CSV."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from . import inputs, store
from .figures import Row, Sample, interleaved, ratio
from .measures import Context, check, only
from .places import BUILT, NotRunError, full_version, interpreter, peer_python, shared
from .processes import run_child

#: Of what is sampled for the plain evaluator, which takes some 10 ms an event.
_PLAIN_EVENTS = (400, 40)


def rates(answers: list[dict[str, Any]], key: str = "cold") -> list[float]:
    """Events a CPU second."""
    return [answer["events"] / answer[key] for answer in answers]


def run_engine(python: str, events: Path, rules: Path, **more: Any) -> dict[str, Any]:
    """Events through the snapshot's engine."""
    return run_child("engine", python, bin=store.snapshot() / "app" / "bin", events=events, ruleset=rules, **more)


def plain_guard(context: Context, events: Path, rules: Path, lines: int) -> str:
    """Compare masks with the plain evaluator on a sample of the events. Raises GuardError."""
    wanted = context.size(*_PLAIN_EVENTS)
    told = run_child(
        "plain",
        sys.executable,
        bin=store.snapshot() / "app" / "bin",
        events=events,
        ruleset=rules,
        stride=max(1, lines // wanted),
    )
    check(told["same"], f"masks and plain evaluator differ on {events.name}")
    return f"as the plain evaluator on {told['events']} events ({told['pairs']} matches)"


def expected_guard(found: Path) -> str:
    """Compare matches on set d with those that other engines found. Raises GuardError."""
    listed = set(shared("data/expected/rule-ids.txt").read_text("utf-8").split())
    pairs = {(number, rule) for number, rule in json.loads(found.read_text("ascii")) if rule in listed}
    wanted, possible = (
        _expected("data/expected/expected-d.jsonl.gz"),
        _expected("data/expected/expected-d-disagree.jsonl.gz"),
    )
    check(wanted <= pairs, f"{len(wanted - pairs)} expected matches are missing on set d")
    check(pairs <= wanted | possible, f"{len(pairs - wanted - possible)} matches on set d are not expected")
    return f"the {len(wanted)} matches expected on set d"


@cache
def _expected(name: str) -> frozenset[tuple[int, str]]:
    """Expected pairs; of a list of disagreements those that may or may not be."""
    with gzip.open(shared(name), "rt", encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    return frozenset((entry["idx"], entry["rule_id"]) for entry in entries if entry.get("expected", None) is None)


# --- SQLite ---------------------------------------------------------------------------------------


def queries(context: Context) -> Path:
    """The SQLite queries of the rules for Windows, converted once; the time it took is noted."""
    version, python = _any_peer()
    log = BUILT / "queries.log"

    def make(target: Path) -> None:
        told = run_child("sqlite_convert", python, rules=store.windows_rule_files(), out=target)
        log.write_text(json.dumps({**told, "python": full_version(version)}), "utf-8")

    path = store.kept("queries.json", store.digest([Path(__file__).parent / "children" / "sqlite_convert.py"]), make)
    told = json.loads(log.read_text("utf-8"))
    context.tables["conversion"] = told
    context.note(
        f"SQLite: pySigma converts {told['rules']} rules in {told['cold']:.0f} CPU s, not counted below;"
        f" {told['refused']} have no SQLite form"
    )
    return path


def _any_peer() -> tuple[str, str]:
    for version in ("3.13", "3.12", "3.11"):
        try:
            return version, peer_python(version)
        except NotRunError:
            continue
    raise NotRunError("needs the other engines: python -m benchmarks setup")


def _sqlite_sides(context: Context, version: str) -> dict[str, tuple[str, str]]:
    """Name -> (interpreter, way): zargunlite where it installs, and the standard library's sqlite3."""
    sides = {"sqlite3": (interpreter(version), "sqlite3")}
    try:
        sides["zargunlite"] = (peer_python(version), "zargunlite")
    except NotRunError as missing:
        reason = "zargunlite does not install on Python 3.9" if version == "3.9" else str(missing)
        context.note(f"{reason}: pySigma's SQLite queries are run by the standard library's sqlite3 there")
    return sides


def _against_sqlite(  # noqa: PLR0913, PLR0917 - what tells two measurements apart
    context: Context, measure: str, title: str, events: Path, shares: int, guard: Callable[[Path], str], bars: Any
) -> list[Row]:
    """Rows of the engine against SQLite. A repeat's SQLite gets every ``shares``-th event, another one each time."""
    converted, rules = queries(context), store.windows_rules()
    rows = []
    for version, python in context.interpreters():
        found = BUILT / f"pairs-{measure}-{version}.json"
        sides = _sqlite_sides(context, version)
        runs: dict[str, Callable[[int], Any]] = {
            "ours": lambda number, python=python, found=found: run_engine(
                python, events, rules, pairs=found if number == 0 else None, **_quick_share(context)
            )
        }
        for name, (other, way) in sides.items():
            runs[name] = lambda number, other=other, way=way: run_child(
                "sqlite_match", other, events=events, queries=converted, via=way, stride=shares, offset=number % shares
            )
        answers = interleaved(context.repeats, runs)
        pairs = only([answer["pairs"] for answer in answers["ours"]], "the number of matches changes")
        ours = rates(answers["ours"])
        judged = "zargunlite" if "zargunlite" in sides else "sqlite3"
        for name in sides:
            theirs = rates(answers[name])
            rows.append(
                Row(
                    measure,
                    f"{title}, against pySigma -> SQLite ({name})",
                    version,
                    ratio(ours, theirs),
                    bar=bars[0] if name == judged else None,
                    beyond=bars[1] if name == judged else None,
                    sides={"engine": Sample("events/s", ours), name: Sample("events/s", theirs)},
                    guard=f"{pairs} matches, {guard(found)}",
                    note=f"each repeat of SQLite takes every {shares}th event, another one each time",
                )
            )
    return rows


def _quick_share(context: Context) -> dict[str, Any]:
    return {"stride": inputs.QUICK_STRIDE} if context.quick else {}


def mixed_against_sqlite(context: Context) -> list[Row]:
    """Set d, 2,858 rules, memory empty at the start, against pySigma -> SQLite."""
    events, rules = inputs.mixed_events(), store.windows_rules()
    plain = plain_guard(context, events, rules, 207_087)

    def guard(found: Path) -> str:
        return plain if context.quick else f"{expected_guard(found)}; {plain}"

    title = "engine, set d, 2,858 rules"
    return _against_sqlite(context, "engine-sqlite", title, events, context.size(5, 50), guard, (40, 80))


def new_against_sqlite(context: Context) -> list[Row]:
    """Process creations of which every command line is new, 2,858 rules, against pySigma -> SQLite."""
    events, rules = inputs.new_events(50_000), store.windows_rules()
    plain = plain_guard(context, events, rules, 50_000)
    title = "engine, process creations all new"
    return _against_sqlite(context, "engine-new", title, events, context.size(5, 50), lambda _: plain, (10, 30))


# --- CSV ------------------------------------------------------------------------------------------


def mixed_against_csv(context: Context) -> list[Row]:
    """Set d, 2,858 rules, against csv.reader -> csv.writer on the same events, each with its own fields alone."""
    events, rules = inputs.mixed_events(), store.windows_rules()
    share = _quick_share(context)
    rows = []
    for version, python in context.interpreters():
        answers = interleaved(
            context.repeats,
            {
                "ours": lambda _, python=python: run_engine(python, events, rules, **share),
                "csv": lambda _, python=python: run_child("csv_rows", python, events=events, **share),
            },
        )
        pairs = only([answer["pairs"] for answer in answers["ours"]], "the number of matches changes")
        ours, theirs = rates(answers["ours"]), rates(answers["csv"])
        rows.append(
            Row(
                "engine-csv",
                "engine, set d, 2,858 rules, against csv.reader -> csv.writer",
                version,
                ratio(ours, theirs),
                bar=1,
                beyond=2,
                sides={"engine": Sample("events/s", ours), "csv": Sample("events/s", theirs)},
                guard=f"{pairs} matches in every repeat",
                note="CSV rows hold an event's own fields alone: no empty cells and no twins",
            )
        )
    return rows


# --- engines that try rule after rule -------------------------------------------------------------


def other_engines(context: Context) -> list[Row]:
    """Process creations and the rules for them alone, on every engine that runs here."""
    version, python = _any_peer()
    events, rules = inputs.new_events(50_000), store.process_creation_rules()
    stride = context.size(100, 2000)
    compiled = store.windows_rules()
    runs: dict[str, Callable[[int], Any]] = {
        "engine": lambda _: run_engine(interpreter(version), events, compiled, **_quick_share(context)),
        "plain evaluator": lambda _: run_child(
            "plain",
            interpreter(version),
            bin=store.snapshot() / "app" / "bin",
            events=events,
            ruleset=compiled,
            stride=context.size(250, 2500),
        ),
    }
    for name in ("sigma-rule-matcher", "azuma", "detkit-cli"):
        runs[name] = lambda _, name=name: run_child(
            "one_by_one", python, engine=name, events=events, rules=rules, stride=stride
        )
    answers = interleaved(1 if context.quick else context.repeats, runs)
    ours = rates(answers["engine"])
    rows = []
    for name in list(runs)[1:]:
        theirs = rates(answers[name])
        told = answers[name][0]
        counted = f"{told['rules']} of {len(rules)} rules accepted; " if "rules" in told else ""
        rows.append(
            Row(
                "engines",
                f"engine, process creations and their rules, against {name}",
                version,
                ratio(ours, theirs),
                sides={"engine": Sample("events/s", ours), name: Sample("events/s", theirs)},
                guard=f"{counted}{told['pairs']} matches on {told['events']} events",
                note=f"the engine takes {answers['engine'][0]['events']:,} events, all new, memory empty at the start",
            )
        )
    return rows
