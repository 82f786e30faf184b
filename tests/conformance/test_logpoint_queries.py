"""SigmaHQ's rules for Windows as searches of Logpoint: on recorded events, on made ones, and beside pySigma's backend.

The evaluator of Logpoint's language, which shares nothing with the writer, reads events with the names that the
profile gives them; a search finds what the engine matches, and nothing else.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from builder.converting import convert, settings_of
from builder.events import read_events
from builder.mappings import Mappings
from builder.outcomes import Outcome
from builder.paths import MAPPINGS
from builder.queries.language import RefusedError
from builder.rulefiles import RuleFolder
from sigmaengine.matcher import Matcher
from sigmaengine.numbers import parse_number
from sigmaengine.rule import Rule
from sigmaengine.ruleset import from_rules
from tests.support.logpoint import Holds, parse
from tests.support.logpointevents import normalised
from tests.support.madeevents import made_events, plain_matcher
from tests.support.splqueries import matched_ids
from tests.test_expectations import events_of, expected, numbers_of, sigmahq

from .oracles import EVERYTHING, examples
from .splunkqueries import PYTHON

__all__ = ["sigmahq"]

#: Of the rules every so many are taken, and of the events those that match and every so many of the rest.
RULES = 1 if EVERYTHING else 12
STRIDE = 200 if EVERYTHING else 400
EVENTS_OF_A_RULE = 6
#: Every so many of the rules are given to the backend, which takes 20 ms for one.
BACKEND_RULES = 1 if EVERYTHING else 4
PROGRAM = Path(__file__).resolve().parent / "logpointbackend"

#: Refused of SigmaHQ's 3,752 rules; docs/queries-logpoint.md says so too.
REFUSED = {
    "regex": 117, "keyword": 105, "literal wildcard": 38, "network": 25, "names": 18, "unknown name": 17,
    "log source": 16, "place": 12, "text": 12, "field reference": 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(sigmahq: RuleFolder) -> list[Outcome]:
    """The rules that are looked at."""
    return sigmahq.accepted[::RULES]


@pytest.fixture(scope="module")
def searches(outcomes: list[Outcome], mappings: Mappings) -> dict[str, Holds]:
    """The searches for rules of Windows, parsed, by the rules' ids."""
    found: dict[str, Holds] = {}
    refused: Counter[str] = Counter()
    for outcome in outcomes:
        assert outcome.rule is not None
        try:
            holds = parse(convert(outcome, "logpoint", mappings, settings_of("logpoint", {})).text)
        except RefusedError as error:
            refused[error.reason] += 1
            continue
        if outcome.rule.logsource.product == "windows":
            found[outcome.rule.id] = holds
    assert refused.keys() <= REFUSED.keys()
    assert refused == REFUSED or not EVERYTHING
    return found


def test_recorded_events(
    outcomes: list[Outcome], searches: dict[str, Holds], mappings: Mappings, tmp_path: Path
) -> None:
    rules = [outcome.rule for outcome in outcomes if outcome.rule and outcome.rule.id in searches]
    matcher = Matcher(from_rules(rules, mappings.routing), profile="windows_xml")
    expecting = {number for number, rule_id in expected("c")[0] if rule_id in searches}
    wrong: list[Any] = []
    pairs = 0
    events = zip(numbers_of("c"), read_events([events_of("c", tmp_path)], []), strict=True)
    for place, (number, event) in enumerate(events):
        if event is None or (place % STRIDE and number not in expecting):
            continue
        matched = matched_ids(matcher, event)
        fields = normalised(str(event["_raw"]))
        for rule_id in matched if place % STRIDE else searches:
            finds = searches[rule_id](fields)
            pairs += finds
            if finds != (rule_id in matched):
                wrong.append((number, rule_id, finds))
    assert wrong == []
    assert pairs > examples(50, 1000)


PROFILE = yaml.safe_load((MAPPINGS / "targets" / "logpoint.yml").read_text("utf-8"))
NOT_IN_4688 = {name for name, there in PROFILE["channels"]["Security"]["events"][4688].items() if there is None}
HASH = re.compile(r"(?:MD5|IMPHASH)=[0-9A-Fa-f]{32}|SHA1=[0-9A-Fa-f]{40}|SHA256=[0-9A-Fa-f]{64}")


def written(event_id: str, name: str, value: str) -> str:
    """A value as Windows writes it and Logpoint keeps it: what docs/queries-logpoint.md takes for granted."""
    if value == "-" or (event_id == "4688" and name in NOT_IN_4688):
        return ""
    if name == "Hashes":
        found = HASH.search(value + " ")
        # No other character of a hash may follow.
        return found[0] if found and not value[found.end() :][:1].isalnum() else ""
    number = parse_number(value)
    return value if number is None else str(int(number))


