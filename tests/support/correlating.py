"""Searches with ``| sigmacorrelate``, and what apps with correlations are made of."""

from __future__ import annotations

import io
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.mappings import Mappings
from builder.outcomes import Outcome, RuleFolder
from builder.package import Inputs, compile_inputs
from builder.replay import CORRELATE, Command, event_chunk, rows, stream_of
from sigmaengine import chunks
from sigmaengine.correlation import Correlation
from sigmaengine.rule import Rule
from tests.support.apps import Row
from tests.support.searches import DEFAULT_PYTHON, Run


def inputs_of(rules: Sequence[Rule], correlations: Sequence[Correlation], mappings: Mappings) -> Inputs:
    """What a package is built from."""
    outcomes = [Outcome(f"{rule.id}.yml", 1, rule, {"id": rule.id}) for rule in rules]
    outcomes += [
        Outcome(f"{one.id}.yml", 1, None, {"id": one.id}, kind="correlation", correlation=one) for one in correlations
    ]
    return compile_inputs(RuleFolder(outcomes, len(outcomes)), mappings)


def run(app: Path, options: Sequence[str], bodies: Sequence[bytes], folder: Path, python: str = "") -> Run:
    """The packaged command over these chunks."""
    stream = stream_of(options, bodies, str(folder), CORRELATE)
    command = [python or DEFAULT_PYTHON, str(app / "bin" / "sigmacorrelate.py")]
    done = subprocess.run(command, input=stream, capture_output=True, check=False, cwd=folder, timeout=30)
    read = io.BytesIO(done.stdout)
    replies = list(iter(lambda: chunks.read_chunk(read), None))
    return Run(done.returncode, replies, done.stderr.decode("utf-8", "replace"))


def alerts_in(result: Run) -> list[dict[str, Any]]:
    """The alerts of a run."""
    return [row for body in result.bodies for row in rows(body) if row.get("sigma_correlation_type")]


def searched(app: Path, tables: Sequence[Sequence[Row]], python: str) -> list[Row]:
    """The rows of ``| sigmamatch | sigmacorrelate`` over events in chunks."""
    found: list[Row] = []
    with Command(app, [], python) as match, Command(app, [], python, CORRELATE) as correlate:
        for number, events in enumerate(tables, 1):
            finished = number == len(tables)
            found += rows(correlate.send(match.send(event_chunk(events), finished=finished), finished=finished))
    return found


#: How the rows of a search may come: rows -> chunks.
ORDERS: dict[str, Any] = {
    "ascending": lambda rows: [rows],
    "descending": lambda rows: [rows[::-1]],
    "disordered-in-small-chunks": lambda rows: _chunks(random.Random(3).sample(rows, len(rows)), 7),  # noqa: S311 - a shuffle that repeats
    "ending-in-a-header": lambda rows: [rows, []],
}


def _chunks(rows: list[Row], size: int) -> list[list[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
