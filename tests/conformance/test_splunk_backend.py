"""The evaluator of SPL against a third party: what pySigma's Splunk backend writes means what the rules mean.

Neither the backend nor the evaluator shares anything with the engine. Where the backend's query is right, the evaluator
must find the events that the plain evaluator finds; rules whose query is not are left out, each with a reason.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, NamedTuple

import pytest
import yaml

from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruleset import from_rules
from sigmaengine.ruletext import read_documents
from tests.support.derived import event_for
from tests.support.shared import json_lines, shared
from tests.support.spl import Query, parse

from .oracles import EVERYTHING, examples
from .splunkqueries import EXCUSED, LEFT_OUT, queries
from .test_real_events import WITHOUT_PLACEHOLDER, sigmahq_files

Row = dict[str, str | list[str]]

EVENTS_OF_A_RULE = examples(12, 25)
#: Reasons for which a part of the rules may have no need.
SELDOM: set[str] = set() if EVERYTHING else {"refused", "negated-regex", "regex-field"}


class Case(NamedTuple):
    """A rule whose query is right."""

    mapping: dict[str, Any]
    query: Query
    matcher: Matcher


@pytest.fixture(scope="module")
def left_out() -> Counter[str]:
    """How many rules were left out for which reason."""
    return Counter()


@pytest.fixture(scope="module")
def cases(left_out: Counter[str]) -> list[Case]:
    """The rules that are compared, without their log sources, of which the backend knows nothing."""
    rules = [rule for _, content in sigmahq_files() if (rule := rule_of(content))]
    nowhere = RoutingTable({"keys": {}, "alternatives": []})
    found: list[Case] = []
    written = queries([mapping for mapping, _ in rules])
    for (mapping, rule), query in zip(rules, written, strict=True):
        reason = next((reason.name for reason in LEFT_OUT if reason.holds(mapping, query)), None)
        if reason:
            left_out[reason] += 1
        else:
            found.append(Case(mapping, parse(query), Matcher(from_rules([rule], nowhere), profile="none")))
    return found


def rule_of(content: bytes) -> tuple[dict[str, Any], Rule] | None:
    """A rule file's mapping, as others read it, and its rule, as the engine does; None if it needs placeholders."""
    (document,) = read_documents(content)
    if document["id"] in WITHOUT_PLACEHOLDER:
        return None
    rule, problems = read_rule({**document, "logsource": {}})
    assert rule is not None, problems
    return {**yaml.safe_load(content), "logsource": {"product": "any"}}, rule


def differences(case: Case, events: list[Row], excused: Counter[str]) -> tuple[int, list[tuple[str, Row, bool]]]:
    """How many events match, and where the evaluator says otherwise than the engine, without an excuse."""
    matched, found = 0, []
    for event in events:
        cells = [make_cell(value) if isinstance(value, list) else value for value in event.values()]
        ours = bool(case.matcher.match_plainly(Columns(list(event)), cells))
        matched += ours
        if case.query.matches(event) != ours:
            reasons = [reason.name for reason in EXCUSED if reason.holds(case.mapping, event)]
            excused.update(reasons)
            if not reasons:
                found.append((case.mapping["id"], event, ours))
    return matched, found


def test_events_made_from_the_rules(cases: list[Case], left_out: Counter[str]) -> None:
    unexplained: list[tuple[str, Row, bool]] = []
    excused: Counter[str] = Counter()
    matched = 0
    for case in cases:
        random = Random(case.mapping["id"])  # noqa: S311 - the same events in every run
        events: list[Row] = [dict(event_for(case.mapping, random)) for _ in range(EVENTS_OF_A_RULE)]
        number, found = differences(case, events, excused)
        matched += number
        unexplained += found
    assert unexplained == []
    assert matched > EVENTS_OF_A_RULE * len(cases) // 3
    assert set(excused) == {reason.name for reason in EXCUSED}
    assert {reason.name for reason in LEFT_OUT} - set(left_out) <= SELDOM
    assert len(cases) > 9 * left_out.total()


def test_real_events(cases: list[Case]) -> None:
    """Every rule on all events of SigmaHQ's own regression tests."""
    events = [
        row_of(event) for test in json_lines(shared("data/expected/regression.jsonl.gz")) for event in test["events"]
    ]
    unexplained: list[tuple[str, Row, bool]] = []
    excused: Counter[str] = Counter()
    matched = 0
    for case in cases:
        number, found = differences(case, events, excused)
        matched += number
        unexplained += found
    assert unexplained == []
    assert matched > examples(30, 400)


def row_of(event: dict[str, Any]) -> Row:
    """An event of the shared data without the notes about it; several values as Splunk has them."""
    several = event.get("_mv") or {}
    return {
        name: several.get(name, value) for name, value in event.items() if not name.startswith("_") or name == "_raw"
    }
