"""Real events against matches that other engines found: nothing missing, nothing extra.

The expected pairs were made by three engines that share nothing with this project and judged one by
one; see the shared data's README. A judgement of null means that either answer is right.
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from builder.events import Event, read_events
from builder.findings import Finding
from builder.mappings import Mappings
from builder.matching import VIA
from builder.package import Inputs, app_files, compile_inputs, write_package
from builder.replay import Answers
from builder.rulefiles import RuleFolder, read_folders
from sigmaengine.fields import Columns, make_cell
from sigmaengine.matcher import Matcher
from sigmaengine.ruleset import from_rules
from tests.conformance.oracles import EVERYTHING
from tests.support.shared import json_lines, shared
from tests.support.splunktools import check_appinspect

Pairs = set[tuple[int, str]]

#: Of SigmaHQ's rules these folders are complete rules; the others need more than this version has.
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")
EVENTS = {"c": "data/attack-events.jsonl.gz", "d": "data/baseline-events.jsonl.gz"}

#: Pairs beyond the expectation, with the reason. Nothing else may differ.
BEYOND = {
    "c": {
        # "StartModule: ''" means no value, and both events' StartModule is empty in the XML. The
        # other engines saw events without that field and compared it with an empty text.
        (2850, "f239b326-2f41-4d6b-9dfa-c846a60ef505"),
        (2856, "f239b326-2f41-4d6b-9dfa-c846a60ef505"),
    },
}


@pytest.fixture(scope="module")
def sigmahq(tmp_path_factory: pytest.TempPathFactory) -> RuleFolder:
    """SigmaHQ's rules as they were published."""
    folder = tmp_path_factory.mktemp("sigmahq")
    with tarfile.open(shared("data/sigmahq-rules.tar.gz")) as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.split("/")[1] in FOLDERS:
                content = tar.extractfile(member)
                assert content is not None
                target = folder / Path(*Path(member.name).parts[1:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    return read_folders([folder / name for name in FOLDERS])


def test_sigmahq_is_accepted(sigmahq: RuleFolder) -> None:
    assert len(sigmahq.outcomes) == 3754
    assert len(sigmahq.accepted) >= 3740
    refused = {
        Path(outcome.path).name: [finding.code for finding in outcome.findings if finding.severity == "error"]
        for outcome in sigmahq.refused
    }
    # Both use "expand" and name a placeholder that only an organisation can fill.
    assert refused == {
        "win_security_adcs_certighost_cdc_chase_request.yml": ["placeholder-undefined"],
        "win_security_adcs_certighost_cert_issued_via_chase.yml": ["placeholder-undefined"],
    }


def test_appinspect_of_all_of_sigmahq(sigmahq: RuleFolder, mappings: Mappings, tmp_path: Path) -> None:
    archive = write_package(app_files(compile_inputs(sigmahq, mappings)), tmp_path)
    check_appinspect(archive, tmp_path, "appinspect-allowed-sigmahq.txt")


@pytest.fixture(scope="module")
def inputs(sigmahq: RuleFolder, mappings: Mappings) -> Inputs:
    """The rules that the expectations cover."""
    listed = set(shared("data/expected/rule-ids.txt").read_text().split())
    kept = [outcome for outcome in sigmahq.outcomes if outcome.rule and outcome.rule.id in listed]
    return compile_inputs(RuleFolder(kept, len(kept)), mappings)


def events_of(name: str, folder: Path) -> Path:
    """The events of a set as a file that ``match`` reads; see ``numbers_of`` for their numbers in the set."""
    if name in EVENTS:
        return shared(EVENTS[name])
    path = folder / "b.jsonl"
    entries = [event for test in json_lines(shared("data/expected/regression.jsonl.gz")) for event in test["events"]]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in entries)
    return path


@cache
def numbers_of(name: str) -> list[int]:
    """The set's number of each event, by its position in the file."""
    if name in EVENTS:
        return [event["_idx"] for event in json_lines(shared(EVENTS[name]))]
    tests = json_lines(shared("data/expected/regression.jsonl.gz"))
    return [event["_idx"] for test in tests for event in test["events"]]


def expected(name: str) -> tuple[Pairs, Pairs]:
    """(pairs that must be found, pairs that may be)."""
    wanted = {(pair["idx"], pair["rule_id"]) for pair in json_lines(shared(f"data/expected/expected-{name}.jsonl.gz"))}
    if name == "b":
        return wanted, set()
    judged = json_lines(shared(f"data/expected/expected-{name}-disagree.jsonl.gz"))
    return wanted, {(pair["idx"], pair["rule_id"]) for pair in judged if pair["expected"] is None}


@pytest.fixture(scope="module")
def found(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Pairs]:
    """The pairs that ``match`` finds in a set, by the command or the engine."""
    folder = tmp_path_factory.mktemp("events")

    @cache
    def run(name: str, via: str) -> Pairs:
        findings: list[Finding] = []
        events = read_events([events_of(name, folder)], findings)
        numbers = numbers_of(name)
        pairs = {(numbers[one.event], one.rule_id) for one in VIA[via](inputs, events, Answers())}
        assert not findings
        return pairs

    return run


@pytest.mark.parametrize("via", list(VIA))
@pytest.mark.parametrize("name", ["b", "c", "d"])
def test_every_expected_pair_and_no_other(name: str, via: str, found: Callable[[str, str], Pairs]) -> None:
    wanted, possible = expected(name)
    pairs = found(name, via)
    assert wanted - pairs == set()
    assert pairs - wanted - possible == BEYOND.get(name, set())


def test_sigmahqs_regression_tests(found: Callable[[str, str], Pairs]) -> None:
    counts = Counter()
    pairs = found("b", "command")
    tests = list(json_lines(shared("data/expected/regression.jsonl.gz")))
    for number, test in enumerate(tests):
        counts[number] = sum((event["_idx"], test["rule_id"]) in pairs for event in test["events"])
    assert len(tests) == 137
    assert [test["rule_id"] for number, test in enumerate(tests) if counts[number] < (test["match_count"] or 1)] == []


#: Every so many events of a set are evaluated plainly, which takes some 20 ms each.
STRIDES = {"b": 1, "c": 1 if EVERYTHING else 8}


def plainly(inputs: Inputs, events: Iterable[tuple[int, Event | None]]) -> Pairs:
    """The pairs that the plain evaluator finds in events with their numbers."""
    matcher = Matcher(from_rules(inputs.folder.rules, inputs.mappings.routing))
    pairs: Pairs = set()
    for number, event in events:
        assert event is not None
        cells: list[Any] = [value if isinstance(value, str) else make_cell(value) for value in event.values()]
        pairs.update((number, match.info.id) for match in matcher.match_plainly(Columns(list(event)), cells))
    return pairs


@pytest.mark.parametrize("name", ["b", "c"])
def test_plain_evaluator_agrees(name: str, inputs: Inputs, found: Callable[[str, str], Pairs], tmp_path: Path) -> None:
    """On some of the events; ``make conformance`` takes all."""
    events = zip(numbers_of(name), read_events([events_of(name, tmp_path)], []), strict=True)
    some = [one for place, one in enumerate(events) if place % STRIDES[name] == 0]
    numbers = {number for number, _ in some}
    pairs = plainly(inputs, some)
    assert pairs
    for via in VIA:
        assert {pair for pair in found(name, via) if pair[0] in numbers} == pairs
