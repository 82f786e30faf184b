"""Random rules on near misses: an exact query finds what the engine matches, any other one no less.

What the writer takes for granted of events holds for those here too (see docs/spl.md): XML has
named entities alone, and integers are written in one way there.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from builder.spl.values import ENTITIES
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.routing import RoutingTable
from sigmaengine.rule import read_rule
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.randomrules import PLACEHOLDERS, rule
from tests.support.splqueries import Judge, Verdict, matched_ids

EXAMPLES = 12 * int(os.environ.get("SIGMA_MATCH_EFFORT", "1"))
RULES, EVENTS = 5, 8
SOURCE = ["any", "", ""]
NATIVE, CIM = [["native", ["N"]]], [["cim", ["N"]]]


@dataclass(frozen=True)
class World:
    """``alternatives``: of the routing table; ``columns``: other names of fields; ``xml``: values with entities."""

    alternatives: tuple[Any, ...]
    profile: str
    logsource: dict[str, str]
    columns: tuple[str, ...] = ()
    xml: bool = False

    @property
    def routing(self) -> RoutingTable:
        """The table."""
        return RoutingTable(
            {"keys": {"kind": [["sourcetype"], ["source", "prefix", ["is:"]]]}, "alternatives": self.alternatives}
        )


WORLDS = {
    "own names": World((), "none", {}),
    "xml": World(((SOURCE, [["kind", ["x*"]]], True, {}),), "windows_xml", {"product": "any"}, xml=True),
    "aliases and json": World(
        (
            (SOURCE, [["kind", ["x1", "x2"]]], False, {"A": [True, NATIVE], "B": [False, CIM]}),
            (SOURCE, [["kind", ["x3"]], ["host", ["h"]]], False, {"A": [True, [["native", ["M"]], ["cim", ["N"]]]]}),
            (SOURCE, [["kind", ["x3"]]], False, {"B": [True, [["native", ["M"]]]]}),
            (SOURCE, [["host", ["h", "g*"]]], True, {"A": [True, [["cim", ["M", "unquote", True]]]]}),
        ),
        "auto",
        {"product": "any"},
        columns=("N", "M", "C_d", "D_e", "C{}.d", "A{}"),
    ),
    "kinds told apart": World(
        (
            (SOURCE, [["host", ["h"]]], False, {"A": [True, NATIVE], "B": [False, CIM]}),
            (SOURCE, [["host", ["g1", "i"]]], False, {"A": [False, [["native", ["M"]], ["cim", ["N"]]]]}),
        ),
        "auto",
        {"product": "any"},
        columns=("N", "M"),
    ),
}  # fmt: skip


def varied(event: dict[str, str], world: World, random: Random) -> dict[str, Any]:
    """The event as it may be in a world: of a kind, under other names, with entities, several values in a field."""
    changed: dict[str, Any] = {}
    for name, value in event.items():
        column = random.choice(world.columns) if world.columns and name != "_raw" and random.random() < 0.4 else name
        changed[column] = _value(value, world, random)
    if random.random() < 0.8:
        changed["sourcetype"] = random.choice(["x1", "X2", "x3", "y"])
    if random.random() < 0.3:
        changed["source"] = random.choice(["is:x1", "IS:x3", "x1"])
    if random.random() < 0.4:
        changed["host"] = random.choice(["h", "g1", "i"])
    if random.random() < 0.3 and changed:
        name = random.choice(list(changed))
        if name not in ("_raw", "sourcetype", "source", "host"):
            changed[name] = [changed[name], _value(random.choice(["ab", "10", "b&c"]), world, random)]
    # Every event in Splunk has its text.
    changed.setdefault("_raw", " ".join(map(str, changed.values())))
    # No JSON field stands under two of its names, and in XML, which the last alternative says there is, there is none;
    # there integers are written in one way.
    if changed.get("host") in ("h", "g1"):
        changed = {name: _without_fraction(value) for name, value in changed.items() if "{}" not in name}
    for one, other in (("C.d", "C{}.d"), ("A", "A{}")):
        if one in changed:
            changed.pop(other, None)
    return changed


def _value(value: str, world: World, random: Random) -> str:
    if not world.xml:
        return value
    if parse_number(value) is not None:
        return "10"
    return "".join(ENTITIES[one] if one in ENTITIES and random.random() < 0.7 else one for one in value)


def _without_fraction(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_fraction(one) for one in value]
    number = parse_number(value)
    return value if number is None or number != int(number) else str(int(number))


counted: Counter[str] = Counter()


def compared(world: World, random: Random) -> list[Any]:
    """What is wrong with the queries of some random rules."""
    documents = [rule(random, number) for number in range(RULES)]
    rules = []
    for document in documents:
        read, problems = read_rule({**document, "logsource": world.logsource}, PLACEHOLDERS)
        assert read is not None, problems
        rules.append(read)
    verdict = Verdict()
    judge = Judge(rules, world.routing, world.profile)
    matcher = Matcher(from_rules(rules, world.routing), profile=world.profile)
    counted.update("exact" if query.exact else "inexact" for query, _ in judge.queries.values())
    for _ in range(EVENTS):
        event = varied(event_for(random.choice(documents), random), world, random)
        judge.judge(event, matched_ids(matcher, event), verdict)
    counted.update(verdict.counts)
    return verdict.wrong


@pytest.mark.parametrize("name", WORLDS)
def test_queries_find_what_rules_match(name: str) -> None:
    # Without shrinking, which takes minutes: each query and event is told.
    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate])
    @given(random=st.randoms(use_true_random=False))
    def check(random: Random) -> None:
        assert compared(WORLDS[name], random) == []

    check()


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_queries_find_what_rules_match_by_seed(name: str, seed: int) -> None:
    assert compared(WORLDS[name], Random(seed)) == []  # noqa: S311 - the same in every run


def test_much_was_compared() -> None:
    assert counted["pairs"] > EXAMPLES
    assert counted["wider"] > EXAMPLES // 4
    assert counted["exact"] > counted["inexact"] / 4
