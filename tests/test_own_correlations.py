"""The project's own correlations (``tests/rules/correlation_*.yml``), by ``build.py match`` and by both commands.

All sequences go through one search, far apart in time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from builder.paths import ROOT, RULES
from builder.rulefiles import read_folders
from sigmaengine.correlation import Correlation
from tests.support.builds import run
from tests.support.correlating import ORDERS, searched
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python
from tests.support.sequences import Sequence, sequences

ALL = sequences()
IDS = [one.id for one in ALL]
OWN: dict[str, Correlation] = {
    Path(one.path).relative_to(ROOT).as_posix(): one.correlation
    for one in read_folders([RULES]).outcomes
    if one.correlation
}
#: An alert: the correlation's id, the position of the event that completed it, its group, its value.
Told = tuple[str, int, dict[str, str], float]


def wanted(sequence: Sequence) -> list[Told]:
    """The alerts that the correlation of a sequence must give."""
    return [
        (OWN[sequence.correlation].id, sequence.first + alert["event"], alert["group"], alert["value"])
        for alert in sequence.alerts
    ]


def told_of(sequence: Sequence, alerts: list[Told]) -> list[Told]:
    """What its correlation says of a sequence. Other correlations may see something in it too."""
    positions = range(sequence.first, sequence.first + len(sequence.events))
    return [alert for alert in alerts if alert[0] == OWN[sequence.correlation].id and alert[1] in positions]


def test_each_own_correlation_alerts_and_has_near_misses() -> None:
    assert len(OWN) >= 7
    for some in ([one for one in ALL if one.alerts], [one for one in ALL if not one.alerts]):
        assert {one.correlation for one in some} == set(OWN)


def test_every_type_that_orders_or_counts_is_shown() -> None:
    kinds = {one.kind for one in OWN.values()}
    assert kinds == {"event_count", "value_count", "temporal", "temporal_ordered"}


@pytest.fixture(scope="module")
def by_match(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[dict[str, Any]]]:
    """The lines of ``build.py match``, by the engine or by the command."""
    path = tmp_path_factory.mktemp("sequences") / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for one in ALL for event in one.events), "utf-8")

    @cache
    def lines(via: str) -> list[dict[str, Any]]:
        result = run("match", "--format", "jsonl", "--via", via, path)
        assert result.exit_code == 0
        return [json.loads(line) for line in result.stdout.splitlines()]

    return lines


@pytest.mark.parametrize("via", ["engine", "command"])
@pytest.mark.parametrize("sequence", ALL, ids=IDS)
def test_match(sequence: Sequence, via: str, by_match: Callable[[str], list[dict[str, Any]]]) -> None:
    alerts = [(one["rule_id"], one["event"], one["group"], one["value"]) for one in by_match(via) if "group" in one]
    assert told_of(sequence, alerts) == wanted(sequence)


def test_what_is_only_counted_is_not_shown(by_match: Callable[[str], list[dict[str, Any]]]) -> None:
    """A slip of the finger is no match; what is an alert of its own stays one."""
    shown = {line["rule_id"] for line in by_match("engine") if "group" not in line}
    listed = {rule for one in OWN.values() for rule in one.rules} - {one.id for one in OWN.values()}
    assert listed - shown == {rule for one in OWN.values() if not one.generate for rule in one.rules} != set()


@pytest.fixture(scope="module")
def by_commands(app: Path) -> Callable[[str, str], list[Told]]:
    """The alerts of ``| sigmamatch | sigmacorrelate``, by Splunk's Python and the order of the events."""
    # The addresses are as the order of time: events of one time are taken in the order of their addresses.
    numbered = enumerate(event for one in ALL for event in one.events)
    events = [{**event, "_cd": f"1:{position}"} for position, event in numbered]

    @cache
    def alerts(version: str, order: str) -> list[Told]:
        rows = searched(app, ORDERS[order](events), splunk_python(version))
        return sorted(map(_told, (row for row in rows if row.get("sigma_correlation_type"))), key=lambda one: one[1])

    return alerts


def _told(row: dict[str, Any]) -> Told:
    """The alert of a row."""
    events = row["sigma_events"]
    last = json.loads(events[-1] if isinstance(events, list) else events)
    return (
        row["sigma_rule_id"],
        int(last["_cd"].partition(":")[2]),
        json.loads(row["sigma_group"]),
        float(row["sigma_value"]),
    )


@pytest.mark.parametrize("order", ["descending", "disordered-in-small-chunks"])
@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
@pytest.mark.parametrize("sequence", ALL, ids=IDS)
def test_both_commands(
    sequence: Sequence, version: str, order: str, by_commands: Callable[[str, str], list[Told]]
) -> None:
    assert told_of(sequence, by_commands(version, order)) == wanted(sequence)
