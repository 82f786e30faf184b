"""All of SigmaHQ by event stream: how many searches, and that no match on recorded attacks is lost."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from builder.mappings import Mappings
from builder.rulefiles import RuleFolder, read_folders
from builder.searches.configuration import Choice, Configuration
from builder.searches.context import Context
from builder.searches.slots import slots
from tests.support.shared import json_lines, shared
from tests.support.streams import stream_queries

FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance")

#: Of the events of set c, one in so many is looked at.
STEP = 4

#: Configurations: the rules that alert, and how many streams they have.
CONFIGURATIONS = {
    "default": (Configuration(), 3096, 51),
    "every rule": (Configuration(select=Choice()), 3755, 57),
}


@pytest.fixture(scope="module")
def sigmahq(tmp_path_factory: pytest.TempPathFactory) -> RuleFolder:
    """The rules of SigmaHQ's folders for use."""
    folder = tmp_path_factory.mktemp("sigmahq")
    with tarfile.open(shared("data/sigmahq-rules.tar.gz")) as tar:
        for member in tar.getmembers():
            if (content := tar.extractfile(member)) and ".." not in Path(member.name).parts:
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    return read_folders([folder / "sigma" / name for name in FOLDERS])


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def context(request: pytest.FixtureRequest, sigmahq: RuleFolder, mappings: Mappings) -> tuple[Context, int, int]:
    """What searches are made from; how many rules alert, and streams."""
    configuration, rules, streams = CONFIGURATIONS[request.param]
    return Context(sigmahq, mappings.routing, configuration), rules, streams


def test_fewer_than_a_hundred_searches(context: tuple[Context, int, int]) -> None:
    found, rules, streams = context
    assert len(found.shared) == rules
    assert len(found.layout.streams) == streams < 100
    need = slots(found)
    assert need["by_stream"]["slots"] < need["available"]
    assert need["by_stream"]["slots"] < need["by_logsource"]["slots"] < need["by_rule"]["slots"]


def test_every_rule_is_in_a_stream_or_is_told_to_be_in_none(context: tuple[Context, int, int]) -> None:
    found, *_ = context
    layout = found.layout
    searched = {rule for stream in layout.streams for rule in stream.rules}
    assert searched.isdisjoint(layout.nowhere)
    assert searched | set(layout.nowhere) == {outcome.id for outcome in found.shared}
    assert all(stream.rules for stream in layout.streams)


def test_no_match_on_recorded_attacks_is_lost_and_no_event_is_read_twice(context: tuple[Context, int, int]) -> None:
    found, *_ = context
    alerting = {outcome.id for outcome in found.shared}
    matched = {
        pair["idx"] for pair in json_lines(shared("data/expected/expected-c.jsonl.gz")) if pair["rule_id"] in alerting
    }
    queries = stream_queries(found)
    seen = 0
    for event in json_lines(shared("data/attack-events.jsonl.gz")):
        if event["_idx"] % STEP:
            continue
        seen += 1
        taking = [name for name, query in queries.items() if query.matches(_as_indexed(event))]
        assert len(taking) <= 1, (event["_idx"], taking)
        assert taking or event["_idx"] not in matched, event["_idx"]
    assert seen > 4000


def _as_indexed(event: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """An event of the shared sets as Splunk has it: see the sets' description."""
    fields = {name: value for name, value in event.items() if not name.startswith("_") or name in ("_raw", "_time")}
    return {**fields, **(event.get("_mv") or {}), "index": "main"}