#: Sysmon's event ids, and the labels by which the backend knows them.
LABELS = {
    "1": "Process Create", "2": "File Create Time Change", "3": "Network Connection Detect", "5": "Process Terminate",
    "6": "Driver Load", "7": "Image Load", "8": "Remote Thread Create", "9": "Raw Access Read", "10": "Process Access",
    "11": "File Create Overwrite", "12": "Registry Key Map", "13": "Registry Value Set", "14": "Registry Key Map",
    "15": "File Create Stream Hash", "22": "DNS Query Execute", "23": "File Delete", "24": "Clipboard Change Detect",
    "25": "Process Tamper", "26": "File Delete", "27": "File Block Executable", "255": "Service Error",
    "4": "Service State Change", "16": "Service State Change", "4688": "Process Create",
}  # fmt: skip


def labelled(xml: str) -> dict[str, list[str]]:
    """An event of Logpoint's with its labels."""
    event = normalised(xml)
    event.setdefault("norm_id", ["WinServer"])
    (event_id,) = event["event_id"]
    if event["norm_id"] == ["WindowsSysmon"] or event_id == "4688":
        event["label"] = LABELS.get(event_id, "").split()
    return event


def test_made_events(outcomes: list[Outcome], searches: dict[str, Holds], mappings: Mappings) -> None:
    wrong: list[Any] = []
    pairs = judged = 0
    for outcome in outcomes:
        rule = outcome.rule
        if rule is None or rule.id not in searches:
            continue
        random = Random(rule.id)  # noqa: S311 - the same events in every run
        matches = plain_matcher(rule)
        for xml, event in made_events(rule, outcome.document, mappings, random, EVENTS_OF_A_RULE, written):
            finds = searches[rule.id](labelled(xml))
            judged += 1
            pairs += finds
            if finds != matches(event):
                wrong.append((rule.id, finds, xml))
    assert wrong == []
    assert pairs > judged / 3


def backend_queries(rules: list[Any]) -> list[str]:
    """The backend's query of each rule, empty where it refuses it; skips the test where there is no backend."""
    reason = "needs pySigma's Logpoint backend in .venv-splunkbackend, which has no Python 3.11 here or was not made"
    if not PYTHON.exists():
        pytest.skip(reason)
    done = subprocess.run(
        [str(PYTHON), str(PROGRAM)], input=json.dumps(rules, default=str), capture_output=True, text=True, check=False
    )
    if "No module named 'sigma.backends.logpoint'" in done.stderr:
        pytest.skip(reason)
    assert done.returncode == 0, done.stderr[-5000:]
    return [answer if isinstance(answer, str) else "" for answer in json.loads(done.stdout)]


#: Where the backend's query finds something else than its rule: why -> whether that is so, of (rule, query, event).
EXPLAINED: dict[str, Callable[[Rule, str, dict[str, list[str]]], bool]] = {
    "an empty text is asked for as a value": lambda rule, query, event: '""' in query,
    "a channel is known by one of its spellings": lambda rule, query, event: (
        str(rule.logsource.service) in ("dns-client", "dns-server-analytic", "security-mitigations")
        and f'"{event["channel"][0]}"' not in query
    ),
    "names of 7045 are known where the rule names the provider": lambda rule, query, event: (
        "event_id=7045" in query and "event_source=" not in query
    ),
}


def test_beside_the_backend(outcomes: list[Outcome], searches: dict[str, Holds], mappings: Mappings) -> None:
    taken = [outcome for outcome in outcomes if outcome.rule and outcome.rule.id in searches][::BACKEND_RULES]
    queries = backend_queries([outcome.document for outcome in taken])
    unexplained: list[Any] = []
    compared = 0
    for outcome, query in zip(taken, queries, strict=True):
        # What follows a pipe works on the events found before, and is not in the evaluator.
        if not query or "|" in re.sub(r"\"[^\"]*\"|'[^']*'", "", query):
            continue
        rule, finds = outcome.rule, parse(query)
        assert rule is not None
        random = Random(rule.id)  # noqa: S311 - the same events in every run
        for xml, _ in made_events(rule, outcome.document, mappings, random, EVENTS_OF_A_RULE, written):
            event = labelled(xml)
            compared += 1
            if finds(event) != searches[rule.id](event) and not any(
                holds(rule, query, event) for holds in EXPLAINED.values()
            ):
                unexplained.append((rule.id, finds(event), query, xml))
    assert unexplained == []
    assert compared > len(taken) * 3
