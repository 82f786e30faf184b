"""Correlations by hand (``tests/correlations``), through the engine and through both commands as a search has them.

All cases go through one search: each has rules and events of its own.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builder.mappings import Mappings
from builder.matching import via_command, via_engine
from builder.package import app_files, unpack
from builder.replay import Answers
from sigmaengine.correlation import Correlation, read_correlation
from sigmaengine.correlationrefs import resolve
from sigmaengine.rule import Rule
from sigmaengine.ruletext import read_documents
from tests.support.apps import Row, rule_of
from tests.support.correlating import ORDERS, inputs_of, searched
from tests.support.pythons import SPLUNK_PYTHONS, splunk_python

FILE = Path(__file__).parent / "correlations" / "cases.yml"
LETTERS = "abcd"
_KEYS = {"id", "row", "why", "correlation", "correlations", "events", "alerts", "left"}


class Case(NamedTuple):
    """``alerts``: (name, time, group, value) as text; ``left``: events that stay in the output."""

    id: str
    correlations: dict[str, dict[str, Any]]
    events: list[Row]
    alerts: list[tuple[str, str, tuple[str, ...], str]]
    left: list[int]

    def id_of(self, name: str) -> str:
        """The id of one of the case's rules or correlations."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.id} {name}"))

    def rules(self) -> list[Rule]:
        """A rule for each letter."""
        return [
            rule_of({"detection": {"s": {"case": self.id, "is": letter}, "condition": "s"}}, self.id_of(letter), letter)
            for letter in LETTERS
        ]

    def documents(self) -> list[dict[str, Any]]:
        """The correlation documents, which name rules by their ids."""
        ids = {name: self.id_of(name) for name in (*LETTERS, *self.correlations)}
        return [
            {"title": name, "id": ids[name], "level": "high", "correlation": _renamed(content, ids)}
            for name, content in self.correlations.items()
        ]


def _renamed(content: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    known = dict(content)
    if "rules" in known:
        known["rules"] = [ids[name] for name in known["rules"]]
    if isinstance(known.get("condition"), str):
        words = known["condition"].replace("(", "( ").replace(")", " )").split()
        known["condition"] = " ".join(ids.get(word, word) for word in words)
    if "aliases" in known:
        known["aliases"] = {
            alias: {ids[name]: field for name, field in fields.items()} for alias, fields in known["aliases"].items()
        }
    return known


def _case(entry: dict[str, Any]) -> Case:
    assert set(entry) <= _KEYS, entry
    correlations = entry.get("correlations") or {"it": entry["correlation"]}
    events: list[Row] = []
    for time, rules, *fields in entry["events"]:
        event: Row = {"_time": str(time), "case": entry["id"], "is": rules.split()}
        events.append({**event, **(fields[0] if fields else {})})
    alerts = []
    for alert in entry["alerts"]:
        name, time, group, value = alert if len(alert) == 4 else ["it", *alert]
        alerts.append((name, str(time), tuple(group), str(value)))
    return Case(entry["id"], correlations, events, alerts, entry.get("left", []))


CASES = {case.id: case for (document,) in [list(read_documents(FILE.read_bytes()))] for case in map(_case, document)}


def read_all(cases: Sequence[Case]) -> tuple[list[Rule], list[Correlation]]:
    """The rules and the resolved correlations of cases."""
    rules = [rule for case in cases for rule in case.rules()]
    read = []
    for document in (document for case in cases for document in case.documents()):
        correlation, problems = read_correlation(document)
        assert correlation is not None, problems
        read.append(correlation)
    resolved, found = resolve(read, rules)
    assert len(resolved) == len(read), [problem for problems in found for problem in problems]
    return rules, resolved


def test_there_are_enough_cases_of_each_row() -> None:
    entries = [entry for document in read_documents(FILE.read_bytes()) for entry in document]
    assert len(CASES) == len(entries) >= 40
    assert {entry["row"] for entry in entries} == set(range(27, 35))


@pytest.mark.parametrize("via", [via_engine, via_command], ids=["engine", "command"])
def test_match_tells_alerts(via: Any, mappings: Mappings) -> None:
    case = CASES["chain-many-failures-then-a-success"]
    inputs = inputs_of(*read_all([case]), mappings)
    (found,) = [one.as_json() for one in via(inputs, case.events, Answers())]
    many, then, letter = (case.id_of(name) for name in ("many", "then", "b"))
    assert found == {
        "event": 5,
        "rule_id": then,
        "title": "then",
        "level": "high",
        "group": {"u": "p"},
        "value": 2,
        "time": "64",
        "events": [
            {"event": 3, "time": "4", "rules": [many], "group": {"u": "p"}},
            {"event": 5, "time": "64", "rules": [letter]},
        ],
    }


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_engine(case: Case, mappings: Mappings) -> None:
    found = list(via_engine(inputs_of(*read_all([case]), mappings), case.events, Answers()))
    names = {case.id_of(name): name for name in case.correlations}
    alerts = [
        (names[one.rule_id], one.alert["time"], tuple(one.alert["group"].values()), _number(one.alert["value"]))
        for one in found
        if one.alert
    ]
    assert sorted(alerts) == sorted((name, time, group, _number(value)) for name, time, group, value in case.alerts)
    assert sorted({one.event for one in found if not one.alert}) == case.left


def _number(text: Any) -> float:
    return round(float(text), 9)


@pytest.fixture(scope="module")
def cases_app(mappings: Mappings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with the rules and correlations of all cases."""
    return unpack(app_files(inputs_of(*read_all(list(CASES.values())), mappings)), tmp_path_factory.mktemp("cases"))


def _values(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("version", SPLUNK_PYTHONS)
def test_the_commands(order: str, version: str, cases_app: Path) -> None:
    """Whatever the order of the events and wherever chunks end, the same alerts."""
    python = splunk_python(version)
    events = [
        {**event, "_cd": f"{number}:{place}", "at": str(place)}
        for number, case in enumerate(CASES.values())
        for place, event in enumerate(case.events)
    ]
    found = searched(cases_app, ORDERS[order](events), python)
    alerts = [row for row in found if row.get("sigma_correlation_type")]
    told: dict[str, list[Any]] = {case.id: [] for case in CASES.values()}
    by_id = {case.id_of(name): (case.id, name) for case in CASES.values() for name in case.correlations}
    for row in alerts:
        case, name = by_id[str(row["sigma_rule_id"])]
        group = tuple(json.loads(str(row["sigma_group"])).values())
        told[case].append((name, row["_time"], group, row["sigma_value"]))
    assert {case: sorted(one) for case, one in told.items()} == {
        case.id: sorted(case.alerts) for case in CASES.values()
    }
    left: dict[str, list[int]] = {case.id: [] for case in CASES.values()}
    for row in found:
        if not row.get("sigma_correlation_type"):
            left[str(row["case"])].append(int(str(row["at"])))
    assert {case: sorted(one) for case, one in left.items()} == {case.id: case.left for case in CASES.values()}
