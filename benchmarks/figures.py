"""Samples, ratios and rows: what a measurement gives."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Sample:
    """Repeats of one figure."""

    unit: str
    values: list[float]

    @property
    def median(self) -> float:
        """The middle of the values."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The least value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(self.values)


@dataclass
class Row:
    """One figure against its bar. ``better``: "higher" or "lower"; ``bar`` and ``beyond`` may be absent.

    ``ours`` and ``theirs`` are what the ratio is made of, by what they are called.
    """

    measure: str
    title: str
    python: str
    value: Sample
    better: str = "higher"
    bar: float | None = None
    beyond: float | None = None
    sides: dict[str, Sample] = field(default_factory=dict)
    guard: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """How the median stands to the bars."""
        if self.bar is None:
            return ""
        reached = self.value.median.__ge__ if self.better == "higher" else self.value.median.__le__
        if self.beyond is not None and reached(self.beyond):
            return "beyond"
        return "reached" if reached(self.bar) else "missed"

    def to_json(self) -> dict[str, Any]:
        """All of it, with the medians and the verdict for programs that read it."""
        values = asdict(self)
        for sample in (values["value"], *values["sides"].values()):
            numbers = sample["values"]
            sample.update(median=statistics.median(numbers), min=min(numbers), max=max(numbers))
        return {**values, "verdict": self.verdict}


def row_from_json(values: Mapping[str, Any]) -> Row:
    """A row as ``Row.to_json`` wrote it."""
    known = {name: values[name] for name in Row.__dataclass_fields__}
    known["value"] = _sample(values["value"])
    known["sides"] = {name: _sample(sample) for name, sample in values["sides"].items()}
    return Row(**known)


def _sample(values: Mapping[str, Any]) -> Sample:
    return Sample(values["unit"], list(values["values"]))


def interleaved(repeats: int, runs: Mapping[str, Callable[[int], Any]]) -> dict[str, list[Any]]:
    """A B C, A B C, ...: the answers of each run, called with the number of the repeat."""
    answers: dict[str, list[Any]] = {name: [] for name in runs}
    for number in range(repeats):
        for name, run in runs.items():
            answers[name].append(run(number))
    return answers


def ratio(ours: Sequence[float], theirs: Sequence[float], unit: str = "x") -> Sample:
    """Ours through theirs, repeat by repeat."""
    return Sample(unit, [mine / other for mine, other in zip(ours, theirs, strict=True)])
