"""The whole command against splunklib's empty one and against reading and writing CSV, in CPU time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import inputs, store
from .figures import Row, Sample, interleaved, ratio
from .measures import Context, check, only
from .places import CHILDREN
from .processes import run_command
from .streams import first_chunk, set_options

_MIB = 1024


def command(python: str, stream: Path, options: Sequence[str], app: Path | None = None) -> Callable[[int], Any]:
    """A run of ``| sigmamatch`` with all rules, or with an app's own."""

    def run(_: int) -> Any:
        set_options(stream, options)
        return run_command([python, str((app or store.app()) / "bin" / "sigmamatch.py")], stdin=stream)

    return run


def noop(python: str, stream: Path, app: Path | None = None) -> Callable[[int], Any]:
    """A run of splunklib's empty command, with the library of the same app."""

    def run(_: int) -> Any:
        set_options(stream, [])
        return run_command([python, str((app or store.app()) / "bin" / "noop.py")], stdin=stream)

    return run


def csv_copy(python: str, stream: Path) -> Callable[[int], Any]:
    """A run of csv.reader -> csv.writer."""

    def run(_: int) -> Any:
        set_options(stream, [])
        return run_command([python, str(CHILDREN / "csv_copy.py")], stdin=stream)

    return run


def metric(answer: dict[str, Any], name: str) -> Any:
    """A figure that the command reports: its first number."""
    value = answer["inspector"].get(f"metric.sigmamatch.{name}")
    return value[2] if isinstance(value, list) and len(value) > 2 else value


def seconds(answers: list[dict[str, Any]]) -> list[float]:
    """CPU seconds of processes, from start to end."""
    return [answer["cpu"] for answer in answers]


def _sample_of_rates(events: int, answers: list[dict[str, Any]]) -> Sample:
    return Sample("events/s", [events / spent for spent in seconds(answers)])


def _peak(answers: list[dict[str, Any]]) -> str:
    return f"{max(answer['peak'] for answer in answers) / _MIB:.0f} MB"


def guarded(answers: list[dict[str, Any]], chunks: int) -> tuple[int, int]:
    """(events, matched) of a command's runs, the same in all of them. Raises GuardError."""
    only([answer["chunks"] for answer in answers] + [chunks], "not every chunk was answered")
    only([answer["bytes"] for answer in answers], "the size of the answers changes")
    events = only([metric(answer, "events") for answer in answers], "the number of events changes")
    return events, only([metric(answer, "matched") for answer in answers], "the number of matching events changes")


def _row(answers: dict[str, Any], ours: str, theirs: str, **row: Any) -> Row:
    """Ours against theirs, from the answers of one interleaved run."""
    events, matched = guarded(answers[ours], answers["no-op"][0]["chunks"])
    sides = {name: _sample_of_rates(events, answers[name]) for name in (ours, theirs)}
    peaks = ", ".join(f"{name} {_peak(answers[name])}" for name in (ours, theirs))
    value = ratio(seconds(answers[theirs]), seconds(answers[ours]))
    guard = f"{events} events, {matched} of them match, in every repeat"
    return Row(value=value, sides=sides, guard=guard, note=f"peak memory: {peaks}", **row)


def _matched_by_engine(stream_events: int, python: str, stride: int) -> int:
    """How many events of set d match, by the engine alone: the reference of the command's number."""
    from .engine_rows import run_engine  # noqa: PLC0415 - the modules are of one level

    told = run_engine(python, inputs.mixed_events(), store.app() / "bin" / "ruleset", stride=stride)
    check(told["events"] == stream_events, f"{told['events']} events, not {stream_events}")
    matched: int = told["matched"]
    return matched


