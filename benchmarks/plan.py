"""The plan on paper: what 10 TB a day would need, computed from the measured rates."""

from __future__ import annotations

from typing import Any

from .figures import Row
from .tables import markdown, number

_DAY = 86_400  # seconds
_VOLUME = 10e12  # bytes of _raw a day
#: The busiest hour over the average; office hours of one time zone make it about that.
_PEAK = 2.5
#: What an indexer of Splunk's reference hardware is planned for, in bytes a day.
_PER_INDEXER = 300e9
_WINDOW = 300  # seconds: a search every five minutes over the last five
_MEGA = 1e6


def _of(rows: list[Row], measure: str, mode: str, python: str) -> Row | None:
    found = [row for row in rows if row.measure == measure and row.python == python and mode in row.title]
    return found[0] if found else None


def section(rows: list[Row], tables: dict[str, Any]) -> list[str]:
    """The lines of the page; empty if what it is computed from was not measured."""
    size = tables.get("set d", {}).get("raw_bytes")
    found = [(row.python, row) for python in ("3.9", "3.13") if (row := _of(rows, "command", "mode=filter", python))]
    if not size or not found:
        return ["Not computed: the rows of the whole command were not measured."]
    average = _VOLUME / size / _DAY
    rate = (
        f"Events like set d: {number(size)} bytes of `_raw` each. 10 TB a day are"
        f" 10^13 / {number(size)} / 86,400 = **{number(average)} events/s** on average,"
        f" and {_PEAK:g} times that in the busiest hour: **{number(average * _PEAK)} events/s**."
    )
    share = (
        "A search is one process on each indexer, so that the indexer's share is what one core must carry."
        f" A search of every five minutes has {_WINDOW} s for its window; `time` is what its command needs of them."
    )
    lines = [rate, "", share, ""]
    for python, row in found:
        measured = row.sides["filter"].median
        said = f"Python {python}, {number(measured)} events/s a core (measured above):"
        lines += [said, "", _table(average, measured), ""]
    return [*lines, *_limits(rows, tables, average)]


def _table(average: float, rate: float) -> str:
    planned = round(_VOLUME / _PER_INDEXER)
    body = []
    for indexers in (10, 20, planned):
        each = average * _PEAK / indexers
        spent = each * _WINDOW / rate
        body.append(
            [
                f"{indexers}" + (" (300 GB a day each)" if indexers == planned else ""),
                number(each),
                f"{number(each)} x {_WINDOW} / {number(rate)} = {number(spent)} s",
                f"{100 * spent / _WINDOW:.0f} %",
                "1" if spent <= _WINDOW * 0.8 else f"{spent / (_WINDOW * 0.8):.1f}: split by index or source",
            ]
        )
    return markdown(("indexers", "events/s each, busiest hour", "time", "of one core", "processes"), body)


def _limits(rows: list[Row], tables: dict[str, Any], average: float) -> list[str]:
    lines = ["What limits it:", ""]
    start = next((row for row in rows if row.measure == "start" and row.python == "3.13"), None)
    if start:
        spent = start.sides["command"].median
        lines.append(
            f"- **Start**: {number(spent)} s CPU a process. Twenty searches every five minutes are"
            f" 20 x {number(spent)} / {_WINDOW} = {100 * 20 * spent / _WINDOW:.1f} % of a core on each indexer."
        )
    memory = next((row for row in rows if row.measure == "memory" and row.python == "3.13"), None)
    if memory:
        lines.append(f"- **Memory**: {number(memory.value.median)} MB a process at its peak, set by the chunk's size.")
    package = tables.get("package", {}).get("megabytes")
    if package:
        lines.append(
            f"- **Knowledge bundle**: the package with all of SigmaHQ has {package:.1f} MB; splunkd sends it to each"
            " indexer when it changes, not for each search."
        )
    matched, events = tables["set d"]["matched"], tables["set d"]["events"]
    lines.append(
        "- **Search head**: in filter mode it gets matching events alone. Of set d, recordings with attacks in them,"
        f" {matched:,} of {events:,} events match ({100 * matched / events:.2f} %); at that share it would receive"
        f" {number(average * _PEAK * matched / events)} events/s, and fewer with `level=high`."
    )
    lines.append(
        "- **splunkd**: it reads and extracts every event and writes it as CSV before the command sees it."
        " That was not measured (no server is at hand); the no-op above is what any Python command costs on top of it."
        " `required=auto` makes splunkd extract and send only what the rules look at."
    )
    return lines
