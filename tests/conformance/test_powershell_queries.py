"""SigmaHQ's rules as commands of PowerShell: on recorded events, and on events made from the rules' own values.

The evaluator of PowerShell, which shares nothing with the writer, reads the events' XML; a command finds what the
engine matches, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from builder.converting import convert, settings_of
from builder.events import read_events
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.queries.language import RefusedError
from builder.rulefiles import RuleFolder
from sigmaengine.matcher import Matcher
from sigmaengine.ruleset import from_rules
from tests.support.madeevents import made_events, plain_matcher
from tests.support.powershell import Command, WinEvent, parse
from tests.support.splqueries import matched_ids
from tests.test_expectations import events_of, expected, numbers_of, sigmahq

from .oracles import EVERYTHING, examples

__all__ = ["sigmahq"]

#: Of the rules every so many are taken, and of the events those that match and every so many of the rest.
RULES = 1 if EVERYTHING else 12
STRIDE = 150 if EVERYTHING else 400
EVENTS_OF_A_RULE = examples(4, 6)

#: Refused of SigmaHQ's 3,752 rules; docs/queries-powershell.md says so too.
REFUSED = {"log source": 912}


@pytest.fixture(scope="module")
def outcomes(sigmahq: RuleFolder) -> list[Outcome]:
    """The rules that are looked at."""
    return sigmahq.accepted[::RULES]


@pytest.fixture(scope="module")
def commands(outcomes: list[Outcome], mappings: Mappings) -> dict[str, Command]:
    """The commands, parsed, by the rules' ids."""
    found: dict[str, Command] = {}
    refused: Counter[str] = Counter()
    for outcome in outcomes:
        assert outcome.rule is not None
        try:
            found[outcome.rule.id] = parse(convert(outcome, "powershell", mappings, settings_of("powershell", {})).text)
        except RefusedError as error:
            refused[error.reason] += 1
    assert refused.keys() <= REFUSED.keys()
    assert refused == REFUSED or not EVERYTHING
    return found


def test_recorded_events(
    outcomes: list[Outcome], commands: dict[str, Command], mappings: Mappings, tmp_path: Path
) -> None:
    rules = [outcome.rule for outcome in outcomes if outcome.rule and outcome.rule.id in commands]
    matcher = Matcher(from_rules(rules, mappings.routing), profile="windows_xml")
    expecting = {number for number, rule_id in expected("c")[0] if rule_id in commands}
    wrong: list[Any] = []
    pairs = 0
    events = zip(numbers_of("c"), read_events([events_of("c", tmp_path)], []), strict=True)
    for place, (number, event) in enumerate(events):
        if event is None or (place % STRIDE and number not in expecting):
            continue
        matched = matched_ids(matcher, event)
        read = WinEvent(str(event["_raw"]))
        for rule_id in matched if place % STRIDE else commands:
            finds = commands[rule_id].finds(read)
            pairs += finds
            if finds != (rule_id in matched):
                wrong.append((number, rule_id, finds))
    assert wrong == []
    assert pairs > examples(50, 1000)


def test_made_events(outcomes: list[Outcome], commands: dict[str, Command], mappings: Mappings) -> None:
    wrong: list[Any] = []
    pairs = judged = 0
    for outcome in outcomes:
        rule = outcome.rule
        if rule is None or rule.id not in commands:
            continue
        random = Random(rule.id)  # noqa: S311 - the same events in every run
        matches = plain_matcher(rule)
        for xml, event in made_events(rule, outcome.document, mappings, random, EVENTS_OF_A_RULE):
            matched = matches(event)
            finds = commands[rule.id].finds(WinEvent(xml))
            judged += 1
            pairs += finds
            if finds != matched:
                wrong.append((rule.id, finds, xml))
    assert wrong == []
    assert pairs > judged / 3