def mixed(context: Context) -> list[Row]:
    """Set d as splunkd sends mixed events: filter and annotate mode against the no-op, filter against CSV."""
    stream, raw_bytes = inputs.mixed_stream(quick=context.quick), inputs.raw_bytes()
    rows = []
    for version, python in context.interpreters():
        runs = {
            "filter": command(python, stream, ["mode=filter"]),
            "annotate": command(python, stream, ["mode=annotate"]),
            "no-op": noop(python, stream),
            "csv": csv_copy(python, stream),
        }
        answers = interleaved(context.repeats, runs)
        events, matched = guarded(answers["filter"], answers["no-op"][0]["chunks"])
        stride = inputs.QUICK_STRIDE if context.quick else 1
        reference = _matched_by_engine(events, python, stride)
        check(matched == reference, f"the command finds {matched} matching events, the engine {reference}")
        bodies = stream.stat().st_size - 2 * len(first_chunk([]))
        check(answers["annotate"][0]["bytes"] >= bodies, "annotate mode wrote less than it read")
        context.tables["set d"] = {"events": events, "matched": matched, "raw_bytes": raw_bytes}
        pairs = (("filter", "no-op", 4, 7), ("annotate", "no-op", 3, 5), ("filter", "csv", 2, 3))
        for ours, theirs, bar, beyond in pairs:
            title = f"whole command, all of SigmaHQ, set d with all fields and twins, mode={ours}, against {theirs}"
            row = _row(answers, ours, theirs, measure="command", title=title, python=version, bar=bar, beyond=beyond)
            row.guard += ", as the engine alone finds"
            rows.append(row)
    return rows


def _simple(
    context: Context, measure: str, title: str, stream: Path, modes: Sequence[tuple[str, Any, Any]]
) -> list[Row]:
    app, rules = store.any_app()
    rows = []
    for version, python in context.interpreters():
        runs = {mode: command(python, stream, [f"mode={mode}"], app) for mode, _, _ in modes}
        answers = interleaved(context.repeats, {**runs, "no-op": noop(python, stream, app)})
        only([guarded(answers[mode], answers["no-op"][0]["chunks"]) for mode, _, _ in modes], "the modes differ")
        rows += [
            _row(
                answers,
                mode,
                "no-op",
                measure=measure,
                title=f"whole command, {rules}, {title}, mode={mode}, against no-op",
                python=version,
                bar=bar,
                beyond=beyond,
            )
            for mode, bar, beyond in modes
        ]
    return rows


def recording(context: Context) -> list[Row]:
    """The recorded 50,000 events of 24 fields, annotate mode, against the no-op."""
    title = "50,000 x 24 recording"
    return _simple(context, "recording", title, inputs.recorded_stream(), [("annotate", 2, 3)])


def raw_events(context: Context) -> list[Row]:
    """Events with JSON in ``_raw``, and events whose data are in an XML ``_raw`` alone."""
    modes = [("filter", None, None), ("annotate", None, None)]
    count = context.size(50_000, 5_000)
    rows = _simple(context, "raw", "CloudTrail events, JSON _raw", inputs.json_stream(count), modes)
    title = "PowerShell events, data in XML _raw alone"
    return rows + _simple(context, "raw", title, inputs.xml_stream(count), modes)


def start(context: Context) -> list[Row]:
    """CPU from the start of the process to its end after one chunk with one process creation."""
    stream = inputs.one_event_stream()
    rows = []
    for version, python in context.interpreters():
        runs = {"command": command(python, stream, ["mode=filter"]), "no-op": noop(python, stream)}
        interleaved(1, runs)  # Python's compiled files are written
        answers = interleaved(context.repeats * 2, runs)
        guarded(answers["command"], 2)
        ours, theirs = seconds(answers["command"]), seconds(answers["no-op"])
        rows.append(
            Row(
                "start",
                "CPU from process start to the reply to one process creation, all of SigmaHQ, against no-op",
                version,
                ratio(ours, theirs),
                better="lower",
                bar=3,
                beyond=1.5,
                sides={"command": Sample("s", ours), "no-op": Sample("s", theirs)},
                guard="one chunk, one answer",
                note="the end of the process is counted too",
            )
        )
    return rows
