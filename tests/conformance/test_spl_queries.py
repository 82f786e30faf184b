"""SigmaHQ's rules as Splunk searches: on real events, and on events made from the rules' own values.

The evaluator of SPL, which shares nothing with the writer, finds with an exact query what the engine
matches, and with any other no less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from builder.events import read_events
from builder.mappings import Mappings
from builder.rulefiles import RuleFolder
from sigmaengine.fields import FieldView
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.rule import Rule
from sigmaengine.ruleset import from_rules
from tests.support.derived import event_for
from tests.support.splqueries import Judge, Verdict, matched_ids
from tests.test_expectations import events_of, expected, numbers_of, sigmahq

from .oracles import EVERYTHING, examples

__all__ = ["sigmahq"]

#: Of the rules every so many are taken, and of each set's events those that match and every so many of the rest.
RULES = 1 if EVERYTHING else 16
STRIDES = {"b": 1, "c": 20, "d": 1000} if EVERYTHING else {"b": 1, "c": 40}
EVENTS_OF_A_RULE = examples(6, 20)

#: (are the rules for Windows, the profile of their fields)
PROFILES = {True: "windows_xml", False: "auto"}


def is_windows(rule: Rule) -> bool:
    """Whether a rule is searched by the names of Windows fields."""
    return rule.logsource.product == "windows"


@pytest.fixture(scope="module")
def rules(sigmahq: RuleFolder) -> dict[bool, list[Rule]]:
    """The rules by whether they are for Windows."""
    taken = sigmahq.rules[::RULES]
    return {windows: [rule for rule in taken if is_windows(rule) == windows] for windows in PROFILES}


@pytest.fixture(scope="module")
def judges(rules: dict[bool, list[Rule]], mappings: Mappings) -> dict[bool, Judge]:
    """The queries, parsed."""
    return {windows: Judge(rules[windows], mappings.spelt, profile) for windows, profile in PROFILES.items()}


@pytest.fixture(scope="module")
def matchers(rules: dict[bool, list[Rule]], mappings: Mappings) -> dict[bool, Matcher]:
    """What the command would answer, with the same names of fields."""
    return {
        windows: Matcher(from_rules(rules[windows], mappings.routing), profile=profile)
        for windows, profile in PROFILES.items()
    }


@pytest.mark.parametrize("name", STRIDES)
def test_real_events(
    name: str, judges: dict[bool, Judge], matchers: dict[bool, Matcher], mappings: Mappings, tmp_path: Path
) -> None:
    mapped = {
        windows: [one for one, rule in judge.rules.items() if mappings.routing.is_mapped(rule.logsource)]
        for windows, judge in judges.items()
    }
    expecting = {number for number, _ in expected(name)[0]} if EVERYTHING else set()
    verdict = Verdict()
    events = zip(numbers_of(name), read_events([events_of(name, tmp_path)], []), strict=True)
    for place, (number, event) in enumerate(events):
        assert event is not None
        whole = place % STRIDES[name] == 0
        if whole or number in expecting:
            for windows, judge in judges.items():
                matched = matched_ids(matchers[windows], event)
                judge.judge(event, matched, verdict, mapped[windows] if whole else matched)
    assert verdict.wrong == []
    assert verdict.counts["pairs"] > examples(0, 200)


def test_most_queries_are_exact(judges: dict[bool, Judge]) -> None:
    windows = Counter(query.exact for query, _ in judges[True].queries.values())
    assert windows[True] / windows.total() > 0.9
    every = windows + Counter(query.exact for query, _ in judges[False].queries.values())
    assert every[True] / every.total() > 0.85


def made_events(rule: Rule, document: Any, mappings: Mappings, random: Random) -> Iterator[dict[str, str]]:
    """Events of the rule's log source with values that the rule asks for, mostly, under one of the fields' names."""
    table = mappings.routing
    fitting = table.contributors(rule.logsource, range(len(table.alternatives)))
    for _ in range(EVENTS_OF_A_RULE):
        event = {"_raw": "nothing", **event_for({**document, "logsource": {}}, random)}
        if fitting:
            alternative = table.alternatives[random.choice(fitting)]
            view = FieldView(alternative.aliases, PROFILES[is_windows(rule)], alternative.xml)
            event = {_column(view, field, random): value for field, value in event.items()}
            if alternative.xml:  # integers are written in one way
                event = {field: "3" if _odd_number(value) else value for field, value in event.items()}
            for key, globs in alternative.when:
                event[table.keys[key][0][0]] = random.choice(globs).replace("*", "x")
        yield event


def _odd_number(value: str) -> bool:
    return parse_number(value) is not None and not (value.isascii() and value.isdigit() and str(int(value)) == value)


def _column(view: FieldView, field: str, random: Random) -> str:
    plain = [candidate[0] for candidate in view.candidates(field) if len(candidate) == 1]
    return random.choice(plain) if plain and random.random() < 0.5 else field


def test_made_events(
    sigmahq: RuleFolder, judges: dict[bool, Judge], rules: dict[bool, list[Rule]], mappings: Mappings
) -> None:
    documents = {outcome.rule.id: outcome.document for outcome in sigmahq.outcomes if outcome.rule}
    verdict = Verdict()
    for windows, judge in judges.items():
        for rule in rules[windows]:
            random = Random(rule.id)  # noqa: S311 - the same events in every run
            # Where no mapping gives the log source, the query is about events that are known to be of it.
            said = None if mappings.routing.is_mapped(rule.logsource) else rule.logsource
            matcher = Matcher(from_rules([rule], mappings.routing), profile=PROFILES[windows], logsource=said)
            for event in made_events(rule, documents[rule.id], mappings, random):
                judge.judge(event, matched_ids(matcher, event), verdict, [rule.id])
    assert verdict.wrong == []
    assert verdict.counts["pairs"] > sum(map(len, rules.values()))
