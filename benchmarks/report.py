"""``docs/performance.md`` and its charts, from ``results.json``."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from . import charts, plan, tables
from .figures import Row
from .places import ROOT
from .results import Results

PAGE = ROOT / "docs" / "performance.md"
CHARTS = ROOT / "docs" / "performance"

_INTRODUCTION = """# Performance

Written by `python -m benchmarks report` from a run of `make bench`; not edited by hand.

Every figure is a ratio of two programs in one run, each a child process of its own under the same
interpreter, run in turns (A B A B ...). Time is CPU time, user and system, of the process that is
measured. A figure is the median of its repeats, the least and the greatest in brackets. A fast
engine that finds other matches fails the run: each row says what its matches were compared with."""

_INPUTS = """## What is measured

- **set d**: 207,087 Windows events of 111 public lab recordings, mixed as they were recorded.
- **with all fields and twins**: chunks of 10,000 rows, each with the union of all fields in it and
  an `__mv_` twin of each, `_raw` included, quoted as splunkd quotes.
- **all new**: 50,000 Sysmon process creations made from the recorded ones, each with a command line,
  parent's command line, hashes and GUIDs that occur once.
- **50,000 x 24 recording**: what a real splunkd sent for a search over narrow, uniform events.
- **no-op**: splunklib's `StreamingCommand` whose `stream` yields every record unchanged.
- **pySigma -> SQLite**: rules converted by pySigma's SQLite backend with its Sysmon and Windows
  pipelines; events into a table in memory, then every query once. `zargunlite` is an engine that
  does this; `sqlite3` is the same with the standard library alone and what makes it faster.
  Conversion is not counted. Its events come without `_raw`.
