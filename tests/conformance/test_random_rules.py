"""Random rules over the whole grammar on near misses: the engine, the plain evaluator and the oracle say the same.

The oracle evaluates single values of fields, no log sources. What it is known to answer otherwise is in ``masks``.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sigmaengine.fields import Columns
from sigmaengine.matcher import Matcher
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import Rule, read_rule
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.randomrules import PLACEHOLDERS, rule

from .masks import RANDOM, Difference
from .oracles import EVERYTHING, Oracle, examples

NOWHERE = RoutingTable({"keys": {}, "alternatives": []})
RULES, EVENTS = 6, 6

#: What pySigma says of a rule that it refuses and we take.
REFUSED = (
    # It compiles expressions by another engine, which cannot look around.
    "invalid perl operator: (?=",
)

#: Masks for which a part of the examples may have no need.
SELDOM: set[str] = set() if EVERYTHING else {"keyword-across-fields"}

#: How often each mask excused a difference, and how many pairs were compared.
counted: Counter[str] = Counter()


def read(document: dict[str, Any]) -> Rule:
    """The rule of a random document: all of them can be used."""
    found, problems = read_rule({**document, "logsource": {}}, PLACEHOLDERS)
    assert found is not None, problems
    return found


def unexplained(documents: list[dict[str, Any]], events: list[dict[str, str]], oracle: Oracle) -> list[str]:
    """Where the oracle answers otherwise, rule by rule, than the engine with all rules together, and no mask says why.

    Counts what was compared. Fails if engine and plain evaluator differ.
    """
    different: list[str] = []
    rules = [read(document) for document in documents]
    oracle.ask(do="each", cases=[[document, events] for document in documents], placeholders=PLACEHOLDERS)
    matcher = Matcher(from_rules(rules, NOWHERE), profile="none")
    fast, plain = ([matched(matcher, how, event) for event in events] for how in ("match", "match_plainly"))
    assert fast == plain
    for document, expected in zip(documents, oracle.answer()["found"], strict=True):
        if isinstance(expected, str):
            assert any(reason in expected for reason in REFUSED), expected
            counted["refused"] += 1
            continue
        for number, event in enumerate(events):
            found = Difference(document, event, document["id"] in fast[number])
            if not is_explained(found, number in expected):
                different.append(
                    f"{'only we' if found.ours else 'only the oracle'}: {document['detection']} on {event}"
                )
    return different


def matched(matcher: Matcher, how: str, event: dict[str, str]) -> set[str]:
    """The ids of the rules that match."""
    return {match.info.id for match in getattr(matcher, how)(Columns(list(event)), list(event.values()))}


def is_explained(found: Difference, expected: bool) -> bool:
    """Whether the oracle answers the same or a mask says why not; counts the pair."""
    counted["pairs"] += 1
    counted["matches"] += expected
    if found.ours == expected:
        return True
    excuses = [mask.name for mask in RANDOM if mask.excuses(found)]
    counted.update(excuses)
    return bool(excuses)


@settings(max_examples=examples(30, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
def test_engine_plain_evaluator_and_oracle_agree(random: Random, oracle: Oracle) -> None:
    documents = [rule(random, number) for number in range(RULES)]
    events = [event_for(random.choice(documents), random) for _ in range(EVENTS)]
    assert unexplained(documents, events, oracle) == []


@pytest.mark.parametrize("seed", range(examples(10, 150)))
def test_engine_plain_evaluator_and_oracle_agree_by_seed(seed: int, oracle: Oracle) -> None:
    """The same with many rules at once, of which every event is made for one: hypothesis tries small ones mostly."""
    random = Random(seed)  # noqa: S311 - the same in every run
    documents = [rule(random, number) for number in range(60)]
    assert unexplained(documents, [event_for(document, random) for document in documents], oracle) == []


def test_much_was_compared_and_each_mask_is_needed() -> None:
    assert counted["pairs"] > examples(30_000, 500_000)
    assert counted["matches"] > counted["pairs"] / 20
    assert counted["refused"] < counted["pairs"] / 100
    assert {mask.name for mask in RANDOM if not counted[mask.name]} <= SELDOM
