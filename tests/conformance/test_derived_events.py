"""SigmaHQ's rules on events made from their own values, without log sources: we, the plain evaluator, the oracle.

Real events match few of the rules; these match nearly all, and miss them by little.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import yaml

from sigmaengine.fields import Columns
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruleset import from_rules
from sigmaengine.ruletext import read_documents
from tests.support.derived import event_for

from .masks import DERIVED, Difference
from .oracles import EVERYTHING, Oracle, examples
from .test_real_events import WITHOUT_PLACEHOLDER, sigmahq_files

#: Masks for which a part of the rules may have no need.
SELDOM: set[str] = set() if EVERYTHING else {"boolean"}
EVENTS_OF_A_RULE = examples(12, 25)
#: Rules handed to the oracle at a time.
BATCH = 200

Case = tuple[Rule, dict[str, Any], list[dict[str, str]]]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """(rule, its mapping, events) of every rule."""
    found: list[Case] = []
    for path, content in sigmahq_files():
        mapping = yaml.safe_load(content)
        if mapping["id"] in WITHOUT_PLACEHOLDER:
            continue
        (document,) = read_documents(content)
        rule, problems = read_rule({**document, "logsource": {}})
        assert rule is not None, problems
        random = Random(path.name)  # noqa: S311 - the same events in every run
        mapping["logsource"] = {"product": "any"}
        found.append((rule, mapping, [event_for(mapping, random) for _ in range(EVENTS_OF_A_RULE)]))
    return found


def theirs(oracle: Oracle, cases: list[Case]) -> Iterator[list[int]]:
    """The events that the oracle finds for each rule."""
    for start in range(0, len(cases), BATCH):
        oracle.ask(do="each", cases=[[mapping, events] for _, mapping, events in cases[start : start + BATCH]])
        for answer in oracle.answer()["found"]:
            assert isinstance(answer, list), answer
            yield answer


def matchers(rules: list[Rule], how: str) -> Iterator[Matcher]:
    """What matches each rule: some hundred at once; each alone for the plain evaluator, which gains nothing by it."""
    nowhere = RoutingTable({"keys": {}, "alternatives": []})
    size = BATCH if how == "match" else 1
    for start in range(0, len(rules), size):
        some = rules[start : start + size]
        yield from [Matcher(from_rules(some, nowhere), profile="none")] * len(some)


@pytest.mark.parametrize("how", ["match", "match_plainly"])
def test_no_difference_without_a_reason(how: str, cases: list[Case], oracle_says: list[list[int]]) -> None:
    unexplained: list[tuple[str, dict[str, str], str]] = []
    excused: set[str] = set()
    matched = 0
    rules = [rule for rule, _, _ in cases]
    for (rule, mapping, events), matcher, expected in zip(cases, matchers(rules, how), oracle_says, strict=True):
        for number, event in enumerate(events):
            found = getattr(matcher, how)(Columns(list(event)), list(event.values()))
            ours = any(match.info.id == rule.id for match in found)
            matched += ours
            if ours == (number in expected):
                continue
            masks = {mask.name for mask in DERIVED if mask.excuses(Difference(mapping, event, ours))}
            excused |= masks
            if not masks:
                unexplained.append((rule.id, event, "only we" if ours else "only the oracle"))
    assert unexplained == []
    assert matched > 3 * len(cases)
    assert {mask.name for mask in DERIVED} - excused <= SELDOM


@pytest.fixture(scope="module")
def oracle_says(oracle: Oracle, cases: list[Case]) -> list[list[int]]:
    """The positions of the events that the oracle finds for each rule."""
    return list(theirs(oracle, cases))
