"""How time and memory grow: with rules, with the size of events, with distinct values."""

from __future__ import annotations

import sys
from typing import Any

from . import inputs, store
from .command_rows import command, guarded, metric, noop, seconds
from .engine_rows import plain_guard, run_engine
from .figures import Row, Sample, interleaved, ratio
from .measures import Context, check, only
from .places import CHILDREN
from .processes import run_command

_MIB = 1024
_CHUNK = 10_000
_MICRO = 1e6


def _per_event(answers: list[dict[str, Any]], key: str) -> list[float]:
    """Microseconds an event."""
    return [answer[key] / answer["events"] * _MICRO for answer in answers]


def many_rules(context: Context) -> list[Row]:
    """Time per event with 100 to 20,000 rules; the bar is on 20,000 against 3,700, warm."""
    counts = (3700, 20_000) if context.quick else (100, 300, 1000, 3700, 20_000)
    events = inputs.mixed_events()
    stride = context.size(4, 20)
    rows = []
    for version, python in context.interpreters():
        runs = {
            str(count): lambda _, python=python, count=count: run_engine(
                python, events, store.rules_of(count), stride=stride, warm=True
            )
            for count in counts
        }
        answers = interleaved(context.repeats, runs)
        for name in runs:
            only([answer["pairs"] for answer in answers[name]], f"matches of {name} rules change")
        check(answers["20000"][0]["pairs"] >= answers["3700"][0]["pairs"], "more rules, fewer matches")
        few, many = _per_event(answers["3700"], "warm"), _per_event(answers["20000"], "warm")
        context.tables[f"rules {version}"] = [
            {"rules": count, **{key: _per_event(answers[str(count)], key) for key in ("cold", "warm")}}
            for count in counts
        ]
        guard = plain_guard(context, events, store.rules_of(20_000), 207_087) if version == context.pythons[0] else ""
        rows.append(
            Row(
                "rules",
                "time per event, 20,000 rules against 3,700, values seen before",
                version,
                ratio(many, few),
                better="lower",
                bar=2,
                beyond=1.3,
                sides={"20,000 rules": Sample("us/event", many), "3,700 rules": Sample("us/event", few)},
                guard=guard or f"{answers['20000'][0]['pairs']} matches in every repeat",
                note=f"every {stride}th event of set d, twice; the second pass is measured",
            )
        )
    return rows


def event_size(context: Context) -> list[Row]:
    """Filter and annotate mode against the no-op on process creations with more and more columns."""
    version, python = context.interpreters()[-1]
    table = []
    for columns in (40, 200) if context.quick else (40, 100, 200, 400):
        stream = inputs.wide_stream(columns, context.size(20_000, 5_000))
        runs = {mode: command(python, stream, [f"mode={mode}"]) for mode in ("filter", "annotate")}
        answers = interleaved(context.repeats, {**runs, "no-op": noop(python, stream)})
        events, _ = guarded(answers["filter"], answers["no-op"][0]["chunks"])
        spent = {name: [events / value for value in seconds(answers[name])] for name in answers}
        table.append({"columns": columns, **spent})
    context.tables["columns"] = {"python": version, "rows": table}
    return []


def distinct_values(context: Context) -> list[Row]:
    """The engine on process creations of which a share have a command line seen before; memory empty at the start."""
    version, python = context.interpreters()[-1]
    count = context.size(50_000, 2_000)
    shares = (0.001, 0.01, 0.1, 0.5, 1.0)
    rules = store.windows_rules()
    files = {share: inputs.repeated_events(count, max(1, int(share * count))) for share in shares}
    runs = {str(share): lambda _, path=path: run_engine(python, path, rules) for share, path in files.items()}
    answers = interleaved(context.repeats, runs)
    context.tables["distinct"] = {
        "python": version,
        "rows": [
            {
                "share": share,
                "cold": _per_event(answers[str(share)], "cold"),
            }
            for share in shares
        ],
    }
    return []


def _fed(python: str, script: str, *, events: int, distinct: int, raw: bool = True) -> dict[str, Any]:
    """A search over generated process creations."""
    import json  # noqa: PLC0415 - used here alone

    known = inputs.templates(("mode=filter",), raw=raw)
    spec = {"templates": str(known), "events": events, "rows": _CHUNK, "distinct": distinct}
    feed = [sys.executable, str(CHILDREN / "feed.py"), json.dumps(spec)]
    return run_command([python, str(store.app() / "bin" / script)], feed=feed)


def memory(context: Context) -> list[Row]:
    """Peak memory of the command on 1 M events with 100,000 distinct command lines; the no-op's beside it."""
    events, distinct = context.size(1_000_000, 20_000), context.size(100_000, 20_000)
    rows = []
    for version, python in context.interpreters():
        # A no-op's memory is that of one chunk, so that few of them do.
        ours = _fed(python, "sigmamatch.py", events=events, distinct=distinct)
        theirs = _fed(python, "noop.py", events=2 * _CHUNK, distinct=distinct)
        check(metric(ours, "events") == events, "events are missing")
        rows.append(
            Row(
                "memory",
                f"peak memory, {events:,} events, {distinct:,} distinct command lines",
                version,
                Sample("MB", [ours["peak"] / _MIB]),
                better="lower",
                bar=250,
                beyond=150,
                sides={
                    "command": Sample("events/s", [events / value for value in seconds([ours])]),
                    "no-op": Sample("MB", [theirs["peak"] / _MIB]),
                },
                guard=f"{events} events, {metric(ours, 'matched')} of them match",
                note="process creations with _raw, 10,000 rows a chunk",
            )
        )
    return rows


def memory_growth(context: Context) -> list[Row]:
    """Peak memory of the command against the number of events and of distinct command lines."""
    version, python = context.interpreters()[-1]
    few = context.size(50_000, 2_000)
    wanted = [(few, few), (4 * few, few), (16 * few, few), (4 * few, few // 50), (4 * few, 2 * few), (4 * few, 4 * few)]
    table = []
    for events, distinct in wanted:
        told = _fed(python, "sigmamatch.py", events=events, distinct=distinct, raw=False)
        table.append({"events": events, "distinct": distinct, "peak": told["peak"] / _MIB})
    context.tables["memory"] = {"python": version, "rows": table}
    return []