- **csv**: `csv.reader` -> `csv.writer`, nothing else."""


def write(found: Results) -> list[Path]:
    """Write the page and the charts; returns their paths."""
    drawings = _charts(found)
    CHARTS.mkdir(parents=True, exist_ok=True)
    for old in CHARTS.glob("*.svg"):
        old.unlink()
    paths = []
    for name, drawing in drawings.items():
        path = CHARTS / f"{name}.svg"
        path.write_text(drawing, "utf-8")
        paths.append(path)
    PAGE.write_text("\n".join([*_page(found, list(drawings)), ""]), "utf-8")
    return [PAGE, *paths]


def _page(found: Results, drawn: list[str]) -> list[str]:
    judged = [row for row in found.rows if row.bar is not None]
    others = [row for row in found.rows if row.bar is None]
    growth = [f"![{name}](performance/{name}.svg)" for name in drawn if name != "bars"]
    lines = [_INTRODUCTION, "", _machine(found), "", "## Against the bars", "", _rows(judged), ""]
    if "bars" in drawn:
        lines += ["![Figures through their bars](performance/bars.svg)", ""]
    lines += [*_remarks(judged, found), "", "## Other comparisons", "", _rows(others), "", *_guards(others), ""]
    lines += [_INPUTS, "", "## Growth", "", *[line for picture in growth for line in (picture, "")]]
    lines += [*_growth(found.tables), "## Where the time goes", "", *_profile(found.tables.get("profile"))]
    lines += ["## 10 TB a day, on paper", "", *plan.section(found.rows, found.tables)]
    return lines


def _machine(found: Results) -> str:
    known = found.machine
    return (
        f"Machine: {known['cpu']}, {known['cores']} cores, {known['memory_gib']} GiB, {known['system']};"
        f" Python {' and '.join(known['pythons'])}; {known['date']}. One process a side."
    )


def _rows(rows: list[Row]) -> str:
    headings = ("what", "Python", "figure", "bar", "beyond", "", "sides (medians)")
    return tables.markdown(headings, [tables.cells(row) for row in rows])


def _guards(rows: list[Row]) -> list[str]:
    seen = dict.fromkeys(f"- {row.title}: {row.guard}; {row.note}." for row in rows)
    return list(seen)


def _remarks(rows: list[Row], found: Results) -> list[str]:
    lines = ["Matches, and what they were compared with:", "", *_guards(rows)]
    notes = dict.fromkeys(note for told in found.notes.values() for note in told)
    missing = [f"- Not run: {name}: {reason}." for name, reason in found.not_run.items()]
    return [*lines, "", *(f"- {note}." for note in notes), *missing]


# --- growth ---------------------------------------------------------------------------------------


def _growth(known: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name in sorted(name for name in known if name.startswith("rules ")):
        rows = [[f"{entry['rules']:,}", _middle(entry["cold"]), _middle(entry["warm"])] for entry in known[name]]
        lines += [
            f"Time per event, Python {name.split()[1]}, us (a share of set d; the first pass loads the rules, too):",
            "",
            tables.markdown(("rules", "memory empty", "values seen"), rows),
            "",
        ]
    lines += _simple(known, "columns", "Events/s by columns", ("columns", "filter", "annotate", "no-op"))
    lines += _simple(known, "distinct", "Engine, us per event by share of new command lines", ("share", "cold"))
    lines += _simple(known, "memory", "Peak memory, MB", ("events", "distinct", "peak"))
    return lines


def _simple(known: dict[str, Any], name: str, title: str, columns: tuple[str, ...]) -> list[str]:
    if name not in known:
        return []
    rows = [[_middle(entry[column]) for column in columns] for entry in known[name]["rows"]]
    return [f"{title} (Python {known[name]['python']}):", "", tables.markdown(columns, rows), ""]


def _middle(value: Any) -> str:
    if isinstance(value, list):
        return tables.number(statistics.median(value))
    return f"{value:,}" if isinstance(value, int) else tables.number(value)


def _profile(known: dict[str, Any] | None) -> list[str]:
    if not known:
        return ["Not measured.", ""]
    said = (
        f"cProfile of the whole command, Python {known['python']}, start and loading included. The profiler makes"
        " calls dearer than they are: read the order, not the sizes."
    )
    lines = [said, ""]
    for name, told in known.items():
        if name == "python":
            continue
        rows = [
            [
                f"`{entry['module'] + ': ' if entry['module'] else ''}{entry['function']}`",
                f"{entry['calls']:,}",
                f"{100 * entry['own'] / told['total']:.1f} %",
            ]
            for entry in told["functions"]
        ]
        lines += [f"{name}:", "", tables.markdown(("function", "calls", "own time"), rows), ""]
    return lines


# --- charts ---------------------------------------------------------------------------------------


def _charts(found: Results) -> dict[str, str]:
    known = found.tables
    drawings = {}
    judged = [row for row in found.rows if row.bar is not None]
    if judged:
        drawings["bars"] = charts.bars("Figures through their bars", [_bar(row) for row in judged])
    rules = {name.split()[1]: entries for name, entries in known.items() if name.startswith("rules ")}
    if rules:
        series = [
            charts.Series(f"{state}, {version}", _points(entries, "rules", key))
            for version, entries in sorted(rules.items())
            for key, state in (("cold", "memory empty"), ("warm", "values seen"))
        ]
        drawings["rules"] = charts.lines("Time per event against rules", "rules", "us/event", series)
    if "columns" in known:
        series = [
            charts.Series(name, _points(known["columns"]["rows"], "columns", name))
            for name in ("filter", "annotate", "no-op")
        ]
        drawings["columns"] = charts.lines("Speed against columns", "columns, without twins", "events/s", series)
    if "distinct" in known:
        series = [charts.Series("engine", _points(known["distinct"]["rows"], "share", "cold"))]
        name = "Time per event against new values"
        drawings["distinct"] = charts.lines(name, "share of command lines that are new", "us/event", series)
    if "memory" in known:
        drawings["memory"] = _memory_chart(known["memory"]["rows"])
    return drawings


def _points(rows: list[dict[str, Any]], x: str, y: str) -> list[tuple[float, float]]:
    return [(entry[x], statistics.median(entry[y])) for entry in rows]


def _memory_chart(rows: list[dict[str, Any]]) -> str:
    base = rows[0]["distinct"]
    by_events = [(entry["events"], entry["peak"]) for entry in rows if entry["distinct"] == base]
    middle = rows[1]["events"]
    by_distinct = sorted((entry["distinct"], entry["peak"]) for entry in rows if entry["events"] == middle)
    series = [
        charts.Series(f"events ({base:,} distinct)", sorted(by_events)),
        charts.Series(f"distinct ({middle:,} events)", by_distinct),
    ]
    return charts.lines("Peak memory", "events, or distinct command lines", "MB", series)


_SHORT = {
    "engine-sqlite": "engine / SQLite, set d",
    "engine-csv": "engine / csv, set d",
    "engine-new": "engine / SQLite, all new",
    "recording": "command / no-op, recording",
    "start": "start / no-op",
    "memory": "peak memory",
    "rules": "20,000 / 3,700 rules",
    "build": "build",
}


def _bar(row: Row) -> charts.Bar:
    limit = row.bar or 1
    higher = row.better == "higher"
    value = row.value.median / limit if higher else limit / row.value.median
    beyond = None if row.beyond is None else (row.beyond / limit if higher else limit / row.beyond)
    label = _SHORT.get(row.measure)
    if label is None:
        mode = "annotate" if "annotate" in row.title else "filter"
        label = f"command / {row.title.rsplit(' ', 1)[1]}, {mode}"
    return charts.Bar(f"{label}, {row.python}", value, beyond, tables.sample(row.value, spread=False))
